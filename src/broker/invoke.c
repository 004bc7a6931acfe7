/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One call, top to bottom: start, resolve, check, read the body where a policy wants to see it,
 * judge, release, send, relay, outcome. Every step either hands on to the next or ends the call in
 * call_deny() (we said no), call_fail() (it did not work) or call_done().
 */
#include "broker/invoke.h"

#include "base/clock.h"
#include "broker/checks.h"
#include "broker/keeper_client.h"
#include "broker/outgoing.h"
#include "broker/policy_client.h"
#include "broker/request.h"
#include "broker/resolve_cache.h"
#include "broker/scrub.h"
#include "broker/session.h"
#include "broker/upstream.h"

#include <stdlib.h>
#include <string.h>

#define CALL_RING (256u * 1024u)  /* body bytes on their way up */
#define CALL_COMPACT (64u * 1024u)
#define CALL_TARGET_MAX (192u * 1024u)
#define CALL_HEAD_MAX (256u * 1024u)

enum call_stage {
	CALL_RESOLVE, /* the keeper is asked */
	CALL_BODY,    /* the body is read for the judge */
	CALL_JUDGE,   /* the judge is asked */
	CALL_RELEASE, /* the keeper is asked for the credential */
	CALL_SEND,    /* the upstream has the word */
};

