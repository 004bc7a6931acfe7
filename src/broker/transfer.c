/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/upstream_state.h"

#include <stdlib.h>
#include <string.h>

static void transfer_on_timer(uv_timer_t *timer);

/* ---- clocks ------------------------------------------------------------------------------------- */

void
transfer_note_progress(struct transfer *t)
{
	t->progress_ms = uv_now(&t->u->b->loop);
}

/* How long the upstream may be silent now. */
static uint64_t
transfer_silence(const struct transfer *t)
{
	return t->head_seen ? t->idle_ms : t->first_byte_ms;
}

void
transfer_arm(struct transfer *t)
{
	uint64_t now = uv_now(&t->u->b->loop);
	uint64_t next = t->progress_ms + transfer_silence(t);

	if (t->end_ms != 0 && t->end_ms < next)
		next = t->end_ms;
	/* One that rings before is set anew by then. */
	if (uv_is_active((const uv_handle_t *)&t->timer) && t->rings_ms <= next)
		return;
	t->rings_ms = next;
	(void)uv_timer_start(&t->timer, transfer_on_timer, next > now ? next - now : 0, 0);
}

/* ---- its end ------------------------------------------------------------------------------------ */

void
transfer_succeed(struct transfer *t, bool reusable)
{
	if (t->over)
		return;
	t->over = true;
	t->reusable = reusable;
	t->fault = (struct fault){.err = AV_OK};
}

/* We send nothing twice; whoever wants to has to know what it may mean. */
static const char *
transfer_remedy(const struct transfer *t, const char *reason)
{
	if ((strncmp(reason, "upstream_", 9) != 0 && strcmp(reason, "timeout") != 0) ||
	    t->head_seen)
		return "";
	return t->sent_any ? "The upstream may have acted on it: look before you send it again."
	                   : "Nothing was sent: try again.";
}

void
transfer_fail(struct transfer *t, enum av_err err, const char *reason, const char *text)
{
	if (t->over)
		return;
	t->over = true;
	(void)fault_set(
	    &t->fault, err, reason, transfer_remedy(t, reason), "The upstream failed: %s.", text);
}

static void
transfer_on_closed(uv_handle_t *handle)
{
	free(handle->data);
}

static void
transfer_let_go(struct transfer *t)
{
	struct connection *c = t->connection;

	t->connection = NULL;
	if (c == NULL)
		return;
	/* One that is still being made has carried nothing: the next call may have it. */
	if ((t->reusable || !connection_stands(c)) && !connection_is_outdated(c))
		kept_put(&t->u->kept, c);
	else
		connection_close(c);
}

static void
transfer_destroy(struct transfer *t)
{
	transfer_let_go(t);
	message_free(t->answer);
	decoder_free(t->decoder);
	buf_clear(&t->out);
	buf_clear(&t->rest);
	later_cancel(&t->u->b->later, &t->work);
	*t->link = t->next;
	if (t->next != NULL)
		t->next->link = t->link;
	uv_close((uv_handle_t *)&t->timer, transfer_on_closed);
}

static void
transfer_finish(struct transfer *t)
{
	const struct upstream_ops *ops = t->ops;
	void *ctx = t->ctx;
	struct upstream_result r = {.fault = t->fault, .head_seen = t->head_seen, .sent = t->sent};

	transfer_destroy(t);
	ops->done(ctx, &r);
}

/* What the connection is to tell of. */
static void
transfer_settle_events(struct transfer *t)
{
	int events =
	    (t->recv_paused ? 0 : UV_READABLE) | (transfer_out_is_blocked(t) ? UV_WRITABLE : 0);

	if (!t->over && connection_stands(t->connection) &&
	    connection_want(t->connection, events) != AV_OK)
		transfer_fail(t, AV_ENOMEM, "out_of_memory", "memory ran out");
}

/* The end of each way in: here a transfer goes, and nowhere below. */
static void
transfer_leave(struct transfer *t)
{
	t->busy = false;
	if (t->ops == NULL) {
		transfer_destroy(t);
		return;
	}
	transfer_settle_events(t);
	if (t->over)
		transfer_finish(t);
}

void
transfer_cancel(struct transfer *t)
{
	t->ops = NULL;
	if (!t->busy)
		transfer_destroy(t);
}

static void
transfer_on_timer(uv_timer_t *timer)
{
	struct transfer *t = timer->data;
	uint64_t now = uv_now(&t->u->b->loop);

	/* While we wait for the client it is the client's clock that runs (session.c). */
	if (t->recv_paused || t->send_paused)
		t->progress_ms = now;
	if (t->end_ms != 0 && now >= t->end_ms)
		transfer_fail(t, AV_ETIMEOUT, "timeout", "the call's own time limit was reached");
	else if (now >= t->progress_ms + transfer_silence(t) && t->head_seen)
		transfer_fail(t, AV_ETIMEOUT, "upstream_idle", "it sent nothing for too long");
	else if (now >= t->progress_ms + transfer_silence(t))
		transfer_fail(
		    t, AV_ETIMEOUT, "upstream_first_byte", "it did not begin to answer in time");
	if (t->over)
		transfer_finish(t);
	else
		transfer_arm(t);
}

