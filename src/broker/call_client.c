/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/call.h"

#include "wire/judge.h"

#define CALL_RING (256u * 1024u) /* body bytes on their way up */

static size_t
call_room(void *ctx)
{
	const struct call *c = ctx;

	if (c->stage == CALL_BODY)
		return JUDGE_BODY_MAX + 1 - c->body.len;
	if (c->stage == CALL_SEND && c->transfer != NULL)
		return CALL_RING - (c->body.len - c->body_off);
	/* A small body is taken while others are asked: it then leaves in one piece with the head. */
	if (c->stage != CALL_SEND && c->body_size <= UPSTREAM_INLINE_MAX)
		return UPSTREAM_INLINE_MAX - c->body.len;
	return 0;
}

/* Over a limit that is known only now. */
static void
call_stop_body(struct call *c, const struct fault *f)
{
	if (c->stage == CALL_SEND) {
		transfer_cancel(c->transfer);
		call_fail(c, f);
	} else if (c->stage == CALL_BODY) {
		call_deny(c, f, 0, (struct str){"", 0});
	} else {
		c->gone = true; /* somebody was asked: the answer ends the call */
	}
}

static void
call_on_client_body(void *ctx, struct str bytes)
{
	struct call *c = ctx;
	struct fault f;

	c->request_bytes += bytes.len;
	if (c->request_bytes > c->max_request) {
		fault_set(&f, AV_ETOOBIG, "request_too_big", "Send less.",
		    "The body is over the size limit of %llu bytes.",
		    (unsigned long long)c->max_request);
		call_stop_body(c, &f);
		return;
	}
	if (c->stage != CALL_SEND && c->request_bytes > JUDGE_BODY_MAX) {
		fault_set(&f, AV_ETOOBIG, "body_too_big_to_inspect", "Send less.",
		    "A policy reads this body, so it may have at most %u bytes.", JUDGE_BODY_MAX);
		call_stop_body(c, &f);
		return;
	}
	if (buf_append(&c->body, bytes.p, bytes.len) != AV_OK) {
		fault_set(&f, AV_ENOMEM, "out_of_memory", "", "Out of memory.");
		call_stop_body(c, &f);
		return;
	}
	if (c->stage == CALL_SEND)
		transfer_wake_send(c->transfer);
}

static void
call_on_client_body_end(void *ctx)
{
	struct call *c = ctx;

	c->body_ended = true;
	if (c->stage == CALL_BODY)
		call_body_is_whole(c);
	else if (c->stage == CALL_SEND)
		transfer_wake_send(c->transfer);
}

static void
call_on_client_drained(void *ctx)
{
	struct call *c = ctx;

	if (c->stage == CALL_SEND)
		transfer_wake_recv(c->transfer);
}

static void
call_on_client_bad(void *ctx, const struct fault *f)
{
	struct call *c = ctx;

	if (c->stage == CALL_SEND) {
		transfer_cancel(c->transfer);
		call_fail(c, f);
	} else if (c->stage == CALL_BODY) {
		call_problem(c, f, 0);
	} else {
		c->gone = true;
	}
}

static void
call_on_client_gone(void *ctx)
{
	struct call *c = ctx;
	struct fault f = {.err = AV_ECUT, .reason = "client_gone"};

	c->gone = true;
	if (c->stage == CALL_SEND) {
		transfer_cancel(c->transfer);
		call_fail(c, &f);
	} else if (c->stage == CALL_BODY) {
		call_drop(c);
	}
}

const struct exchange_ops call_exchange = {
    .room = call_room,
    .body = call_on_client_body,
    .body_end = call_on_client_body_end,
    .drained = call_on_client_drained,
    .bad = call_on_client_bad,
    .gone = call_on_client_gone,
};
