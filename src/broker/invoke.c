/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One call, top to bottom: start, resolve, check, read the body where a policy wants to see it,
 * judge, release, send; call_answer.c then relays what comes back and ends it. Every step either
 * hands on to the next or ends the call: call_deny() (we said no), call_fail() (it did not work).
 */
#include "broker/invoke.h"

#include "base/clock.h"
#include "broker/call.h"
#include "broker/checks.h"
#include "broker/keeper_client.h"
#include "broker/outgoing.h"
#include "broker/policy_client.h"

#include <stdlib.h>
#include <string.h>

#define CALL_TARGET_MAX (192u * 1024u)

static void call_resolve(struct call *c);
static void call_check(struct call *c);
static void call_read_body(struct call *c);
static void call_judge(struct call *c);
static void call_release(struct call *c, const struct judge_verdict *v);
static void call_send(struct call *c, const struct keeper_released *released);

/* ---- 1. start ----------------------------------------------------------------------------------- */

static struct call *
call_new(struct session *s)
{
	struct call *c = calloc(1, sizeof(*c));

	if (c == NULL)
		return NULL;
	c->b = session_broker(s);
	c->s = s;
	c->started_ms = clock_mono_ms();
	c->max_request = UINT64_MAX;
	c->max_response = UINT64_MAX;
	target_init(&c->target);
	buf_init(&c->body, JUDGE_BODY_MAX + 1);
	buf_init(&c->shown, CALL_TARGET_MAX);
	scrub_init(&c->scrub);
	c->next = c->b->calls;
	c->link = &c->b->calls;
	if (c->next != NULL)
		c->next->link = &c->next;
	c->b->calls = c;
	broker_call_begins(c->b);
	return c;
}

static void
call_begin(struct call *c)
{
	c->body_size = c->req.body_size;
	session_take(c->s, &call_exchange, c);
	call_resolve(c);
}

void
invoke_start(struct session *s)
{
	struct call *c = call_new(s);
	struct fault f;

	if (c == NULL) {
		fault_set(&f, AV_ENOMEM, "out_of_memory", "", "Out of memory.");
		session_problem(s, &f, 0);
	} else if (invoke_request_parse(&c->req, session_message(s), session_caller(s), &f) !=
	    AV_OK) {
		/* Not a call yet: there is no capability that a row could name. */
		call_problem(c, &f, 0);
	} else {
		c->body_ended = !c->req.has_body;
		call_begin(c);
	}
}

enum av_err
invoke_start_envelope(struct session *s, struct str text, struct fault *f)
{
	struct call *c = call_new(s);
	enum av_err e;

	if (c == NULL || (c->envelope = calloc(1, sizeof(*c->envelope))) == NULL) {
		e = fault_set(f, AV_ENOMEM, "out_of_memory", "", "Out of memory.");
	} else {
		envelope_init(c->envelope);
		e = envelope_parse(c->envelope, text, f);
	}
	if (e == AV_OK)
		e = invoke_request_from_envelope(
		    &c->req, c->envelope, session_message(s), session_caller(s), f);
	if (e == AV_OK) {
		held_begin(&c->held, &c->b->held, session_caller(s)->uid);
		e = held_set(&c->held, c->b->held, c->envelope->body.cap, f);
	}
	if (e != AV_OK) {
		if (c != NULL)
			call_free(c);
		return e;
	}
	/* The body is all here: as if it had come and nobody had read it yet. */
	buf_clear(&c->body);
	c->body = c->envelope->body;
	buf_init(&c->envelope->body, 0);
	c->body_ended = true;
	c->request_bytes = c->body.len;
	call_begin(c);
	return AV_OK;
}

/* ---- 2. resolve: what is that capability, for this caller? ---------------------------------------- */

