/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/sockets.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define SOCKETS_FIRST_ROOM 64u

struct socket_watch {
	uv_poll_t poll;
	sockets_ready_fn ready;
	void *ctx;
	int fd;
	int watched; /* events */
};

void
sockets_init(struct sockets *s, uv_loop_t *loop, sockets_ready_fn ready, void *ctx)
{
	*s = (struct sockets){.loop = loop, .ready = ready, .ctx = ctx};
}

static void
watch_on_closed(uv_handle_t *handle)
{
	free(handle->data);
}

void
sockets_clear(struct sockets *s)
{
	size_t i;

	for (i = 0; i < s->room; i++) {
		if (s->items[i] != NULL)
			uv_close((uv_handle_t *)&s->items[i]->poll, watch_on_closed);
	}
	free(s->items);
	s->items = NULL;
	s->room = 0;
}

static void
watch_stop(struct socket_watch *w)
{
	if (w->watched != 0)
		uv_poll_stop(&w->poll);
	w->watched = 0;
}

static void
watch_on_poll(uv_poll_t *poll, int status, int events)
{
	struct socket_watch *w = poll->data;

	/* libuv has stopped a watch that failed. */
	if (status < 0)
		w->watched = 0;
	w->ready(w->ctx, w->fd, status, events);
}

static struct socket_watch *
sockets_find(const struct sockets *s, int fd)
{
	return fd >= 0 && (size_t)fd < s->room ? s->items[fd] : NULL;
}

static bool
sockets_make_room(struct sockets *s, size_t at)
{
	size_t room = s->room == 0 ? SOCKETS_FIRST_ROOM : s->room;
	struct socket_watch **grown;

	while (room <= at)
		room *= 2;
	if (room == s->room)
		return true;
	grown = realloc(s->items, room * sizeof(*grown));
	if (grown == NULL)
		return false;
	memset(grown + s->room, 0, (room - s->room) * sizeof(*grown));
	s->items = grown;
	s->room = room;
	return true;
}

static struct socket_watch *
sockets_at(struct sockets *s, int fd)
{
	struct socket_watch *w = sockets_find(s, fd);

	if (w != NULL || !sockets_make_room(s, (size_t)fd))
		return w;
	w = calloc(1, sizeof(*w));
	if (w == NULL)
		return NULL;
	if (uv_poll_init_socket(s->loop, &w->poll, fd) != 0) {
		free(w);
		return NULL;
	}
	w->ready = s->ready;
	w->ctx = s->ctx;
	w->fd = fd;
	w->poll.data = w;
	s->items[fd] = w;
	return w;
}

enum av_err
sockets_want(struct sockets *s, int fd, int events)
{
	struct socket_watch *w = events != 0 ? sockets_at(s, fd) : sockets_find(s, fd);

	if (w == NULL)
		return events != 0 ? AV_ENOMEM : AV_OK;
	if (w->watched == events)
		return AV_OK;
	if (events == 0) {
		watch_stop(w);
		return AV_OK;
	}
	w->watched = events;
	return uv_poll_start(&w->poll, events, watch_on_poll) == 0 ? AV_OK : AV_ESYS;
}

enum av_err
sockets_own(struct sockets *s, int fd, sockets_ready_fn ready, void *ctx)
{
	struct socket_watch *w = sockets_at(s, fd);

	if (w == NULL)
		return AV_ENOMEM;
	w->ready = ready;
	w->ctx = ctx;
	return AV_OK;
}

void
sockets_forget(struct sockets *s, int fd)
{
	struct socket_watch *w = sockets_find(s, fd);

	if (w == NULL)
		return;
	watch_stop(w);
	w->ready = s->ready;
	w->ctx = s->ctx;
}
