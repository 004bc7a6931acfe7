/* SPDX-License-Identifier: Apache-2.0 */
/*
 * upstream.h - sends one request to one upstream over TLS and streams the answer back.
 *
 * HTTP/1.1 over connections that libcurl makes (connection.h) and that are kept (kept.h). What it never
 * does: follow a redirect, use a proxy, leave https, send a request twice (I9), talk to an address
 * that is not public (I6). The bytes of the target are sent exactly as given (I5).
 */
#ifndef AV_BROKER_UPSTREAM_H
#define AV_BROKER_UPSTREAM_H

#include "base/err.h"
#include "base/str.h"
#include "broker/broker.h"
#include "http/header_list.h"
#include "wire/keeper.h"

#include <stdbool.h>
#include <stdint.h>

#define UPSTREAM_INLINE_MAX (32u * 1024u)

struct upstream;
struct transfer;

struct upstream_request {
	const char *method;
	const char *host; /* lower case, maybe ":port" */
	const char *target; /* exact bytes, begins with '/' */
	const struct header_list *headers; /* what the caller sends */
	const struct keeper_released *auth; /* its header parts are added */
	bool has_body;
	uint64_t body_size; /* UINT64_MAX: chunked */
	struct str body; /* p not NULL: all of it is here, at most UPSTREAM_INLINE_MAX; it
	                               leaves in one piece with the head, and `read` is not called */
	uint64_t timeout_ms; /* what is left for the whole transfer; 0 = no limit */
};

/* How it ended. AV_OK: the whole answer came. The words never hold secret bytes. */
struct upstream_result {
	struct fault fault;
	bool head_seen;
	uint64_t sent; /* body bytes taken from the call */
};

enum upstream_take {
	UPSTREAM_TAKEN,
	UPSTREAM_WAIT, /* taken, and no more before transfer_wake_recv() */
	UPSTREAM_STOP, /* end the transfer; `done` follows, unless it was cancelled */
};

/* `read` may be called before transfer_start() returns; none of the others. */
struct upstream_ops {
	/* The final head. `length` is UINT64_MAX where none is known or it will not hold. */
	enum upstream_take (*head)(
	    void *ctx, unsigned status, const struct header_list *headers, uint64_t length);
	enum upstream_take (*body)(void *ctx, const uint8_t *p, size_t len);
	/* Copies up to `room` body bytes; 0 with *ended false: none yet, transfer_wake_send() follows. */
	size_t (*read)(void *ctx, char *out, size_t room, bool *ended);
	/* Called once unless cancelled; the transfer is gone after it. */
	void (*done)(void *ctx, const struct upstream_result *r);
};

/* `ca_path` is borrowed. */
enum av_err upstream_new(struct broker *b, const char *ca_path, struct upstream **out) AV_MUST_USE;
void upstream_free(struct upstream *u); /* ends what runs, without calls */
/* No connection that stands now serves a later call: kept ones are closed, those that a transfer
 * is on when it ends. */
void upstream_drop_kept(struct upstream *u);

/* Copies what it needs of *rq. On error *f is set and no callback comes. */
enum av_err transfer_start(struct upstream *u, const struct upstream_request *rq,
    const struct upstream_ops *ops, void *ctx, struct transfer **out, struct fault *f) AV_MUST_USE;
void transfer_wake_send(struct transfer *t);
void transfer_wake_recv(struct transfer *t);
/* No callback comes after it. Safe inside callbacks. */
void transfer_cancel(struct transfer *t);

#endif