/* In ms; 0: it has no limit of its own. */
static uint64_t
call_time_left(const struct call *c)
{
	uint64_t used = clock_mono_ms() - c->started_ms;

	if (c->req.timeout_ms == 0)
		return 0;
	return used < c->req.timeout_ms ? c->req.timeout_ms - used : 1;
}

static struct resolve_key
call_key(const struct call *c)
{
	return (struct resolve_key){
	    .capability = str_of(c->req.capability),
	    .credential = str_of(c->req.credential),
	    .caller = &c->req.caller,
	};
}

static void
call_on_resolved(void *ctx, const struct keeper_answer *a)
{
	struct call *c = ctx;
	struct resolve_key key = call_key(c);
	struct fault f;

	if (c->gone) {
		call_drop(c);
		return;
	}
	if (a->fault != NULL) {
		call_deny(c, &a->fault->fault, a->fault->retry_after, (struct str){"", 0});
		return;
	}
	c->res = resolve_cache_put(
	    c->b->resolved, &key, keeper_client_generation(c->b->keeper), a->resolved);
	if (c->res == NULL) {
		fault_set(&f, AV_ENOMEM, "out_of_memory", "", "Out of memory.");
		call_deny(c, &f, 0, (struct str){"", 0});
		return;
	}
	call_check(c);
}

static void
call_resolve(struct call *c)
{
	struct keeper_resolve m = {
	    .capability = str_of(c->req.capability),
	    .credential = str_of(c->req.credential),
	    .caller = c->req.caller,
	};
	struct resolve_key key = call_key(c);
	struct fault f;

	c->stage = CALL_RESOLVE;
	if (keeper_client_check(c->b->keeper, &f) != AV_OK) {
		call_deny(c, &f, 0, (struct str){"", 0});
		return;
	}
	c->res = resolve_cache_get(c->b->resolved, &key, keeper_client_generation(c->b->keeper));
	if (c->res != NULL) {
		call_check(c);
		return;
	}
	if (keeper_client_resolve(c->b->keeper, &m, call_time_left(c), call_on_resolved, c) !=
	    AV_OK) {
		fault_set(&f, AV_EUNAVAIL, "keeper_unavailable", "Try again in a moment.",
		    "The keeper could not be asked.");
		call_deny(c, &f, 0, (struct str){"", 0});
	}
}

/* ---- 3. check: what C always enforces --------------------------------------------------------------- */

/* The one canonical form of the target: what is checked is what is sent. */
static enum av_err
call_parse_target(struct call *c, struct fault *f)
{
	const struct capability *cap = &c->res->r.capability;
	struct buf raw;
	enum av_err e;

	if (c->req.has_path)
		return target_parse(&c->target, c->req.target, cap->opaque_slash, f);
	if (cap->paths.count != 1)
		return fault_set(f, AV_EINVAL, "path_needed", "Use /i/<capability>/-/<path>.",
		    "This capability has more than one path.");
	buf_init(&raw, 2 * TARGET_MAX);
	(void)buf_append_str(&raw, cap->paths.items[0]);
	e = buf_append(&raw, c->req.target.p, c->req.target.len);
	if (e == AV_OK)
		e = target_parse(&c->target, (struct str){(const char *)raw.data, raw.len},
		    cap->opaque_slash, f);
	else
		fault_set(
		    f, e, "path_too_long", "Send a shorter query.", "The target is too long.");
	buf_clear(&raw);
	return e;
}

static void
call_check(struct call *c)
{
	const struct keeper_resolved *r = &c->res->r;
	struct check_subject subject = {
	    .resolved = r,
	    .method = str_of(c->req.method),
	    .target = &c->target,
	    .headers = c->req.headers,
	    .has_body = c->req.has_body,
	    .body_size = c->body_size,
	};
	struct fault f;
	enum av_err e = call_parse_target(c, &f);

	c->max_request = r->max_request_bytes;
	c->max_response = r->max_response_bytes;
	if (e == AV_OK)
		e = checks_request(&subject, &f);
	if (e != AV_OK)
		call_deny(c, &f, 0, (struct str){"", 0});
	else if (r->capability.inspect != INSPECT_NONE && c->req.has_body)
		call_read_body(c);
	else
		call_judge(c);
}

