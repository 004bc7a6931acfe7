/* SPDX-License-Identifier: Apache-2.0 */
#include "base/log.h"
#include "broker/random_id.h"
#include "broker/routes.h"
#include "broker/session_state.h"

#include <poll.h>
#include <string.h>

#define SESSION_READ_HEAD (16u * 1024u) /* the first read of a request */
#define SESSION_DISCARD_MAX (16u * 1024u * 1024u) /* of a body that nobody wants */

static void
session_refuse(struct session *s, const struct fault *f)
{
	s->close_after = true;
	s->request_done = true; /* nothing after an error is looked at */
	s->expects = false;
	s->in_off = s->in.len;
	session_problem(s, f, 0);
}

static enum av_err
session_name_request(struct session *s)
{
	enum av_err e = random_id(s->request_id);

	if (e != AV_OK)
		memset(s->request_id, '0', REQUEST_ID_LEN);
	return e;
}

/* The parser gave up: the connection ends after the answer. */
static void
session_on_bad_input(struct session *s, const struct fault *f)
{
	if (s->state == SESSION_HEAD) {
		s->begun = false;
		s->http10 = false;
		s->is_head = false;
		if (session_name_request(s) != AV_OK)
			log_warn("a request stays without an id");
		session_refuse(s, f);
	} else if (s->state == SESSION_CALL && s->ops != NULL) {
		s->close_after = true;
		s->request_done = true;
		s->in_off = s->in.len;
		s->ops->bad(s->ctx, f);
	} else {
		session_close(s);
	}
}

/* The head is whole: the exchange begins. */
static void
session_on_head(struct session *s)
{
	const struct header *expect = header_list_find(message_headers(s->msg), STR_LIT("expect"));
	uint64_t length = 0;
	struct fault f;

	s->begun_now++;
	s->state = SESSION_CALL;
	s->deadline_ms = 0;
	s->progress_ms = session_now(s);
	s->request_done = false;
	s->begun = false;
	s->close_after = !message_keep_alive(s->msg);
	s->http10 = message_minor_version(s->msg) == 0;
	s->is_head = str_eq_cstr(message_method(s->msg), "HEAD");
	s->has_body =
	    message_is_chunked(s->msg) || (message_content_length(s->msg, &length) && length > 0);
	s->expects = expect != NULL && s->has_body && !s->http10 &&
	    str_ieq_cstr(expect->value, "100-continue");
	if (session_name_request(s) != AV_OK) {
		fault_set(&f, AV_ESYS, "no_random", "", "The system gave no random bytes.");
		session_refuse(s, &f);
		return;
	}
	routes_dispatch(s);
}

/* How many of `len` bytes the parser may have now. False: it is not its turn. */
static bool
session_may_feed(struct session *s, size_t *len)
{
	size_t room = 0;

	switch (s->state) {
	case SESSION_HEAD:
		/* Who does not read what was answered gets no more answers to hold for him. */
		return *len > 0 && session_unsent(s) < SESSION_UNSENT_HIGH;
	case SESSION_LINGER:
		s->in_off = s->in.len;
		return false;
	case SESSION_DISCARD:
		return true;
	case SESSION_CALL:
	default:
		break;
	}
	if (s->request_done || s->ops == NULL)
		return false;
	if (s->has_body)
		room = s->ops->room(s->ctx);
	if (s->expects && room > 0) {
		s->expects = false;
		if (*len == 0) {
			(void)buf_append_str(&s->out, "HTTP/1.1 100 Continue\r\n\r\n");
			session_queue(s);
		}
	}
	/* An empty feed brings MESSAGE_DONE where nothing is left to come. */
	if (*len > room)
		*len = room;
	return true;
}

/* One step of the parser. False: nothing more can be done now. */
static bool
session_step(struct session *s)
{
	const uint8_t *p = s->in.data + s->in_off;
	size_t len = s->in.len - s->in_off;
	size_t used = 0;
	enum message_event event = MESSAGE_NEED_MORE;
	struct str body = {NULL, 0};
	struct fault f = {0};
	enum av_err e;

	if (!session_may_feed(s, &len) || s->closing)
		return false;
	if (p == NULL)
		p = (const uint8_t *)"";
	e = message_feed(s->msg, p, len, &used, &event, &body, &f);
	s->in_off += used;
	if (e != AV_OK) {
		session_on_bad_input(s, &f);
		return false;
	}
	switch (event) {
	case MESSAGE_HEAD:
		s->idle_ms = s->b->opt.idle_ms;
		session_on_head(s);
		return true;
	case MESSAGE_BODY:
		if (s->state == SESSION_CALL && s->ops != NULL) {
			s->deadline_ms = session_now(s) + s->idle_ms;
			s->ops->body(s->ctx, body);
		} else {
			s->discarded += body.len;
			if (s->discarded > SESSION_DISCARD_MAX)
				session_close(s);
		}
		return true;
	case MESSAGE_DONE:
		s->request_done = true;
		if (s->state == SESSION_CALL && s->ops != NULL) {
			s->deadline_ms = 0;
			s->ops->body_end(s->ctx);
		} else if (s->state == SESSION_DISCARD) {
			if (session_stays_open(s))
				session_next_request(s);
			else
				session_linger(s);
		}
		return true;
	case MESSAGE_NEED_MORE:
	default:
		/* A head that has begun must be whole soon. */
		if (s->state == SESSION_HEAD && used > 0 &&
		    s->deadline_ms > session_now(s) + SESSION_HEAD_MS)
			s->deadline_ms = session_now(s) + SESSION_HEAD_MS;
		return used > 0 && s->in_off < s->in.len;
	}
}

