/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sockets.h - the sockets that the loop watches for libcurl, by descriptor.
 *
 * libcurl lets go of a connection after each call and asks for it again at the next; to tell the
 * kernel of both would cost two system calls a call. So the socket of a connection that stands is
 * watched on while nobody wants it, until it has something to say or is closed. Of other sockets (the
 * resolver's, attempts to connect) nobody tells that they are closed: those are let go at once.
 */
#ifndef AV_BROKER_SOCKETS_H
#define AV_BROKER_SOCKETS_H

#include "base/err.h"

#include <stddef.h>
#include <uv.h>

/* status: 0 or libuv's error; events: UV_READABLE | UV_WRITABLE. */
typedef void (*sockets_ready_fn)(void *ctx, int fd, int status, int events);

struct socket_watch;
struct sockets {
	uv_loop_t *loop;
	sockets_ready_fn ready;
	void *ctx;
	struct socket_watch **items; /* by descriptor; kept for the next use of the number */
	size_t room;
};

void sockets_init(struct sockets *s, uv_loop_t *loop, sockets_ready_fn ready, void *ctx);
/* Closes the watches, not the sockets; the memory goes when the loop has turned. */
void sockets_clear(struct sockets *s);
/* What is waited for on fd, from now on; 0: nothing. AV_ENOMEM, AV_ESYS. */
enum av_err sockets_want(struct sockets *s, int fd, int events) AV_MUST_USE;
/* fd is of a connection that stands: sockets_forget() will be called before it is closed. -1 is fine. */
void sockets_own(struct sockets *s, int fd);
/* fd is about to be closed: its number may be another socket's a moment later. */
void sockets_forget(struct sockets *s, int fd);

#endif
