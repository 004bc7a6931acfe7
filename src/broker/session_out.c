/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/session_state.h"

/* ---- writing --------------------------------------------------------------------------------- */

size_t
session_unsent(const struct session *s)
{
	return s->out.len + s->flying.len;
}

static void
session_wrote(struct session *s)
{
	s->progress_ms = session_now(s);
	s->owes = session_unsent(s) > 0;
	if (s->was_high && session_unsent(s) < SESSION_UNSENT_LOW) {
		s->was_high = false;
		if (s->ops != NULL)
			s->ops->drained(s->ctx);
		/* Requests that wait for room (session_may_feed). */
		later_add(&s->b->later, &s->work);
	}
}

static void
session_on_written(uv_write_t *w, int status)
{
	struct session *s = w->data;

	if (s->closing)
		return;
	if (status < 0) {
		session_close(s);
		return;
	}
	if (s->flying.cap > SESSION_KEEP)
		buf_clear(&s->flying);
	else
		buf_reset(&s->flying);
	session_flush(s);
	if (!s->closing) {
		session_wrote(s);
		later_add(&s->b->later, &s->work);
	}
}

void
session_flush(struct session *s)
{
	uv_buf_t b;
	int n;

	if (s->closing || s->out.len == 0 || s->flying.len != 0)
		return;
	b = uv_buf_init((char *)s->out.data, (unsigned)s->out.len);
	n = uv_try_write((uv_stream_t *)&s->pipe, &b, 1);
	if (n < 0 && n != UV_EAGAIN) {
		session_close(s);
		return;
	}
	if (n > 0 && (size_t)n == s->out.len && s->out.cap > SESSION_KEEP)
		buf_clear(&s->out);
	else if (n > 0)
		buf_consume(&s->out, (size_t)n);
	if (n > 0)
		s->progress_ms = session_now(s);
	if (s->out.len == 0) {
		session_wrote(s);
		return;
	}
	{
		struct buf empty = s->flying;

		s->flying = s->out;
		s->out = empty;
	}
	b = uv_buf_init((char *)s->flying.data, (unsigned)s->flying.len);
	s->write.data = s;
	if (uv_write(&s->write, (uv_stream_t *)&s->pipe, &b, 1, session_on_written) != 0)
		session_close(s);
}

/* What was appended to `out` goes out at the end of this turn. */
void
session_queue(struct session *s)
{
	if (s->closing)
		return;
	if (buf_err(&s->out) != AV_OK) {
		session_close(s);
		return;
	}
	if (session_unsent(s) >= SESSION_UNSENT_HIGH)
		s->was_high = true;
	if (s->out.len == 0)
		return;
	/* How long the upstream took is not held against the reader. */
	if (!s->owes)
		s->progress_ms = session_now(s);
	s->owes = true;
	if (s->out.len >= SESSION_UNSENT_LOW)
		session_flush(s);
	if (!s->closing)
		later_add(&s->b->later, &s->work);
}

/* ---- answers --------------------------------------------------------------------------------- */

static void
session_put_connection(struct session *s)
{
	if (!session_stays_open(s))
		reply_header(&s->out, "Connection", STR_LIT("close"));
	else if (s->http10)
		reply_header(&s->out, "Connection", STR_LIT("keep-alive"));
	reply_header(&s->out, "Aivault-Request-Id", (struct str){s->request_id, REQUEST_ID_LEN});
}

void
session_begin(struct session *s, const struct buf *head, uint64_t length, bool no_body)
{
	s->begun = true;
	s->no_body = no_body;
	s->chunked = false;
	if (s->closing)
		return;
	if (length == UINT64_MAX && !no_body) {
		/* HTTP/1.0 knows no chunks: there the close is the end. */
		if (s->http10)
			s->close_after = true;
		else
			s->chunked = true;
	}
	/* A body of which nothing was asked for yet will not come, or come too late to tell. */
	if (s->expects)
		s->close_after = true;
	(void)buf_append(&s->out, head->data, head->len);
	session_put_connection(s);
	if (s->chunked) {
		(void)buf_append_str(&s->out, "Transfer-Encoding: chunked\r\n");
	} else if (length != UINT64_MAX) {
		(void)buf_append_str(&s->out, "Content-Length: ");
		(void)buf_append_u64(&s->out, length);
		(void)buf_append_str(&s->out, "\r\n");
	}
	(void)buf_append_str(&s->out, "\r\n");
	session_queue(s);
}

void
session_send(struct session *s, const void *p, size_t len)
{
	if (s->closing || len == 0 || s->no_body)
		return;
	if (s->chunked)
		(void)buf_appendf(&s->out, "%zx\r\n", len);
	(void)buf_append(&s->out, p, len);
	if (s->chunked)
		(void)buf_append(&s->out, "\r\n", 2);
	session_queue(s);
}

static void
session_whole(struct session *s, const struct buf *head, struct str body)
{
	session_release_handler(s);
	session_begin(s, head, body.len, s->is_head);
	session_send(s, body.p, body.len);
	session_end(s);
}

void
session_json(struct session *s, unsigned status, struct str json)
{
	struct buf head;

	buf_init(&head, 1024);
	reply_status_line(&head, status);
	reply_header(&head, "Content-Type", STR_LIT("application/json"));
	reply_header(&head, "Cache-Control", STR_LIT("no-store"));
	session_whole(s, &head, json);
	buf_clear(&head);
}

void
session_problem(struct session *s, const struct fault *f, uint32_t retry_after)
{
	struct buf head, body;

	buf_init(&head, 1024);
	buf_init(&body, 8192);
	reply_status_line(&head, (unsigned)av_err_http(f->err));
	reply_header(&head, "Content-Type", STR_LIT("application/problem+json"));
	reply_header(&head, "Aivault-Error", str_of(av_err_code(f->err)));
	/* An answer to HEAD has no body to say it in. */
	if (f->reason[0] != '\0')
		reply_header(&head, "Aivault-Reason", str_of(f->reason));
	if (f->err == AV_ERATE || retry_after > 0)
		(void)buf_appendf(&head, "Retry-After: %u\r\n", retry_after > 0 ? retry_after : 1);
	reply_problem_body(&body, f, s->request_id);
	session_whole(s, &head, (struct str){(const char *)body.data, body.len});
	buf_clear(&head);
	buf_clear(&body);
}
