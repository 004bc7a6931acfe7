/* SPDX-License-Identifier: Apache-2.0 */
#include "keeper/release.h"

#include "auth/render.h"
#include "base/clock.h"
#include "keeper/denials.h"
#include "keeper/policy.h"
#include "reach/host.h"
#include "reach/reach.h"

#include <stdio.h>
#include <string.h>

static void
set_caller(struct audit_event *e, const struct caller *c)
{
	struct str name = str_of(c->name);
	e->caller_uid = c->uid;
	e->caller_pid = c->pid;
	e->caller_program = str_of(c->program);
	if (str_starts(name, STR_LIT("token:")))
		e->caller_token = name;
	e->caller_user = name;
}

static int64_t
bytes_or_absent(uint64_t n)
{
	return n > INT64_MAX ? AUDIT_ABSENT : (int64_t)n;
}

static bool
request_id_is_valid(struct str s)
{
	if (s.len != KEEPER_REQUEST_ID_LEN)
		return false;
	for (size_t i = 0; i < s.len; i++)
		if (!((s.p[i] >= '0' && s.p[i] <= '9') || (s.p[i] >= 'a' && s.p[i] <= 'f')))
			return false;
	return true;
}

static struct str
without_port(struct str host)
{
	struct str name = host, port;
	return str_cut(host, ':', &name, &port) ? name : host;
}

/* I11: what is pinned goes to its provider's compiled-in hosts, whatever a row says. */
static enum av_err
check_pin(const struct keeper *k, const struct resolution *r, struct fault *f)
{
	struct str host = without_port(str_of(r->host));
	for (size_t i = 0; i < r->credential->secrets.count; i++) {
		const struct secret_record *s =
		    vault_secret(k->vault, str_of(r->credential->secrets.items[i].value));
		if (s == NULL || s->pinned[0] == '\0')
			continue;
		const struct manifest *m = builtin_provider(&k->builtin, str_of(s->pinned));
		bool ok = false;
		for (size_t j = 0; m != NULL && j < m->hosts.count; j++)
			ok = ok || host_matches(str_of(m->hosts.items[j]), host);
		for (size_t a = 0; m != NULL && a < m->alternative_count; a++)
			for (size_t j = 0; j < m->alternatives[a].hosts.count; j++)
				ok = ok ||
				    host_matches(str_of(m->alternatives[a].hosts.items[j]), host);
		if (!ok || strcmp(s->pinned, r->provider) != 0)
			return fault_set(f, AV_EPOLICY, "secret_pinned", "",
			    "the secret is pinned to %s and does not go to this host", s->pinned);
	}
	return AV_OK;
}

static enum av_err
check_ask(struct keeper *k, struct release *r)
{
	const struct keeper_release *ask = &r->ask;
	struct fault *f = &r->fault;
	if (!request_id_is_valid(ask->request_id))
		return fault_set(
		    f, AV_EINVAL, "request_id_invalid", "", "the request id is malformed");
	enum av_err e =
	    resolve_call(k, ask->capability, ask->credential, &ask->caller, &r->resolution, f);
	if (e != AV_OK)
		return e;
	struct str host = without_port(str_of(r->resolution.host));
	if (!str_eq_cstr(ask->host, r->resolution.host) && !str_eq(ask->host, host))
		return fault_set(
		    f, AV_EPOLICY, "host_not_allowed", "", "the host is not the credential's");
	e = reach_allows(r->resolution.capability, ask->method, host, ask->path, f);
	if (e == AV_OK)
		e = check_pin(k, &r->resolution, f);
	if (e == AV_OK)
		e = policy_charge(k, ask, clock_wall_ms(), &r->retry_after, f);
	return e;
}

enum av_err
release_decide(struct keeper *k, struct release *r)
{
	const struct keeper_release *ask = &r->ask;
	struct audit_event e;
	char scope[SCOPE_TEXT_MAX];
	memset(&r->fault, 0, sizeof(r->fault));
	enum av_err err = check_ask(k, r);
	/* A limit that cannot be counted is no reason to go on. */
	if (err == AV_ESYS || err == AV_ENOMEM)
		return err;
	audit_event_init(&e, err == AV_OK ? "invoke.allow" : "invoke.deny", "agent");
	set_caller(&e, &ask->caller);
	e.request_id = ask->request_id;
	e.capability = ask->capability;
	e.credential = ask->credential;
	e.host = ask->host;
	e.method = ask->method;
	e.path = ask->path;
	e.request_bytes = bytes_or_absent(ask->request_bytes);
	e.decision = err == AV_OK ? "allow" : "deny";
	e.reason = str_of(r->fault.reason);
	if (err != AV_OK)
		e.status = av_err_http(err);
	if (err == AV_OK) {
		const struct credential *c = r->resolution.credential;
		e.credential = str_of(c->id);
		e.host = str_of(r->resolution.host);
		scope_text(&c->scope, scope);
		e.scope = str_of(scope);
		if (c->secrets.count > 0)
			e.secret_id = str_of(c->secrets.items[0].value);
		return audit_append(&k->log, &e);
	}
	return denials_append(k->denials, &k->log, &e, clock_mono_ms());
}

