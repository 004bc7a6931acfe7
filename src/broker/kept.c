/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/kept.h"

#include <stdlib.h>

static void
kept_unlink(struct kept *k, struct connection *c)
{
	struct kept_link *l = connection_link(c);

	if (l->older != NULL)
		connection_link(l->older)->newer = l->newer;
	else
		k->oldest = l->newer;
	if (l->newer != NULL)
		connection_link(l->newer)->older = l->older;
	else
		k->newest = l->older;
	*l = (struct kept_link){0};
	k->count--;
}

static void
kept_close(struct kept *k, struct connection *c)
{
	kept_unlink(k, c);
	connection_close(c);
}

static void
kept_on_opened(void *ctx, struct connection *c, const struct fault *why)
{
	if (why != NULL)
		kept_close(ctx, c);
}

/* TLS has things to say for itself (tickets, new keys); anything else is the end. */
static void
kept_on_ready(void *ctx, struct connection *c, int events)
{
	uint8_t room[CONNECTION_READ_MAX];
	size_t n;

	(void)events;
	if (connection_read(c, room, sizeof(room), &n) != STREAM_BLOCKED ||
	    connection_want(c, UV_READABLE) != AV_OK)
		kept_close(ctx, c);
}

static const struct connection_ops kept_ops = {.opened = kept_on_opened, .ready = kept_on_ready};

static void
kept_on_timer(uv_timer_t *timer)
{
	struct kept *k = timer->data;
	uint64_t now = uv_now(k->loop);

	while (k->oldest != NULL && connection_link(k->oldest)->since_ms + KEPT_FOR_MS <= now)
		kept_close(k, k->oldest);
	if (k->oldest == NULL)
		(void)uv_timer_stop(timer);
}

enum av_err
kept_init(struct kept *k, uv_loop_t *loop)
{
	*k = (struct kept){.loop = loop};
	k->timer = calloc(1, sizeof(*k->timer));
	if (k->timer == NULL)
		return AV_ENOMEM;
	k->timer->data = k;
	return uv_timer_init(loop, k->timer) == 0 ? AV_OK : AV_ESYS;
}

static void
kept_on_timer_closed(uv_handle_t *handle)
{
	free(handle);
}

void
kept_clear(struct kept *k)
{
	kept_drop(k);
	if (k->timer != NULL)
		uv_close((uv_handle_t *)k->timer, kept_on_timer_closed);
	k->timer = NULL;
}

static size_t
kept_making(const struct kept *k)
{
	size_t n = 0;

	for (struct connection *c = k->newest; c != NULL; c = connection_link(c)->older)
		n += !connection_stands(c);
	return n;
}

void
kept_put(struct kept *k, struct connection *c)
{
	struct kept_link *l = connection_link(c);

	if (!connection_stands(c) && (k->count == KEPT_MAX || kept_making(k) >= KEPT_MAKING_MAX)) {
		connection_close(c);
		return;
	}
	connection_give(c, &kept_ops, k);
	/* Whoever had it may have stopped listening. */
	if (connection_stands(c) && connection_want(c, UV_READABLE) != AV_OK) {
		connection_close(c);
		return;
	}
	if (k->count == KEPT_MAX)
		kept_close(k, k->oldest);
	*l = (struct kept_link){.older = k->newest, .since_ms = uv_now(k->loop)};
	if (k->newest != NULL)
		connection_link(k->newest)->newer = c;
	else
		k->oldest = c;
	k->newest = c;
	k->count++;
	/* It runs on over times with none, rather than be set up and stopped with every call. */
	if (!uv_is_active((const uv_handle_t *)k->timer))
		(void)uv_timer_start(k->timer, kept_on_timer, KEPT_LOOK_MS, KEPT_LOOK_MS);
}

struct connection *
kept_take(struct kept *k, struct str host)
{
	struct connection *c = k->newest, *older;

	for (; c != NULL; c = older) {
		older = connection_link(c)->older;
		if (!connection_stands(c) || !str_eq(connection_host(c), host))
			continue;
		if (connection_is_usable(c)) {
			kept_unlink(k, c);
			return c;
		}
		kept_close(k, c);
	}
	return NULL;
}

void
kept_drop(struct kept *k)
{
	while (k->oldest != NULL)
		kept_close(k, k->oldest);
}