/* ---- the connection's word ---------------------------------------------------------------------- */

static void
transfer_on_opened(void *ctx, struct connection *c, const struct fault *why)
{
	struct transfer *t = ctx;

	t->busy = true;
	if (why != NULL) {
		connection_close(c);
		t->connection = NULL;
		t->over = true;
		t->fault = *why;
	} else {
		transfer_out_go_on(t);
	}
	transfer_leave(t);
}

static void
transfer_on_ready(void *ctx, struct connection *c, int events)
{
	struct transfer *t = ctx;

	(void)c;
	t->busy = true;
	if ((events & UV_WRITABLE) && transfer_out_is_blocked(t))
		transfer_out_go_on(t);
	if ((events & UV_READABLE) && !t->recv_paused)
		transfer_in_go_on(t);
	transfer_leave(t);
}

static const struct connection_ops transfer_connection = {
    .opened = transfer_on_opened,
    .ready = transfer_on_ready,
};

/* ---- the call's word ---------------------------------------------------------------------------- */

static void
transfer_run_work(struct later_item *item)
{
	struct transfer *t = (struct transfer *)((char *)item - offsetof(struct transfer, work));
	bool recv = t->wake_recv && t->recv_paused;
	bool send = t->wake_send && t->send_paused;
	bool read_on = t->read_on && !t->recv_paused;

	t->wake_recv = false;
	t->wake_send = false;
	t->read_on = false;
	if (!recv && !send && !read_on)
		return;
	t->busy = true;
	transfer_note_progress(t);
	if (recv) {
		t->recv_paused = false;
		transfer_in_resume(t);
	}
	if (read_on)
		transfer_in_go_on(t);
	if (send) {
		t->send_paused = false;
		transfer_out_go_on(t);
	}
	transfer_leave(t);
}

void
transfer_read_later(struct transfer *t)
{
	t->read_on = true;
	later_add(&t->u->b->later, &t->work);
}

void
transfer_wake_send(struct transfer *t)
{
	if (!t->send_paused)
		return;
	t->wake_send = true;
	later_add(&t->u->b->later, &t->work);
}

void
transfer_wake_recv(struct transfer *t)
{
	if (!t->recv_paused)
		return;
	t->wake_recv = true;
	later_add(&t->u->b->later, &t->work);
}

/* ---- its start ---------------------------------------------------------------------------------- */

static enum av_err
transfer_new(struct upstream *u, const struct upstream_request *rq, const struct upstream_ops *ops,
    void *ctx, struct transfer **out)
{
	struct transfer *t = calloc(1, sizeof(*t));

	if (t == NULL)
		return AV_ENOMEM;
	if (uv_timer_init(&u->b->loop, &t->timer) != 0) {
		free(t);
		return AV_ESYS;
	}
	t->u = u;
	t->ops = ops;
	t->ctx = ctx;
	t->timer.data = t;
	t->work.run = transfer_run_work;
	t->first_byte_ms = u->b->opt.first_byte_ms;
	t->idle_ms = u->b->opt.idle_ms;
	buf_init(&t->out, TRANSFER_OUT_MAX);
	buf_init(&t->rest, CONNECTION_READ_MAX);
	t->next = u->live;
	t->link = &u->live;
	if (u->live != NULL)
		u->live->link = &t->next;
	u->live = t;
	*out = t;
	t->is_head = strcmp(rq->method, "HEAD") == 0;
	return message_new(MESSAGE_RESPONSE, t->is_head, &t->answer);
}

static enum av_err
transfer_begin(struct transfer *t, const struct upstream_request *rq, struct fault *f)
{
	enum av_err e = transfer_out_begin(t, rq, f);

	if (e != AV_OK)
		return e;
	t->connection = kept_take(&t->u->kept, str_of(rq->host));
	if (t->connection == NULL)
		return connection_open(t->u, rq->host, &transfer_connection, t, &t->connection, f);
	connection_give(t->connection, &transfer_connection, t);
	t->busy = true;
	transfer_out_go_on(t);
	t->busy = false;
	transfer_settle_events(t);
	*f = t->fault;
	return t->fault.err;
}

enum av_err
transfer_start(struct upstream *u, const struct upstream_request *rq,
    const struct upstream_ops *ops, void *ctx, struct transfer **out, struct fault *f)
{
	struct transfer *t = NULL;
	enum av_err e = transfer_new(u, rq, ops, ctx, &t);

	if (e == AV_OK)
		e = transfer_begin(t, rq, f);
	else
		(void)fault_set(f, e, "out_of_memory", "", "The transfer could not be set up.");
	if (e != AV_OK) {
		if (t != NULL)
			transfer_destroy(t);
		return e;
	}
	transfer_note_progress(t);
	if (rq->timeout_ms != 0)
		t->end_ms = t->progress_ms + rq->timeout_ms;
	transfer_arm(t);
	*out = t;
	return AV_OK;
}