/* ---- 4. the body, where a policy reads it -------------------------------------------------------------- */

static void
call_read_body(struct call *c)
{
	c->stage = CALL_BODY;
	if (c->body_ended)
		call_body_is_whole(c);
	else
		session_wake(c->s);
}

void
call_body_is_whole(struct call *c)
{
	struct str body = {(const char *)c->body.data, c->body.len};
	struct fault f;

	c->body_size = c->body.len;
	if (checks_inspected_body(body, &f) != AV_OK)
		call_deny(c, &f, 0, (struct str){"", 0});
	else
		call_judge(c);
}

/* ---- 5. judge: may this request go? ---------------------------------------------------------------------- */

static enum av_err
verdict_error(const struct judge_verdict *v)
{
	if (v->retry_after > 0 || str_eq_cstr(v->reason, "rate_limit"))
		return AV_ERATE;
	if (str_eq_cstr(v->reason, "size_limit"))
		return AV_ETOOBIG;
	return AV_EPOLICY;
}

static void
call_on_denied(struct call *c, const struct judge_verdict *v)
{
	char reason[48], remedy[240];
	struct fault f;

	(void)snprintf(reason, sizeof(reason), "%.*s", STR_FMT(v->reason));
	(void)snprintf(remedy, sizeof(remedy), "%.*s", STR_FMT(v->remedy));
	fault_set(&f, verdict_error(v), reason[0] != '\0' ? reason : "policy_denied", remedy,
	    "%.*s", STR_FMT(v->message));
	call_deny(c, &f, v->retry_after, v->policy);
}

static void
call_on_verdict(void *ctx, const struct judge_verdict *v, const struct fault *fault)
{
	struct call *c = ctx;
	struct fault f;

	if (c->gone) {
		if (v != NULL)
			policy_client_refund(c->b->policy, v);
		call_drop(c);
		return;
	}
	if (fault != NULL) {
		call_deny(c, fault, 0, (struct str){"", 0});
		return;
	}
	if (v->kind != VERDICT_ALLOW) {
		call_on_denied(c, v);
		return;
	}
	if (v->max_request_bytes < c->max_request)
		c->max_request = v->max_request_bytes;
	if (v->max_response_bytes < c->max_response)
		c->max_response = v->max_response_bytes;
	if (c->body_size != UINT64_MAX && c->body_size > c->max_request) {
		fault_set(&f, AV_ETOOBIG, "request_too_big", "Send less.",
		    "The body has %llu bytes; the size limit is %llu.",
		    (unsigned long long)c->body_size, (unsigned long long)c->max_request);
		policy_client_refund(c->b->policy, v);
		call_deny(c, &f, 0, v->policy);
		return;
	}
	if (checks_apply_ops(c->req.headers, &c->res->r, v->ops, v->op_count, &f) != AV_OK) {
		policy_client_refund(c->b->policy, v);
		call_deny(c, &f, 0, v->policy);
		return;
	}
	call_release(c, v);
}

static void
call_judge(struct call *c)
{
	const struct keeper_resolved *r = &c->res->r;
	struct str body = {NULL, 0};
	struct judge_ask ask = {
	    .now_ms = clock_wall_ms(),
	    .provider = str_of(r->provider),
	    .capability = str_of(c->req.capability),
	    .credential = str_of(r->credential),
	    .method = str_of(c->req.method),
	    .host = checks_host_name(str_of(r->host)),
	    .path = {(const char *)c->target.path.data, c->target.path.len},
	    .query = {(const char *)c->target.query.data, c->target.query.len},
	    .body_size = c->body_size,
	    .caller = c->req.caller,
	    .headers = c->req.headers->items,
	    .header_count = c->req.headers->count,
	    .policies = r->policies,
	    .policy_count = r->policy_count,
	};
	struct fault f;

	if (r->capability.inspect != INSPECT_NONE && c->req.has_body)
		body = (struct str){c->body.len > 0 ? (const char *)c->body.data : "", c->body.len};
	c->stage = CALL_JUDGE;
	if (policy_client_ask(c->b->policy, &ask, body, call_on_verdict, c, &f) != AV_OK)
		call_deny(c, &f, 0, (struct str){"", 0});
}

