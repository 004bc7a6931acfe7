/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/call.h"

#include "base/clock.h"
#include "broker/invoke.h"
#include "broker/keeper_client.h"

#include <stdlib.h>

/* Every exit comes through here: what was secret is wiped. */
void
call_free(struct call *c)
{
	struct broker *b = c->b;

	resolution_unref(c->res);
	target_clear(&c->target);
	buf_clear(&c->body);
	held_end(&c->held);
	if (c->envelope != NULL)
		envelope_clear(c->envelope);
	free(c->envelope);
	buf_clear(&c->shown);
	scrub_clear(&c->scrub);
	*c->link = c->next;
	if (c->next != NULL)
		c->next->link = c->link;
	free(c);
	broker_call_ends(b);
}

void
call_problem(struct call *c, const struct fault *f, uint32_t retry_after)
{
	struct session *s = c->s;
	struct fault told = *f; /* it may be the call's own */
	bool cut = c->gone || c->head_sent;

	call_free(c);
	if (cut)
		session_cut(s);
	else
		session_problem(s, &told, retry_after);
}

void
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
	call_problem(c, f, retry_after);
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

void
call_fail(struct call *c, const struct fault *f)
{
	call_outcome(c, f->reason);
	call_problem(c, f, 0);
}

void
call_done(struct call *c)
{
	struct session *s = c->s;

	call_outcome(c, "");
	call_free(c);
	session_end(s);
}

void
call_drop(struct call *c)
{
	struct session *s = c->s;

	call_free(c);
	session_cut(s);
}

void
invoke_end(struct broker *b, struct str capability, struct str credential, const struct fault *f)
{
	struct call *c = b->calls;

	while (c != NULL) {
		struct call *next = c->next;

		if (c->stage == CALL_SEND && c->transfer != NULL &&
		    (capability.len == 0 || str_eq_cstr(capability, c->req.capability)) &&
		    (credential.len == 0 || str_eq_cstr(credential, c->res->r.credential))) {
			transfer_cancel(c->transfer);
			call_fail(c, f);
		}
		c = next;
	}
}
