/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/upstream.h"

#include "base/log.h"
#include "broker/transfer.h"
#include "broker/wiping_alloc.h"

#include <stdlib.h>
#include <string.h>

#define UPSTREAM_KEPT_CONNECTIONS 256L

static void upstream_reap(struct upstream *u);

/* ---- libcurl's sockets and timer on the loop --------------------------------------------------- */

static void
upstream_act(struct upstream *u, curl_socket_t fd, int flags)
{
	int running = 0;

	u->depth++;
	(void)curl_multi_socket_action(u->multi, fd, flags, &running);
	u->depth--;
	upstream_reap(u);
	later_turn(&u->b->later);
}

static void
upstream_on_ready(void *ctx, int fd, int status, int events)
{
	int flags = status < 0 ? CURL_CSELECT_ERR : 0;

	if (events & UV_READABLE)
		flags |= CURL_CSELECT_IN;
	if (events & UV_WRITABLE)
		flags |= CURL_CSELECT_OUT;
	upstream_act(ctx, fd, flags);
}

static int
upstream_on_socket(CURL *easy, curl_socket_t fd, int what, void *ctx, void *socket_ctx)
{
	struct upstream *u = ctx;
	int events = 0;

	(void)easy;
	(void)socket_ctx;
	if (fd < 0)
		return -1;
	if (what != CURL_POLL_REMOVE && (what & CURL_POLL_IN) != 0)
		events |= UV_READABLE;
	if (what != CURL_POLL_REMOVE && (what & CURL_POLL_OUT) != 0)
		events |= UV_WRITABLE;
	return sockets_want(&u->sockets, fd, events) == AV_OK ? 0 : -1;
}

static void
upstream_on_timer(uv_timer_t *timer)
{
	upstream_act(timer->data, CURL_SOCKET_TIMEOUT, 0);
}

static void
upstream_run_due(struct later_item *item)
{
	struct upstream *u = (struct upstream *)((char *)item - offsetof(struct upstream, due));

	upstream_act(u, CURL_SOCKET_TIMEOUT, 0);
}

static int
upstream_on_timeout(CURLM *multi, long ms, void *ctx)
{
	struct upstream *u = ctx;

	(void)multi;
	if (ms <= 0)
		uv_timer_stop(u->timer);
	if (ms == 0)
		later_add(&u->b->later, &u->due);
	else if (ms > 0)
		uv_timer_start(u->timer, upstream_on_timer, (uint64_t)ms, 0);
	return 0;
}

/* ---- transfers: their end ---------------------------------------------------------------------- */

static void
transfer_on_closed(uv_handle_t *handle)
{
	free(handle->data);
}

static void
upstream_keep(struct upstream *u, CURL *easy)
{
	if (easy == NULL)
		return;
	if (u->pool_count < UPSTREAM_POOL) {
		/* Drops (and so wipes) every copied option now, not at the next use. */
		curl_easy_reset(easy);
		u->pool[u->pool_count++] = easy;
	} else {
		curl_easy_cleanup(easy);
	}
}

static void
transfer_destroy(struct transfer *t)
{
	struct upstream *u = t->u;

	if (t->added)
		(void)curl_multi_remove_handle(u->multi, t->easy);
	t->added = false;
	if (t->opened)
		kept_forget(&u->open, t);
	upstream_keep(u, t->easy);
	t->easy = NULL;
	curl_slist_free_all(t->lines);
	t->lines = NULL;
	header_list_clear(&t->headers);
	later_cancel(&u->b->later, &t->work);
	*t->link = t->next;
	if (t->next != NULL)
		t->next->link = t->link;
	uv_close((uv_handle_t *)&t->timer, transfer_on_closed);
}

static void
transfer_finish(struct transfer *t, CURLcode rc)
{
	const struct upstream_ops *ops = t->ops;
	void *ctx = t->ctx;
	struct upstream_result r;

	transfer_result(t, rc, &r);
	t->ops = NULL;
	transfer_destroy(t);
	if (ops != NULL)
		ops->done(ctx, &r);
}

static void
upstream_reap(struct upstream *u)
{
	CURLMsg *m;
	int left = 0;

	if (u->depth > 0)
		return;
	while ((m = curl_multi_info_read(u->multi, &left)) != NULL) {
		struct transfer *t = NULL;
		CURLcode rc = m->data.result;

		if (m->msg != CURLMSG_DONE)
			continue;
		(void)curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, (char **)&t);
		if (t != NULL)
			transfer_finish(t, rc);
	}
}