/* ---- 6. release: the keeper records the decision, then renders the credential ------------------------------ */

static void
call_on_released(void *ctx, const struct keeper_answer *a)
{
	struct call *c = ctx;
	struct fault gone = {.err = AV_ECUT, .reason = "client_gone"};

	if (a->fault != NULL) {
		/* The keeper has written the row, or will. */
		call_problem(c, &a->fault->fault, a->fault->retry_after);
	} else if (c->gone) {
		call_fail(c, &gone);
	} else {
		call_send(c, a->released);
	}
}

static void
call_release(struct call *c, const struct judge_verdict *v)
{
	struct keeper_release m = {
	    .request_id = str_of(session_request_id(c->s)),
	    .capability = str_of(c->req.capability),
	    .credential = str_of(c->res->r.credential),
	    .caller = c->req.caller,
	    .method = str_of(c->req.method),
	    .host = str_of(c->res->r.host),
	    .path = {(const char *)c->target.path.data, c->target.path.len},
	    .request_bytes = c->body_size,
	    .charges = v->charges,
	    .charge_count = v->charge_count,
	};
	struct fault f;

	c->stage = CALL_RELEASE;
	if (keeper_client_release(c->b->keeper, &m, call_time_left(c), call_on_released, c) !=
	    AV_OK) {
		policy_client_refund(c->b->policy, v);
		fault_set(&f, AV_EUNAVAIL, "keeper_unavailable", "Try again in a moment.",
		    "The keeper could not be asked.");
		call_deny(c, &f, 0, (struct str){"", 0});
	}
}

/* ---- 7. send: the request goes upstream, its body as it comes ----------------------------------------------- */

static void
call_send(struct call *c, const struct keeper_released *released)
{
	struct upstream_request rq = {
	    .method = c->req.method,
	    .host = c->res->r.host,
	    .headers = c->req.headers,
	    .auth = released,
	    .has_body = c->req.has_body,
	    .body_size = c->body_size,
	    .timeout_ms = call_time_left(c),
	};
	struct buf target;
	struct fault f;
	enum av_err e;

	c->stage = CALL_SEND;
	if (c->req.has_body && c->body_ended && c->body.len <= UPSTREAM_INLINE_MAX)
		rq.body =
		    (struct str){c->body.len > 0 ? (const char *)c->body.data : "", c->body.len};
	buf_init(&target, CALL_TARGET_MAX);
	e = outgoing_needles(released, &c->scrub);
	for (size_t i = 0; i < c->res->r.response_block.count && e == AV_OK; i++)
		e = scrub_add_block(&c->scrub, str_of(c->res->r.response_block.items[i]));
	if (e != AV_OK)
		fault_set(&f, e, "scrub", "", "The answer could not be guarded.");
	else
		e = outgoing_build(&c->res->r, &c->target, released, &target, &c->shown, &f);
	rq.target = e == AV_OK ? buf_cstr(&target) : NULL;
	if (e == AV_OK && rq.target == NULL)
		e = fault_set(&f, AV_ENOMEM, "out_of_memory", "", "Out of memory.");
	if (e == AV_OK)
		e = transfer_start(c->b->upstream, &rq, &call_upstream, c, &c->transfer, &f);
	buf_clear(&target);
	if (e != AV_OK)
		call_fail(c, &f);
	else
		session_wake(c->s);
}
