/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/session.h"

#include "base/clock.h"
#include "base/io.h"
#include "base/log.h"
#include "broker/listener.h"
#include "broker/random_id.h"
#include "broker/routes.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>

#define SESSION_READ (64u * 1024u)
#define SESSION_IN_HIGH (64u * 1024u)              /* unparsed bytes above which we stop reading */
#define SESSION_IN_MAX (SESSION_IN_HIGH + SESSION_READ)
#define SESSION_OUT_MAX (8u * 1024u * 1024u)       /* capability lists; streams stop far below */
#define SESSION_KEEP (64u * 1024u)
#define SESSION_HEAD_MS 60000u                     /* a head must be whole by then */
#define SESSION_LINGER_MS 5000u                    /* to take the last answer */
#define SESSION_DISCARD_MAX (16u * 1024u * 1024u)  /* of a body that nobody wants */

enum session_state {
	SESSION_HEAD,    /* waits for a request, or reads its head */
	SESSION_CALL,    /* a handler has the exchange */
	SESSION_DISCARD, /* answered; the rest of the request is dropped */
	SESSION_LINGER,  /* the last answer is on its way out, then close */
};

struct session {
	uv_pipe_t pipe;
	uv_write_t write;
	uv_shutdown_t shutdown;
	struct later_item work; /* pump and flush */
	struct listener_node node;
	struct broker *b;
	struct caller caller;
	struct message *msg;
	const struct exchange_ops *ops;
	void *ctx;
	enum session_state state;
	char request_id[REQUEST_ID_LEN + 1];

	struct buf in;
	size_t in_off;
	struct buf out;
	struct buf flying;
	uint64_t discarded;
	uint64_t deadline_ms;  /* 0 = none */
	uint64_t progress_ms;  /* of writing */
	uint32_t idle_ms;      /* as it was when the request began */

	bool closing;      /* uv_close was called */
	bool closed;       /* and has ended */
	bool reading;
	bool request_done; /* the request is whole */
	bool is_head;      /* the method is HEAD */
	bool has_body;
	bool expects;      /* waits for 100 Continue */
	bool http10;
	bool half_closed;  /* the client sends no more, but reads */
	bool close_after;
	bool begun;        /* a streamed answer's head is out */
	bool chunked;
	bool no_body;
	bool was_high;
	bool pumping;
};

/* ---- life ------------------------------------------------------------------------------------ */

static void
session_maybe_free(struct session *s)
{
	if (!s->closed || s->ops != NULL || s->pumping)
		return;
	later_cancel(&s->b->later, &s->work);
	message_free(s->msg);
	buf_clear(&s->in);
	buf_clear(&s->out);
	buf_clear(&s->flying);
	free(s);
}

static void
session_on_closed(uv_handle_t *handle)
{
	struct session *s = handle->data;

	s->closed = true;
	session_maybe_free(s);
}

/* Closes the connection; a handler that still has the exchange is told. */
static void
session_close(struct session *s)
{
	if (s->closing)
		return;
	s->closing = true;
	listener_remove(s->b->listener, &s->node);
	uv_close((uv_handle_t *)&s->pipe, session_on_closed);
	if (s->ops != NULL)
		s->ops->gone(s->ctx);
}

static uint64_t
session_now(const struct session *s)
{
	return uv_now(&s->b->loop);
}

/* ---- writing --------------------------------------------------------------------------------- */

size_t
session_unsent(const struct session *s)
{
	return s->out.len + s->flying.len;
}

static void session_flush(struct session *s);

