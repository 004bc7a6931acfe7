/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kept.h - the sockets to upstreams that libcurl has open, so that kept connections can be dropped
 * while transfers run on others. libcurl itself closes a kept connection only to make room.
 *
 * Dropping is a shutdown(): the peer sees the end at once, libcurl finds the connection dead when it
 * next looks at it, and closes the descriptor. Descriptors are libcurl's; they are only noted here.
 */
#ifndef AV_BROKER_KEPT_H
#define AV_BROKER_KEPT_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct kept_socket;
struct kept {
	struct kept_socket *items;
	size_t count;
	size_t room;
};

void kept_clear(struct kept *k);
/* A socket was opened for `opener` (only compared). AV_ENOMEM. */
enum av_err kept_add(struct kept *k, int fd, const void *opener) AV_MUST_USE;
/*
 * The connection of `opener` stands: of the sockets opened for it, it is the one with this local
 * port. The others are forgotten: libcurl closes a socket that was never connected without a word
 * (CURLOPT_CLOSESOCKETFUNCTION is not called), and its number then belongs to somebody else.
 * Returns the descriptor, -1 for none.
 */
int kept_settle(struct kept *k, const void *opener, uint16_t port);
/* It is about to be closed. */
void kept_remove(struct kept *k, int fd);
/* `opener` is over: its connection that stands belongs to nobody; what never stood is forgotten. */
void kept_forget(struct kept *k, const void *opener);
/* Shuts down every socket that nobody uses: `is_busy` is asked for each, with its opener (NULL: over)
 * and its local port (0: unknown). */
void kept_drop(const struct kept *k, bool (*is_busy)(void *ctx, const void *opener, uint16_t port),
    void *ctx);

#endif
