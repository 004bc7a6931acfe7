/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sockets.h - the sockets that the loop watches, by descriptor: those of libcurl while it makes
 * connections (and those of its resolver), and those of connections that stand.
 *
 * What is told to the kernel is what changed: a connection that is always watched for reading costs no
 * system call a transfer.
 */
#ifndef AV_BROKER_SOCKETS_H
#define AV_BROKER_SOCKETS_H

#include "base/err.h"

#include <stddef.h>
#include <uv.h>

/* status: 0 or libuv's error, after which nothing is watched; events: UV_READABLE | UV_WRITABLE. */
typedef void (*sockets_ready_fn)(void *ctx, int fd, int status, int events);

struct socket_watch;
struct sockets {
	uv_loop_t *loop;
	sockets_ready_fn ready; /* of those without an owner */
	void *ctx;
	struct socket_watch **items; /* by descriptor; kept for the next use of the number */
	size_t room;
};

void sockets_init(struct sockets *s, uv_loop_t *loop, sockets_ready_fn ready, void *ctx);
/* Closes the watches, not the sockets; the memory goes when the loop has turned. */
void sockets_clear(struct sockets *s);
/* What is waited for on fd, from now on; 0: nothing. AV_ENOMEM, AV_ESYS. */
enum av_err sockets_want(struct sockets *s, int fd, int events) AV_MUST_USE;
/* fd has an owner, who is told instead, and calls sockets_forget() before it is closed. AV_ENOMEM. */
enum av_err sockets_own(struct sockets *s, int fd, sockets_ready_fn ready, void *ctx) AV_MUST_USE;
/* fd is about to be closed: its number may be another socket's a moment later. -1 is fine. */
void sockets_forget(struct sockets *s, int fd);

#endif