struct call {
	struct broker *b;
	struct session *s;
	enum call_stage stage;
	bool gone; /* the client went away; an answer that we wait for will end the call */
	struct invoke_request req;
	struct resolution *res;
	struct target target;
	struct buf body;    /* what came of it and has not gone up */
	size_t body_off;    /* of that, what has gone up */
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

static void call_resolve(struct call *c);
static void call_check(struct call *c);
static void call_read_body(struct call *c);
static void call_judge(struct call *c);
static void call_release(struct call *c, const struct judge_verdict *v);
static void call_send(struct call *c, const struct keeper_released *released);

static const struct exchange_ops call_exchange;

/* ---- how a call ends ---------------------------------------------------------------------------- */

/* Every exit comes through here: what was secret is wiped. */
static void
call_free(struct call *c)
{
	struct broker *b = c->b;

	resolution_unref(c->res);
	target_clear(&c->target);
	buf_clear(&c->body);
	buf_clear(&c->shown);
	scrub_clear(&c->scrub);
	free(c);
	broker_call_ends(b);
}

/* The answer is a problem, or, where a part of an answer went out already, a cut connection. */
static void
call_answer_problem(struct call *c, const struct fault *f, uint32_t retry_after)
{
	struct session *s = c->s;
	bool cut = c->gone || c->head_sent;

	call_free(c);
	if (cut)
		session_cut(s);
	else
		session_problem(s, f, retry_after);
}

/* We or the judge said no: that is a row in the audit log. */
static void
call_deny(struct call *c, const struct fault *f, uint32_t retry_after, struct str policy)
{
	struct keeper_denied m = {0};

	m.request_id = str_of(session_request_id(c->s));
	m.capability = str_of(c->req.capability);
	m.credential = str_of(c->res != NULL ? c->res->r.credential : c->req.credential);
	m.caller = c->req.caller;
	m.method = str_of(c->req.method);
	m.host = str_of(c->res != NULL ? c->res->r.host : "");
	m.path = (struct str){(const char *)c->target.path.data, c->target.path.len};
	m.reason = str_of(f->reason[0] != '\0' ? f->reason : av_err_code(f->err));
	m.policy = policy;
	m.status = (uint32_t)av_err_http(f->err);
	keeper_client_denied(c->b->keeper, &m);
	call_answer_problem(c, f, retry_after);
}

/* A released call is over: its second row. */
static void
call_outcome(struct call *c, const char *reason)
{
	struct keeper_outcome m = {0};

	m.request_id = str_of(session_request_id(c->s));
	m.capability = str_of(c->req.capability);
	m.status = c->status;
	m.request_bytes = c->request_bytes;
	m.response_bytes = c->response_bytes;
	m.duration_ms = clock_mono_ms() - c->started_ms;
	m.reason = str_of(reason);
	keeper_client_outcome(c->b->keeper, &m);
}

static void
call_fail(struct call *c, const struct fault *f)
{
	call_outcome(c, f->reason);
	call_answer_problem(c, f, 0);
}

static void
call_done(struct call *c)
{
	struct session *s = c->s;

	call_outcome(c, "");
	call_free(c);
	session_end(s);
}

/* An answer came for a client that is not there any more, before anything was released. */
static void
call_drop(struct call *c)
{
	struct session *s = c->s;

	call_free(c);
	session_cut(s);
}

/* ---- 1. start ----------------------------------------------------------------------------------- */

void
invoke_start(struct session *s)
{
	struct call *c = calloc(1, sizeof(*c));
	struct fault f;

	if (c == NULL) {
		fault_set(&f, AV_ENOMEM, "out_of_memory", "", "Out of memory.");
		session_problem(s, &f, 0);
		return;
	}
	c->b = session_broker(s);
	c->s = s;
	c->started_ms = clock_mono_ms();
	c->max_request = UINT64_MAX;
	c->max_response = UINT64_MAX;
	target_init(&c->target);
	buf_init(&c->body, JUDGE_BODY_MAX + 1);
	buf_init(&c->shown, CALL_TARGET_MAX);
	scrub_init(&c->scrub);
	broker_call_begins(c->b);
	if (invoke_request_parse(&c->req, session_message(s), session_caller(s), &f) != AV_OK) {
		/* Not a call yet: there is no capability that a row could name. */
		call_answer_problem(c, &f, 0);
		return;
	}
	c->body_size = c->req.body_size;
	c->body_ended = !c->req.has_body;
	session_take(s, &call_exchange, c);
	call_resolve(c);
}

/* ---- 2. resolve: what is that capability, for this caller? ---------------------------------------- */

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
	c->res = resolve_cache_put(c->b->resolved, &key, keeper_client_generation(c->b->keeper),
	    a->resolved);
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
	if (keeper_client_resolve(c->b->keeper, &m, call_on_resolved, c) != AV_OK) {
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
		fault_set(f, e, "path_too_long", "Send a shorter query.", "The target is too long.");
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

static void call_body_is_whole(struct call *c);

static void
call_read_body(struct call *c)
{
	c->stage = CALL_BODY;
	if (c->body_ended)
		call_body_is_whole(c);
	else
		session_wake(c->s);
}

static void
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
		call_deny(c, &f, 0, v->policy);
		return;
	}
	if (checks_apply_ops(c->req.headers, &c->res->r, v->ops, v->op_count, &f) != AV_OK) {
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
		/* The keeper has written the row. */
		call_answer_problem(c, &a->fault->fault, a->fault->retry_after);
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
	if (keeper_client_release(c->b->keeper, &m, call_on_released, c) != AV_OK) {
		fault_set(&f, AV_EUNAVAIL, "keeper_unavailable", "Try again in a moment.",
		    "The keeper could not be asked.");
		call_deny(c, &f, 0, (struct str){"", 0});
	}
}

/* ---- 7. send: the request goes upstream, its body as it comes ----------------------------------------------- */

static const struct upstream_ops call_upstream;

static uint64_t
call_time_left(const struct call *c)
{
	uint64_t used = clock_mono_ms() - c->started_ms;

	if (c->req.timeout_ms == 0)
		return 0;
	return used < c->req.timeout_ms ? c->req.timeout_ms - used : 1;
}

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
		.http = c->res->r.capability.http,
		.timeout_ms = call_time_left(c),
	};
	struct buf target;
	struct fault f;
	enum av_err e;

	c->stage = CALL_SEND;
	if (c->req.has_body && c->body_ended && c->body.len <= UPSTREAM_INLINE_MAX)
		rq.body = (struct str){c->body.len > 0 ? (const char *)c->body.data : "", c->body.len};
	buf_init(&target, CALL_TARGET_MAX);
	e = outgoing_needles(released, &c->scrub);
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

static size_t
call_on_read(void *ctx, char *out, size_t room, bool *ended)
{
	struct call *c = ctx;
	size_t n = c->body.len - c->body_off;

	if (n > room)
		n = room;
	if (n > 0)
		memcpy(out, c->body.data + c->body_off, n);
	c->body_off += n;
	if (c->body_off == c->body.len || c->body_off >= CALL_COMPACT) {
		buf_consume(&c->body, c->body_off);
		c->body_off = 0;
	}
	*ended = c->body_ended && c->body.len == c->body_off;
	if (!c->body_ended)
		session_wake(c->s);
	return n;
}

/* ---- the client's side of the body ---------------------------------------------------------------------------- */

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
		call_answer_problem(c, f, 0);
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

static const struct exchange_ops call_exchange = {
	.room = call_room,
	.body = call_on_client_body,
	.body_end = call_on_client_body_end,
	.drained = call_on_client_drained,
	.bad = call_on_client_bad,
	.gone = call_on_client_gone,
};

