/* SPDX-License-Identifier: Apache-2.0 */
/*
 * conn.h - what the bench's clients share: connections over a unix socket, TCP or TLS (libcurl makes
 * that one and carries the bytes), and lists of times. Errors end the program.
 */
#ifndef AV_BENCH_CONN_H
#define AV_BENCH_CONN_H

#include <curl/curl.h>
#include <stdint.h>
#include <sys/types.h>

struct conn {
	CURL *curl; /* TLS only */
	int fd; /* to wait on; reading and writing never block */
};

uint64_t now_ns(void); /* CLOCK_MONOTONIC */
void die(const char *what);

/* TARGET: unix:PATH | tcp:ADDRESS:PORT | tls:HOST:PORT */
void conn_open(struct conn *c, const char *target);
void conn_close(struct conn *c);
void conn_send(struct conn *c, const char *p, size_t len);
/* The number of bytes, 0 at the end of the connection, -1 for none yet. */
ssize_t conn_read(struct conn *c, char *to, size_t room);

struct times {
	uint32_t *us;
	size_t count, room;
};

void times_add(struct times *t, uint64_t ns);
void times_sort(struct times *t);

#endif