static void
session_wrote(struct session *s)
{
	s->progress_ms = session_now(s);
	if (s->was_high && session_unsent(s) < SESSION_UNSENT_LOW) {
		s->was_high = false;
		if (s->ops != NULL)
			s->ops->drained(s->ctx);
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

static void
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
static void
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
	if (s->out.len >= SESSION_UNSENT_LOW)
		session_flush(s);
	if (!s->closing)
		later_add(&s->b->later, &s->work);
}

/* ---- the end of an exchange ------------------------------------------------------------------- */

static bool
session_stays_open(const struct session *s)
{
	/* A client that sends no more still gets answers to what it has sent. */
	bool more = !s->half_closed || s->in.len > s->in_off;

	return !s->close_after && !s->b->stopping && more;
}

static void
session_next_request(struct session *s)
{
	message_reset(s->msg, false);
	s->state = SESSION_HEAD;
	s->begun = false;
	s->deadline_ms = session_now(s) + s->idle_ms;
}

static void
session_linger(struct session *s)
{
	s->state = SESSION_LINGER;
	s->deadline_ms = session_now(s) + s->idle_ms;
}

/* The answer is complete (in `out`). */
static void
session_finish(struct session *s)
{
	s->ops = NULL;
	s->ctx = NULL;
	if (s->closing) {
		session_maybe_free(s);
		return;
	}
	if (!s->request_done && !s->half_closed && !s->expects) {
		s->state = SESSION_DISCARD;
		s->discarded = 0;
		s->deadline_ms = session_now(s) + SESSION_HEAD_MS;
	} else if (session_stays_open(s)) {
		session_next_request(s);
	} else {
		session_linger(s);
	}
	later_add(&s->b->later, &s->work);
}

void
session_take(struct session *s, const struct exchange_ops *ops, void *ctx)
{
	s->ops = ops;
	s->ctx = ctx;
}

void
session_wake(struct session *s)
{
	if (!s->closing)
		later_add(&s->b->later, &s->work);
}

void
session_end(struct session *s)
{
	if (!s->closing && s->begun && s->chunked && !s->no_body)
		(void)buf_append_str(&s->out, "0\r\n\r\n");
	session_queue(s);
	session_finish(s);
}

void
session_cut(struct session *s)
{
	s->ops = NULL;
	s->ctx = NULL;
	if (!s->closing) {
		session_flush(s);
		if (!s->closing)
			session_linger(s);
		later_add(&s->b->later, &s->work);
	} else {
		session_maybe_free(s);
	}
}

/* ---- answers --------------------------------------------------------------------------------- */

static void
session_put_connection(struct session *s)
{
	if (!session_stays_open(s))
		reply_header(&s->out, "Connection", STR_LIT("close"));
	else if (s->http10)
		reply_header(&s->out, "Connection", STR_LIT("keep-alive"));
	reply_header(&s->out, "Aivault-Request-Id",
	    (struct str){s->request_id, REQUEST_ID_LEN});
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
	if (s->chunked)
		(void)buf_append_str(&s->out, "Transfer-Encoding: chunked\r\n");
	else if (length != UINT64_MAX)
		(void)buf_appendf(&s->out, "Content-Length: %llu\r\n", (unsigned long long)length);
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
	if (f->err == AV_ERATE || retry_after > 0)
		(void)buf_appendf(&head, "Retry-After: %u\r\n", retry_after > 0 ? retry_after : 1);
	reply_problem_body(&body, f, s->request_id);
	session_whole(s, &head, (struct str){(const char *)body.data, body.len});
	buf_clear(&head);
	buf_clear(&body);
}

/* ---- reading --------------------------------------------------------------------------------- */

struct broker *
session_broker(struct session *s)
{
	return s->b;
}

const struct caller *
session_caller(const struct session *s)
{
	return &s->caller;
}

struct message *
session_message(struct session *s)
{
	return s->msg;
}

const char *
session_request_id(const struct session *s)
{
	return s->request_id;
}

bool
session_has_body(const struct session *s)
{
	return s->has_body;
}

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
	const struct header *expect =
	    header_list_find(message_headers(s->msg), STR_LIT("expect"));
	uint64_t length = 0;
	struct fault f;

	s->state = SESSION_CALL;
	s->deadline_ms = 0;
	s->progress_ms = session_now(s);
	s->request_done = false;
	s->begun = false;
	s->close_after = !message_keep_alive(s->msg);
	s->http10 = message_minor_version(s->msg) == 0;
	s->is_head = str_eq_cstr(message_method(s->msg), "HEAD");
	s->has_body = message_is_chunked(s->msg) ||
	    (message_content_length(s->msg, &length) && length > 0);
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
		return *len > 0;
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

static void
session_steer_reading(struct session *s)
{
	bool want = !s->half_closed && s->in.len < SESSION_IN_HIGH;

	if (want && !s->reading) {
		if (uv_read_start((uv_stream_t *)&s->pipe, session_on_alloc, session_on_read) != 0) {
			session_close(s);
			return;
		}
	} else if (!want && s->reading) {
		uv_read_stop((uv_stream_t *)&s->pipe);
	}
	s->reading = want;
}

static void
session_pump(struct session *s)
{
	if (s->pumping || s->closing)
		return;
	s->pumping = true;
	while (!s->closing && session_step(s))
		continue;
	s->pumping = false;
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
	if (s->half_closed && (s->state == SESSION_HEAD || s->state == SESSION_DISCARD)) {
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
	size_t want = s->in.len == 0 && s->state == SESSION_HEAD ? 16384u : SESSION_READ;

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

static void
session_run_work(struct later_item *item)
{
	struct session *s = (struct session *)((char *)item - offsetof(struct session, work));

	if (s->closing)
		return;
	/* Output first: the order in which things were answered. */
	session_flush(s);
	session_pump(s);
	if (s->closing)
		return;
	session_flush(s);
	if (!s->closing && s->state == SESSION_LINGER && session_unsent(s) == 0)
		session_close(s);
}

void
session_tick(struct session *s, uint64_t now_ms)
{
	bool stalled = session_unsent(s) > 0 && now_ms > s->progress_ms + s->idle_ms;

	if (stalled || (s->deadline_ms != 0 && now_ms > s->deadline_ms)) {
		if (s->state == SESSION_HEAD && s->in.len == 0 && session_unsent(s) == 0)
			log_debug("a silent connection of uid %u was closed", s->caller.uid);
		session_close(s);
	}
}

void
session_stop(struct session *s)
{
	if (s->state == SESSION_HEAD && s->in.len == 0 && session_unsent(s) == 0)
		session_close(s);
	else if (s->state == SESSION_HEAD)
		s->deadline_ms = session_now(s) + SESSION_LINGER_MS;
}

void
session_drop(struct session *s)
{
	session_close(s);
}

enum av_err
session_open(struct broker *b, int fd, const struct caller *c)
{
	struct session *s = calloc(1, sizeof(*s));
	enum av_err e = AV_ENOMEM;

	if (s == NULL)
		goto out;
	s->b = b;
	s->caller = *c;
	s->work.run = session_run_work;
	s->state = SESSION_HEAD;
	s->progress_ms = uv_now(&b->loop);
	s->idle_ms = b->opt.idle_ms;
	s->deadline_ms = s->progress_ms + s->idle_ms;
	buf_init(&s->in, SESSION_IN_MAX);
	buf_init(&s->out, SESSION_OUT_MAX);
	buf_init(&s->flying, SESSION_OUT_MAX);
	e = message_new(MESSAGE_REQUEST, false, &s->msg);
	if (e != AV_OK)
		goto out;
	e = AV_ESYS;
	if (uv_pipe_init(&b->loop, &s->pipe, 0) != 0)
		goto out;
	s->pipe.data = s;
	s->node.session = s;
	s->node.uid = c->uid;
	listener_add(b->listener, &s->node);
	if (uv_pipe_open(&s->pipe, fd) != 0) {
		io_close(&fd);
		session_close(s);
		return AV_ESYS;
	}
	session_steer_reading(s);
	return AV_OK;
out:
	if (s != NULL) {
		message_free(s->msg);
		free(s);
	}
	io_close(&fd);
	return e;
}
