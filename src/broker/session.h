/* SPDX-License-Identifier: Apache-2.0 */
/*
 * session.h - one agent connection: HTTP/1.1 in, HTTP/1.1 out, one exchange at a time.
 *
 * A session parses a request's head, hands the exchange to a route's handler (session_take()) and
 * from then on pulls body bytes only as fast as the handler has room for. The next request on the
 * connection is looked at when the answer is complete. An answer given before the whole request
 * came makes the session drop what is left of it, up to a limit, so that the client can read the
 * answer.
 *
 * The memory of the session, its parser and the header list of the request lives until the
 * exchange has ended (session_end(), session_cut()), even when the client has gone away.
 */
#ifndef AV_BROKER_SESSION_H
#define AV_BROKER_SESSION_H

#include "base/err.h"
#include "base/str.h"
#include "broker/broker.h"
#include "broker/reply.h"
#include "http/message.h"
#include "wire/caller.h"

#define SESSION_UNSENT_HIGH (256u * 1024u) /* above it a writer is asked to wait */
#define SESSION_UNSENT_LOW (64u * 1024u) /* below it `drained` is called */

struct session;

/* What a handler does; none of these may be NULL. */
struct exchange_ops {
	size_t (*room)(void *ctx); /* body bytes it can take now; 0 = not yet */
	void (*body)(void *ctx, struct str bytes); /* at most that many */
	void (*body_end)(void *ctx);
	void (*drained)(void *ctx); /* after SESSION_UNSENT_HIGH was passed */
	/* The request's body is malformed: answer with it, or cut. */
	void (*bad)(void *ctx, const struct fault *f);
	/* The client went away. Nothing can be answered; the handler still owes session_cut(), now
	 * or later. */
	void (*gone)(void *ctx);
};

/* Takes fd, on failure too. `c` holds what is known of the peer. */
enum av_err session_open(struct broker *b, int fd, const struct caller *c) AV_MUST_USE;

struct broker *session_broker(struct session *s);
const struct caller *session_caller(const struct session *s);
struct message *session_message(struct session *s);
const char *session_request_id(const struct session *s); /* REQUEST_ID_LEN hex digits */
bool session_has_body(const struct session *s);

/* The handler takes the exchange: inside a route's handler function, or from the handler that has
 * it, inside one of its calls. */
void session_take(struct session *s, const struct exchange_ops *ops, void *ctx);
/* room() may have grown. */
void session_wake(struct session *s);

/* Whole answers; each ends the exchange. */
void session_problem(struct session *s, const struct fault *f, uint32_t retry_after);
void session_json(struct session *s, unsigned status, struct str json);

/* A streamed answer. `head`: status line and header lines without framing and without the empty
 * line. `length`: UINT64_MAX = not known. `no_body`: HEAD, 204, 304 (a length is shown as is). */
void session_begin(struct session *s, const struct buf *head, uint64_t length, bool no_body);
void session_send(struct session *s, const void *p, size_t len);
size_t session_unsent(const struct session *s);
void session_end(struct session *s);
/* Ends the exchange by closing the connection, so that the client sees that bytes are missing. */
void session_cut(struct session *s);

/* For the listener: every second; closes what has been silent too long. */
void session_tick(struct session *s, uint64_t now_ms);
/* Stops a connection that waits between requests; others close after their answer. */
void session_stop(struct session *s);
void session_drop(struct session *s); /* at once */

#endif