/* ---- 8. relay: the answer streams back, cleaned --------------------------------------------------------------- */

static void
call_put_headers(struct call *c, const struct header_list *headers, bool decoded, struct buf *head)
{
	struct buf value;
	size_t i;

	buf_init(&value, HEADER_MAX_BYTES);
	for (i = 0; i < headers->count; i++) {
		const struct header *h = &headers->items[i];

		if (!header_is_response_safe(h->name) || str_eq_cstr(h->name, "content-length") ||
		    (decoded && str_eq_cstr(h->name, "content-encoding")))
			continue;
		if (scrub_in_name(&c->scrub, h->name) ||
		    scrub_text(&c->scrub, h->value, &value) != AV_OK)
			continue;
		(void)buf_append(head, h->name.p, h->name.len);
		(void)buf_append(head, ": ", 2);
		(void)buf_append(head, value.data, value.len);
		(void)buf_append(head, "\r\n", 2);
	}
	buf_clear(&value);
}

static enum upstream_take
call_on_head(void *ctx, unsigned status, const struct header_list *headers, uint64_t length)
{
	struct call *c = ctx;
	bool no_body = strcmp(c->req.method, "HEAD") == 0 || status == 204 || status == 304;
	struct buf head;

	c->status = status;
	if (!no_body && length != UINT64_MAX && length > c->max_response) {
		fault_set(&c->stop, AV_ETOOBIG, "response_too_big", "Ask for less.",
		    "The answer has %llu bytes; the size limit is %llu.", (unsigned long long)length,
		    (unsigned long long)c->max_response);
		return UPSTREAM_STOP;
	}
	buf_init(&head, CALL_HEAD_MAX);
	reply_status_line(&head, status);
	call_put_headers(c, headers, true, &head);
	reply_header(&head, "Aivault-Credential", str_of(c->res->r.credential));
	reply_header(&head, "Aivault-Upstream",
	    (struct str){(const char *)c->shown.data, c->shown.len});
	if (buf_err(&head) != AV_OK) {
		fault_set(&c->stop, AV_EUPSTREAM, "upstream_head_too_large", "",
		    "The headers of the answer are over a limit.");
		buf_clear(&head);
		return UPSTREAM_STOP;
	}
	/* Before anything can end the call from inside session_begin(). */
	c->head_sent = true;
	session_begin(c->s, &head, status == 204 ? UINT64_MAX : length, no_body);
	buf_clear(&head);
	return UPSTREAM_TAKEN;
}

static enum upstream_take
call_on_body(void *ctx, const uint8_t *p, size_t len)
{
	struct call *c = ctx;
	struct session *s = c->s;
	struct buf clean;
	enum av_err e;

	if (session_unsent(s) >= SESSION_UNSENT_HIGH)
		return UPSTREAM_WAIT;
	c->response_bytes += len;
	if (c->response_bytes > c->max_response) {
		fault_set(&c->stop, AV_ETOOBIG, "cut_by_limit", "", "The answer is over the limit.");
		return UPSTREAM_STOP;
	}
	if (c->scrub.count == 0) {
		session_send(s, p, len);
		return UPSTREAM_TAKEN;
	}
	buf_init(&clean, len + SCRUB_MAX_NEEDLE);
	e = scrub_feed(&c->scrub, p, len, &clean);
	if (e == AV_OK)
		session_send(s, clean.data, clean.len);
	else
		fault_set(&c->stop, e, "scrub", "", "The answer could not be guarded.");
	buf_clear(&clean);
	return e == AV_OK ? UPSTREAM_TAKEN : UPSTREAM_STOP;
}

/* ---- 9. the outcome ---------------------------------------------------------------------------------------------- */

static void
call_on_upstream_done(void *ctx, const struct upstream_result *r)
{
	struct call *c = ctx;
	struct buf rest;

	c->transfer = NULL;
	if (c->stop.err != AV_OK) {
		call_fail(c, &c->stop);
		return;
	}
	if (r->fault.err != AV_OK) {
		call_fail(c, &r->fault);
		return;
	}
	buf_init(&rest, SCRUB_MAX_NEEDLE);
	if (scrub_end(&c->scrub, &rest) == AV_OK)
		session_send(c->s, rest.data, rest.len);
	buf_clear(&rest);
	call_done(c);
}

static const struct upstream_ops call_upstream = {
	.head = call_on_head,
	.body = call_on_body,
	.read = call_on_read,
	.done = call_on_upstream_done,
};