static enum av_err
open_secrets(struct keeper *k, const struct credential *c, struct auth_secret *to, struct fault *f)
{
	for (size_t i = 0; i < c->secrets.count; i++) {
		struct secret_record *s = vault_secret(k->vault, str_of(c->secrets.items[i].value));
		if (s == NULL)
			return fault_set(f, AV_ENOCRED, "secret_missing", "", "a secret is gone");
		enum av_err e = secret_record_value(
		    k->vault->store, k->vault->kek, k->vault->pool, s, &to[i].value, f);
		if (e != AV_OK)
			return e;
		to[i].placeholder = str_of(c->secrets.items[i].name);
	}
	return AV_OK;
}

static enum av_err
render(struct keeper *k, const struct release *r, struct auth_output *out, struct fault *f)
{
	struct auth_secret secrets[MANIFEST_MAX_SECRETS];
	const struct credential *c = r->resolution.credential;
	struct auth_input in = {.auth = &c->auth,
	    .secrets = secrets,
	    .secret_count = c->secrets.count,
	    .pool = k->vault->pool};
	if (c->secrets.count > MANIFEST_MAX_SECRETS)
		return fault_set(
		    f, AV_ELIMIT, "too_many_secrets", "", "the credential has too many secrets");
	enum av_err e = open_secrets(k, c, secrets, f);
	return e == AV_OK ? auth_render(&in, out, f) : e;
}

static void
note_render_failure(struct keeper *k, const struct release *r, const struct fault *f)
{
	struct audit_event e;
	audit_event_init(&e, "invoke.outcome", "daemon");
	e.request_id = r->ask.request_id;
	e.capability = r->ask.capability;
	e.reason = STR_LIT("auth_failed");
	e.note = str_of(f->reason);
	keeper_note(k, &e);
}

static enum av_err
too_long(struct fault *f)
{
	return fault_set(f, AV_EAUTH, "auth_too_long",
	    "Shorten the secret or the credential's templates",
	    "the rendered auth does not fit into a request");
}

/* The pool may be full of values that were used before: they are given back, once. */
static enum av_err
render_in_pool(struct keeper *k, const struct release *r, struct auth_output *out, struct fault *f)
{
	enum av_err e = render(k, r, out, f);
	if (e == AV_ELIMIT) {
		vault_forget_values(k->vault);
		memset(f, 0, sizeof(*f));
		e = render(k, r, out, f);
	}
	return e == AV_ELIMIT ? too_long(f) : e;
}

enum av_err
release_answer(struct keeper *k, struct release *r, struct buf *out)
{
	struct auth_output rendered = {0};
	bool released = r->fault.err == AV_OK;
	enum av_err e = AV_OK;
	if (released)
		e = render_in_pool(k, r, &rendered, &r->fault);
	if (released && e == AV_OK) {
		struct keeper_released done = {.ask_id = r->ask.ask_id,
		    .parts = rendered.parts,
		    .part_count = rendered.part_count};
		e = keeper_released_encode(&done, out);
		/* Each part was short enough, all together are not. */
		if (e != AV_OK)
			(void)too_long(&r->fault);
	}
	if (r->fault.err != AV_OK) {
		struct keeper_fault fault = {
		    .ask_id = r->ask.ask_id, .fault = r->fault, .retry_after = r->retry_after};
		if (released)
			note_render_failure(k, r, &r->fault);
		e = keeper_fault_encode(&fault, out);
	}
	auth_output_clear(&rendered);
	return e;
}

void
release_clear(struct release *r)
{
	keeper_release_clear(&r->ask);
	memset(r, 0, sizeof(*r));
}

enum av_err
release_note_denied(struct keeper *k, const struct keeper_denied *d)
{
	struct audit_event e;
	audit_event_init(&e, "invoke.deny", "agent");
	set_caller(&e, &d->caller);
	e.request_id = d->request_id;
	e.capability = d->capability;
	e.credential = d->credential;
	e.host = d->host;
	e.method = d->method;
	e.path = d->path;
	e.decision = "deny";
	e.reason = d->reason;
	e.policy = d->policy;
	e.status = d->status;
	return denials_append(k->denials, &k->log, &e, clock_mono_ms());
}

enum av_err
release_note_outcome(struct keeper *k, const struct keeper_outcome *o)
{
	struct audit_event e;
	audit_event_init(&e, "invoke.outcome", "agent");
	e.request_id = o->request_id;
	e.capability = o->capability;
	e.reason = o->reason;
	e.status = o->status != 0 ? (int64_t)o->status : AUDIT_ABSENT;
	e.request_bytes = bytes_or_absent(o->request_bytes);
	e.response_bytes = bytes_or_absent(o->response_bytes);
	e.duration_ms = bytes_or_absent(o->duration_ms);
	return audit_append(&k->log, &e);
}
