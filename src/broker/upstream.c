/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/tls_memory.h"
#include "broker/upstream_state.h"

#include <stdlib.h>

static void upstream_reap(struct upstream *u);

/* ---- libcurl's sockets and timer on the loop --------------------------------------------------- */

static void
upstream_act(struct upstream *u, curl_socket_t fd, int flags)
{
	int running = 0;

	(void)curl_multi_socket_action(u->multi, fd, flags, &running);
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

/* To libcurl a connection is done when it stands. */
static void
upstream_reap(struct upstream *u)
{
	CURLMsg *m;
	int left = 0;

	while ((m = curl_multi_info_read(u->multi, &left)) != NULL) {
		struct connection *c = NULL;
		CURLcode rc = m->data.result;

		if (m->msg != CURLMSG_DONE)
			continue;
		(void)curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, (char **)&c);
		if (c != NULL)
			connection_finish(c, rc);
	}
}

/* ---- life -------------------------------------------------------------------------------------- */

static enum av_err
upstream_set_up_curl(struct upstream *u)
{
	u->multi = curl_multi_init();
	u->share = curl_share_init();
	if (u->multi == NULL || u->share == NULL)
		return AV_ENOMEM;
	(void)curl_share_setopt(u->share, CURLSHOPT_SHARE, CURL_LOCK_DATA_SSL_SESSION);
	(void)curl_multi_setopt(u->multi, CURLMOPT_SOCKETFUNCTION, upstream_on_socket);
	(void)curl_multi_setopt(u->multi, CURLMOPT_SOCKETDATA, u);
	(void)curl_multi_setopt(u->multi, CURLMOPT_TIMERFUNCTION, upstream_on_timeout);
	(void)curl_multi_setopt(u->multi, CURLMOPT_TIMERDATA, u);
	return AV_OK;
}

static enum av_err
upstream_set_up_loop(struct upstream *u)
{
	uv_timer_t *timer = calloc(1, sizeof(*timer));

	if (timer == NULL)
		return AV_ENOMEM;
	if (uv_timer_init(&u->b->loop, timer) != 0) {
		free(timer);
		return AV_ESYS;
	}
	timer->data = u;
	u->timer = timer;
	return kept_init(&u->kept, &u->b->loop);
}

enum av_err
upstream_new(struct broker *b, const char *ca_path, struct upstream **out)
{
	struct upstream *u;
	enum av_err e;

	if (tls_memory_guard() != AV_OK || curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		return AV_ESYS;
	u = calloc(1, sizeof(*u));
	if (u == NULL)
		return AV_ENOMEM;
	u->b = b;
	u->ca_path = ca_path;
	u->due.run = upstream_run_due;
	sockets_init(&u->sockets, &b->loop, upstream_on_ready, u);
	e = upstream_dev_init(&u->dev);
	if (e == AV_OK)
		e = upstream_set_up_loop(u);
	if (e == AV_OK)
		e = upstream_set_up_curl(u);
	if (e != AV_OK) {
		upstream_free(u);
		return e;
	}
	*out = u;
	return AV_OK;
}

void
upstream_drop_kept(struct upstream *u)
{
	u->epoch++;
	kept_drop(&u->kept);
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
		transfer_cancel(u->live);
	kept_clear(&u->kept);
	if (u->multi != NULL)
		(void)curl_multi_cleanup(u->multi);
	if (u->share != NULL)
		(void)curl_share_cleanup(u->share);
	sockets_clear(&u->sockets);
	later_cancel(&u->b->later, &u->due);
	if (u->timer != NULL)
		uv_close((uv_handle_t *)u->timer, upstream_on_timer_closed);
	upstream_dev_clear(&u->dev);
	free(u);
}
