/* SPDX-License-Identifier: Apache-2.0 */
/*
 * connection.h - one TLS connection to one upstream.
 *
 * libcurl makes it (CURLOPT_CONNECT_ONLY): name, address, handshake, certificate. Then its bytes go by
 * OpenSSL (tls_stream.h, CURLINFO_TLS_SSL_PTR(3)) and are the user's, who is told when there is something to do. One user at a time; none while it is kept
 * (kept.h). No proxy, TLS 1.2 at least, and only addresses of the public internet (I6).
 */
#ifndef AV_BROKER_CONNECTION_H
#define AV_BROKER_CONNECTION_H

#include "base/err.h"
#include "base/str.h"
#include "broker/tls_stream.h"

#include <curl/curl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct connection;
struct upstream;

struct connection_ops {
	/* Once after connection_open(): it stands (why is NULL), or it does not and wants closing. */
	void (*opened)(void *ctx, struct connection *c, const struct fault *why);
	/* Of UV_READABLE | UV_WRITABLE what connection_want() asked for. After a broken connection both are
	 * reported, wanted or not, and only until the next connection_want(). */
	void (*ready)(void *ctx, struct connection *c, int events);
};

/* A read takes at most this much: a whole TLS record (RFC 8446 section 5.1). */
#define CONNECTION_READ_MAX 16384u

/* `host` is lower case, maybe with ":port". On error *f is set and no call comes. */
enum av_err connection_open(struct upstream *u, const char *host, const struct connection_ops *ops,
    void *ctx, struct connection **out, struct fault *f) AV_MUST_USE;
/* From within any callback too. Says goodbye where that takes no waiting. */
void connection_close(struct connection *c);
/* Another user; what is wanted stays as it was. */
void connection_give(struct connection *c, const struct connection_ops *ops, void *ctx);

/* Of a write that was BLOCKED the very same bytes must be offered again (SSL_write(3)). */
enum stream_io connection_write(struct connection *c, const uint8_t *p, size_t len, size_t *n);
/* `room` is at least CONNECTION_READ_MAX. */
enum stream_io connection_read(struct connection *c, uint8_t *p, size_t room, size_t *n);
/* There are bytes to read that no event will tell of. */
bool connection_has_more(const struct connection *c);
/* Which events to tell of from now on. */
enum av_err connection_want(struct connection *c, int events) AV_MUST_USE;

/* Until then there is nothing to read, to write or to want. */
bool connection_stands(const struct connection *c);
/* It stands, nobody has closed it, there is nothing to read (it would not be the answer to what has
 * not been asked), and it goes to an address that is allowed. */
bool connection_is_usable(const struct connection *c);
struct str connection_host(const struct connection *c);
/* Made before upstream_drop_kept() was last called: must not be kept. */
bool connection_is_outdated(const struct connection *c);

/* For upstream.c: libcurl is done with making it. */
void connection_finish(struct connection *c, CURLcode rc);

/* kept.c's links. */
struct kept_link {
	struct connection *older;
	struct connection *newer;
	uint64_t since_ms;
};
struct kept_link *connection_link(struct connection *c);

#endif