static void session_on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *out);
static void session_on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *b);

void
session_steer_reading(struct session *s)
{
	bool want = !s->half_closed && s->in.len < SESSION_IN_HIGH;

	if (want && !s->reading) {
		if (uv_read_start((uv_stream_t *)&s->pipe, session_on_alloc, session_on_read) !=
		    0) {
			session_close(s);
			return;
		}
	} else if (!want && s->reading) {
		uv_read_stop((uv_stream_t *)&s->pipe);
	}
	s->reading = want;
}

static void
session_take_turn(struct session *s)
{
	s->pumping = true;
	s->begun_now = 0;
	while (!s->closing && s->begun_now < SESSION_REQUESTS_A_TURN && session_step(s))
		continue;
	s->pumping = false;
	s->resting = s->begun_now == SESSION_REQUESTS_A_TURN;
}

/* There will be another turn for what has come, without another byte of it. */
static bool
session_waits(const struct session *s)
{
	return s->resting || (s->in.len > 0 && session_unsent(s) >= SESSION_UNSENT_HIGH);
}

void
session_pump(struct session *s)
{
	if (s->pumping || s->closing)
		return;
	if (s->resting) {
		session_steer_reading(s);
		return;
	}
	session_take_turn(s);
	if (s->closing) {
		session_maybe_free(s);
		return;
	}
	if (s->in_off > 0) {
		buf_consume(&s->in, s->in_off);
		s->in_off = 0;
		if (s->in.len == 0 && s->in.cap > SESSION_KEEP)
			buf_clear(&s->in);
	}
	/* Waiting for a body that there is room for: the client's turn, with a deadline. */
	if (s->state == SESSION_CALL && !s->request_done && s->ops != NULL && s->has_body) {
		if (s->ops->room(s->ctx) == 0)
			s->deadline_ms = 0;
		else if (s->deadline_ms == 0)
			s->deadline_ms = session_now(s) + s->idle_ms;
	}
	if (s->resting)
		later_add(&s->b->later, &s->work);
	if (s->half_closed && !session_waits(s) &&
	    (s->state == SESSION_HEAD || s->state == SESSION_DISCARD)) {
		session_linger(s);
		later_add(&s->b->later, &s->work);
	}
	session_steer_reading(s);
}

static void
session_on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *out)
{
	struct session *s = handle->data;
	uint8_t *p = NULL;
	size_t want = s->in.len == 0 && s->state == SESSION_HEAD ? SESSION_READ_HEAD : SESSION_READ;

	(void)suggested;
	if (buf_reserve(&s->in, want, &p) == AV_OK)
		*out = uv_buf_init((char *)p, (unsigned)want);
	else
		*out = uv_buf_init(NULL, 0);
}

/* On a unix socket a peer that only stopped sending still shows no POLLHUP. */
static bool
session_peer_is_gone(struct session *s)
{
	uv_os_fd_t fd = -1;
	struct pollfd p = {0};

	if (uv_fileno((uv_handle_t *)&s->pipe, &fd) != 0)
		return true;
	p.fd = fd;
	return poll(&p, 1, 0) > 0 && (p.revents & (POLLHUP | POLLERR)) != 0;
}

static void
session_on_eof(struct session *s)
{
	s->reading = false;
	s->half_closed = true;
	uv_read_stop((uv_stream_t *)&s->pipe);
	/* What came before the end may hold whole requests still. */
	session_pump(s);
	if (s->closing)
		return;
	if (session_peer_is_gone(s) || (s->state == SESSION_CALL && !s->request_done))
		session_close(s);
}

static void
session_on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *b)
{
	struct session *s = stream->data;
	struct later *later = &s->b->later;

	(void)b;
	if (n == 0)
		return;
	if (n == UV_EOF) {
		session_on_eof(s);
		return;
	}
	if (n < 0) {
		session_close(s);
		return;
	}
	buf_commit(&s->in, (size_t)n);
	session_pump(s);
	later_turn(later);
}
