/* SPDX-License-Identifier: Apache-2.0 */
/*
 * call.h - one call's state, for the conductor (invoke.c) and its three helpers only: call_client.c
 * (the agent's side of the body), call_answer.c (the upstream's side), call_end.c (how it ends).
 */
#ifndef AV_BROKER_CALL_H
#define AV_BROKER_CALL_H

#include "broker/envelope.h"
#include "broker/held.h"
#include "broker/request.h"
#include "broker/resolve_cache.h"
#include "broker/scrub.h"
#include "broker/session.h"
#include "broker/upstream.h"
#include "http/target.h"

enum call_stage {
	CALL_RESOLVE, /* the keeper is asked */
	CALL_BODY, /* the body is read for the judge */
	CALL_JUDGE, /* the judge is asked */
	CALL_RELEASE, /* the keeper is asked for the credential */
	CALL_SEND, /* the upstream has the word */
	CALL_END, /* it has said all: the last bytes go down */
};

struct call {
	struct call *next; /* in the broker's list */
	struct call **link;
	struct broker *b;
	struct session *s;
	enum call_stage stage;
	bool gone; /* the client went away; an answer that we wait for will end the call */
	struct invoke_request req;
	struct envelope *envelope; /* what req borrows from, where it came in one */
	struct resolution *res;
	struct target target;
	struct buf body; /* what came of it and has not gone up */
	struct held held; /* by `body`, where it came in an envelope */
	size_t body_off; /* of that, what has gone up */
	bool body_ended;
	uint64_t body_size; /* UINT64_MAX: not known */
	uint64_t max_request;
	uint64_t max_response;
	uint64_t request_bytes;
	uint64_t response_bytes;
	uint64_t started_ms;
	unsigned status;
	bool head_sent;
	struct buf shown; /* the URL that may be shown */
	struct scrub scrub;
	struct transfer *transfer;
	struct fault stop; /* why we ended the transfer; err AV_OK: we did not */
};

/* The agent's side: how much of the body there is room for, its bytes, its end. */
extern const struct exchange_ops call_exchange;
/* The upstream's side: the body it is sent, the answer that it gives. */
extern const struct upstream_ops call_upstream;

/* The body that the judge is to see is whole (invoke.c). */
void call_body_is_whole(struct call *c);

/* Each ends the call; `c` is gone after it. */

/* We or the judge said no: a row in the audit log, a problem to the agent. */
void call_deny(struct call *c, const struct fault *f, uint32_t retry_after, struct str policy);
/* A problem to the agent, or a cut connection where a part of an answer went out; no row. */
void call_problem(struct call *c, const struct fault *f, uint32_t retry_after);
/* A released call did not work: its outcome, then as above. */
void call_fail(struct call *c, const struct fault *f);
/* A released call worked. */
void call_done(struct call *c);
/* An answer came for a client that is not there any more, before anything was released. */
void call_drop(struct call *c);
void call_free(struct call *c);

#endif