/* ---- transfers: deadlines, pauses -------------------------------------------------------------- */

/* How long the upstream may be silent now. */
static uint64_t
transfer_silence(const struct transfer *t)
{
	return t->head_seen ? t->idle_ms : t->first_byte_ms;
}

static void transfer_on_timer(uv_timer_t *timer);

void
transfer_arm(struct transfer *t)
{
	uint64_t now = uv_now(&t->u->b->loop);
	uint64_t next = t->progress_ms + transfer_silence(t);

	if (t->end_ms != 0 && t->end_ms < next)
		next = t->end_ms;
	(void)uv_timer_start(&t->timer, transfer_on_timer, next > now ? next - now : 0, 0);
}

static void
transfer_on_timer(uv_timer_t *timer)
{
	struct transfer *t = timer->data;
	uint64_t now = uv_now(&t->u->b->loop);

	/* While we wait for the client it is the client's clock that runs (session.c). */
	if (t->recv_paused || t->send_paused)
		t->progress_ms = now;
	if (t->end_ms != 0 && now >= t->end_ms) {
		t->why = AV_ETIMEOUT;
		t->reason = "timeout";
		transfer_finish(t, CURLE_OPERATION_TIMEDOUT);
		return;
	}
	if (now >= t->progress_ms + transfer_silence(t)) {
		t->why = AV_ETIMEOUT;
		t->reason = t->head_seen ? "upstream_idle" : "upstream_first_byte";
		transfer_finish(t, CURLE_OPERATION_TIMEDOUT);
		return;
	}
	transfer_arm(t);
}

static void
transfer_run_work(struct later_item *item)
{
	struct transfer *t =
	    (struct transfer *)((char *)item - offsetof(struct transfer, work));
	struct upstream *u = t->u;
	bool recv = t->wake_recv && t->recv_paused;
	bool send = t->wake_send && t->send_paused;

	if (t->ops == NULL) {
		transfer_destroy(t);
		return;
	}
	t->wake_recv = false;
	t->wake_send = false;
	if (!recv && !send)
		return;
	if (recv)
		t->recv_paused = false;
	if (send)
		t->send_paused = false;
	t->progress_ms = uv_now(&u->b->loop);
	u->depth++;
	(void)curl_easy_pause(t->easy, (t->recv_paused ? CURLPAUSE_RECV : CURLPAUSE_RECV_CONT) |
	    (t->send_paused ? CURLPAUSE_SEND : CURLPAUSE_SEND_CONT));
	u->depth--;
	upstream_reap(u);
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

void
transfer_cancel(struct transfer *t)
{
	t->ops = NULL;
	if (t->u->depth > 0)
		later_add(&t->u->b->later, &t->work);
	else
		transfer_destroy(t);
}

/* ---- transfers: their start -------------------------------------------------------------------- */

static enum av_err
transfer_new(struct upstream *u, const struct upstream_ops *ops, void *ctx,
    struct transfer **out)
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
	header_list_init(&t->headers);
	t->next = u->live;
	t->link = &u->live;
	if (u->live != NULL)
		u->live->link = &t->next;
	u->live = t;
	t->easy = u->pool_count > 0 ? u->pool[--u->pool_count] : curl_easy_init();
	if (t->easy == NULL) {
		transfer_destroy(t);
		return AV_ENOMEM;
	}
	*out = t;
	return AV_OK;
}

enum av_err
transfer_start(struct upstream *u, const struct upstream_request *rq,
    const struct upstream_ops *ops, void *ctx, struct transfer **out, struct fault *f)
{
	struct transfer *t = NULL;
	enum av_err e = transfer_new(u, ops, ctx, &t);

	if (e != AV_OK)
		return fault_set(f, e, "out_of_memory", "", "The transfer could not be set up.");
	e = transfer_configure(t, rq, f);
	if (e == AV_OK && curl_multi_add_handle(u->multi, t->easy) != CURLM_OK)
		e = fault_set(f, AV_ENOMEM, "out_of_memory", "", "The transfer could not be added.");
	if (e != AV_OK) {
		transfer_destroy(t);
		return e;
	}
	t->added = true;
	t->progress_ms = uv_now(&u->b->loop);
	if (rq->timeout_ms != 0)
		t->end_ms = t->progress_ms + rq->timeout_ms;
	transfer_arm(t);
	*out = t;
	return AV_OK;
}

