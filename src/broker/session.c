/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/session.h"

#include "base/io.h"
#include "base/log.h"
#include "broker/session_state.h"

#include <stdlib.h>

#define SESSION_LINGER_MS 5000u /* to take the last answer */

/* ---- life ------------------------------------------------------------------------------------ */

void
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
void
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

uint64_t
session_now(const struct session *s)
{
	return uv_now(&s->b->loop);
}

/* ---- the end of an exchange ------------------------------------------------------------------- */

bool
session_stays_open(const struct session *s)
{
	/* A client that sends no more still gets answers to what it has sent. */
	bool more = !s->half_closed || s->in.len > s->in_off;

	return !s->close_after && !s->b->stopping && more;
}

void
session_next_request(struct session *s)
{
	message_reset(s->msg, false);
	s->state = SESSION_HEAD;
	s->begun = false;
	s->deadline_ms = session_now(s) + s->idle_ms;
}

void
session_linger(struct session *s)
{
	s->state = SESSION_LINGER;
	s->deadline_ms = session_now(s) + s->idle_ms;
}

/* The handler has said all, and what it had may be gone: from here on a client that turns out to be
 * lost while it is written to is nobody's matter. */
void
session_release_handler(struct session *s)
{
	s->ops = NULL;
	s->ctx = NULL;
}

/* Bytes of a request that was answered early must never be taken for the next one. */
static bool
session_has_rest(const struct session *s)
{
	bool more = !s->half_closed || s->in.len > s->in_off;

	return !s->request_done && !s->expects && more;
}

/* The answer is complete (in `out`). */
static void
session_finish(struct session *s)
{
	if (s->closing) {
		session_maybe_free(s);
		return;
	}
	if (session_has_rest(s)) {
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
	session_release_handler(s);
	if (!s->closing && s->begun && s->chunked && !s->no_body)
		(void)buf_append_str(&s->out, "0\r\n\r\n");
	session_queue(s);
	session_finish(s);
}

void
session_cut(struct session *s)
{
	session_release_handler(s);
	if (!s->closing) {
		session_flush(s);
		if (!s->closing)
			session_linger(s);
		later_add(&s->b->later, &s->work);
	} else {
		session_maybe_free(s);
	}
}

/* ---- what a handler may ask -------------------------------------------------------------------- */

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

/* ---- the loop's side --------------------------------------------------------------------------- */

static void
session_run_work(struct later_item *item)
{
	struct session *s = (struct session *)((char *)item - offsetof(struct session, work));

	if (s->closing)
		return;
	/* Output first: the order in which things were answered. */
	session_flush(s);
	s->resting = false;
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
