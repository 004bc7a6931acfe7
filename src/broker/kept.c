/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/kept.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>

struct kept_socket {
	const void *opener;
	int fd;
	bool stands;
};

void
kept_clear(struct kept *k)
{
	free(k->items);
	*k = (struct kept){0};
}

static void
kept_remove_at(struct kept *k, size_t i)
{
	k->items[i] = k->items[--k->count];
}

void
kept_remove(struct kept *k, int fd)
{
	size_t i;

	for (i = 0; i < k->count; i++) {
		if (k->items[i].fd == fd) {
			kept_remove_at(k, i);
			return;
		}
	}
}

enum av_err
kept_add(struct kept *k, int fd, const void *opener)
{
	/* The number is free again: what had it was closed. */
	kept_remove(k, fd);
	if (k->count == k->room) {
		size_t room = k->room == 0 ? 64 : 2 * k->room;
		struct kept_socket *grown = realloc(k->items, room * sizeof(*grown));

		if (grown == NULL)
			return AV_ENOMEM;
		k->items = grown;
		k->room = room;
	}
	k->items[k->count++] = (struct kept_socket){opener, fd, false};
	return AV_OK;
}

static uint16_t
local_port(int fd)
{
	union {
		struct sockaddr sa;
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
	} a = {.sa = {.sa_family = AF_UNSPEC}};
	socklen_t len = sizeof(a);

	if (getsockname(fd, &a.sa, &len) != 0)
		return 0;
	if (a.sa.sa_family == AF_INET)
		return ntohs(a.in.sin_port);
	return a.sa.sa_family == AF_INET6 ? ntohs(a.in6.sin6_port) : 0;
}

int
kept_settle(struct kept *k, const void *opener, uint16_t port)
{
	int fd = -1;
	size_t i = 0;

	while (i < k->count) {
		struct kept_socket *s = &k->items[i];

		if (s->opener == opener && !s->stands && local_port(s->fd) == port) {
			s->stands = true;
			fd = s->fd;
		}
		if (s->opener == opener && !s->stands)
			kept_remove_at(k, i);
		else
			i++;
	}
	return fd;
}

void
kept_forget(struct kept *k, const void *opener)
{
	size_t i = 0;

	while (i < k->count) {
		if (k->items[i].opener != opener) {
			i++;
		} else if (k->items[i].stands) {
			k->items[i++].opener = NULL;
		} else {
			kept_remove_at(k, i);
		}
	}
}

void
kept_drop(const struct kept *k, bool (*is_busy)(void *ctx, const void *opener, uint16_t port),
    void *ctx)
{
	size_t i;

	for (i = 0; i < k->count; i++) {
		const struct kept_socket *s = &k->items[i];

		/* One that is shut down already answers with an error: that is fine. */
		if (!is_busy(ctx, s->opener, local_port(s->fd)))
			(void)shutdown(s->fd, SHUT_RDWR);
	}
}