/* ---- life -------------------------------------------------------------------------------------- */

static void
upstream_set_up(struct upstream *u)
{
	(void)curl_multi_setopt(u->multi, CURLMOPT_SOCKETFUNCTION, upstream_on_socket);
	(void)curl_multi_setopt(u->multi, CURLMOPT_SOCKETDATA, u);
	(void)curl_multi_setopt(u->multi, CURLMOPT_TIMERFUNCTION, upstream_on_timeout);
	(void)curl_multi_setopt(u->multi, CURLMOPT_TIMERDATA, u);
	(void)curl_multi_setopt(u->multi, CURLMOPT_PIPELINING, (long)CURLPIPE_NOTHING);
	(void)curl_multi_setopt(u->multi, CURLMOPT_MAXCONNECTS, UPSTREAM_KEPT_CONNECTIONS);
}

enum av_err
upstream_new(struct broker *b, const char *ca_path, struct upstream **out)
{
	struct upstream *u;
	enum av_err e;

	if (curl_global_init_mem(CURL_GLOBAL_DEFAULT, wiping_malloc, wiping_free, wiping_realloc,
	        wiping_strdup, wiping_calloc) != CURLE_OK)
		return AV_ESYS;
	u = calloc(1, sizeof(*u));
	if (u == NULL)
		return AV_ENOMEM;
	u->b = b;
	u->ca_path = ca_path;
	u->due.run = upstream_run_due;
	sockets_init(&u->sockets, &b->loop, upstream_on_ready, u);
	e = upstream_dev_init(&u->dev);
	u->timer = calloc(1, sizeof(*u->timer));
	u->multi = curl_multi_init();
	u->share = curl_share_init();
	if (e == AV_OK && (u->timer == NULL || u->multi == NULL || u->share == NULL))
		e = AV_ENOMEM;
	if (e == AV_OK && uv_timer_init(&b->loop, u->timer) != 0) {
		free(u->timer);
		u->timer = NULL;
		e = AV_ESYS;
	}
	if (e != AV_OK) {
		upstream_free(u);
		return e;
	}
	u->timer->data = u;
	(void)curl_share_setopt(u->share, CURLSHOPT_SHARE, CURL_LOCK_DATA_SSL_SESSION);
	upstream_set_up(u);
	*out = u;
	return AV_OK;
}

/* On it while it is being made, and from then on by its port. */
static bool
transfer_is_on(void *ctx, const void *opener, uint16_t port)
{
	const struct upstream *u = ctx;
	const struct transfer *t;

	for (t = u->live; t != NULL; t = t->next) {
		if (t->asked ? port != 0 && t->port == port : t == opener)
			return true;
	}
	return false;
}

/* libcurl closes kept connections only with the handle that keeps them, and transfers with it: while
 * some run, the sockets of the others are shut down, and theirs are not kept when they end. */
void
upstream_drop_kept(struct upstream *u)
{
	struct transfer *t;
	CURLM *fresh;

	if (u->depth > 0 || u->live != NULL) {
		kept_drop(&u->open, transfer_is_on, u);
		for (t = u->live; t != NULL; t = t->next)
			(void)curl_easy_setopt(t->easy, CURLOPT_FORBID_REUSE, 1L);
		return;
	}
	fresh = curl_multi_init();
	if (fresh == NULL)
		return;
	u->depth++;
	(void)curl_multi_cleanup(u->multi);
	u->depth--;
	(void)uv_timer_stop(u->timer);
	later_cancel(&u->b->later, &u->due);
	u->multi = fresh;
	upstream_set_up(u);
}

static void
upstream_on_timer_closed(uv_handle_t *handle)
{
	free(handle);
}

void
upstream_free(struct upstream *u)
{
	if (u == NULL)
		return;
	while (u->live != NULL)
		transfer_destroy(u->live);
	while (u->pool_count > 0)
		curl_easy_cleanup(u->pool[--u->pool_count]);
	if (u->multi != NULL)
		(void)curl_multi_cleanup(u->multi);
	if (u->share != NULL)
		(void)curl_share_cleanup(u->share);
	sockets_clear(&u->sockets);
	kept_clear(&u->open);
	later_cancel(&u->b->later, &u->due);
	if (u->timer != NULL)
		uv_close((uv_handle_t *)u->timer, upstream_on_timer_closed);
	upstream_dev_clear(&u->dev);
	free(u);
}
