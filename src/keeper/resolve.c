/* SPDX-License-Identifier: Apache-2.0 */
#include "keeper/resolve.h"

#include "auth/render.h"
#include "keeper/policy.h"
#include "reach/host.h"

#include <stdio.h>
#include <string.h>

enum av_err
resolve_capability(const struct keeper *k, struct str id, struct resolution *out, struct fault *f)
{
	const struct manifest *m = NULL;
	const struct custom_capability *custom = vault_custom_capability(k->vault, id);
	/* A built-in id comes first: no row can stand in its place. */
	out->capability = builtin_capability(&k->builtin, id, &m);
	if (out->capability != NULL) {
		out->provider = m->provider;
	} else if (custom != NULL) {
		if (custom->fault.err != AV_OK) {
			*f = custom->fault;
			return f->err;
		}
		out->capability = &custom->capability;
		out->provider = custom->provider;
		out->custom = true;
	} else {
		return fault_set(f, AV_ENOCAP, "capability_not_found",
		    "Run `aivault capability list` to see what there is",
		    "capability not found: there is no %.*s here", id.len > 128 ? 128 : (int)id.len,
		    id.p);
	}
	if (vault_capability_is_disabled(k->vault, id))
		return fault_set(f, AV_EPOLICY, "capability_disabled",
		    "The operator can run `aivault capability enable`",
		    "the capability %s is disabled", out->capability->id);
	const struct policy_params *p = vault_policy(k->vault, id);
	if (p != NULL && p->fault.err != AV_OK) {
		*f = p->fault;
		return f->err;
	}
	return AV_OK;
}

static enum av_err
check_caller(
    const struct keeper *k, const struct caller *c, struct resolution *out, struct fault *f)
{
	enum av_err e = scope_of_context(str_of(c->workspace), str_of(c->group), &out->context, f);
	if (e != AV_OK)
		return e;
	if (c->uid == 0 || c->uid == k->owner || out->context.kind == SCOPE_GLOBAL)
		return AV_OK;
	return fault_set(f, AV_EPOLICY, "context_not_granted",
	    "The operator can grant it with `aivault agent allow`",
	    "this user may not name a workspace or group");
}

enum av_err
resolve_check_secrets(const struct keeper *k, const struct credential *c,
    const struct scope *context, struct fault *f)
{
	for (size_t i = 0; i < c->secrets.count; i++) {
		const struct secret_record *s =
		    vault_secret(k->vault, str_of(c->secrets.items[i].value));
		if (s != NULL && s->fault.err != AV_OK) {
			*f = s->fault;
			return f->err;
		}
		if (s == NULL || s->revoked_ms != 0)
			return fault_set(f, AV_ENOCRED, "secret_missing", "Store the secret again",
			    "a secret of the credential %s is gone", c->id);
		if (!scope_reaches(&s->scope, context))
			return fault_set(f, AV_EPOLICY, "secret_out_of_scope",
			    "Name its workspace or group",
			    "the credential %s uses a secret of another workspace or group", c->id);
		if (s->pinned[0] != '\0' && strcmp(s->pinned, c->provider) != 0)
			return fault_set(f, AV_EPOLICY, "secret_pinned", "",
			    "a secret of the credential %s is pinned to %s", c->id, s->pinned);
	}
	return AV_OK;
}

enum av_err
resolve_host(const struct capability *cap, const struct credential *c, char out[RESOLVE_HOST_MAX],
    struct fault *f)
{
	size_t found = 0;
	for (size_t i = 0; i < c->hosts.count; i++) {
		for (size_t j = 0; j < cap->hosts.count; j++) {
			struct str a = str_of(c->hosts.items[i]), b = str_of(cap->hosts.items[j]);
			struct str name, pick;
			uint16_t port = 0;
			bool wild_a = str_starts(a, STR_LIT("*.")),
			     wild_b = str_starts(b, STR_LIT("*."));
			if (wild_a && wild_b)
				continue;
			pick = wild_a ? b : a;
			if (host_parse(pick, false, &name, &port, NULL) != AV_OK ||
			    !host_matches(wild_a ? a : b, name) || pick.len >= RESOLVE_HOST_MAX)
				continue;
			if (found > 0 && str_eq_cstr(pick, out))
				continue;
			memcpy(out, pick.p, pick.len);
			out[pick.len] = '\0';
			found++;
		}
	}
	if (found == 1)
		return AV_OK;
	out[0] = '\0';
	return fault_set(f, AV_EPOLICY, found == 0 ? "host_not_allowed" : "host_ambiguous",
	    "Name the host in the credential", "%s",
	    found == 0 ? "capability and credential share no host: the intersection is empty"
	               : "capability and credential share more than exactly one effective host");
}

static enum av_err
fits(const struct keeper *k, const struct credential *c, struct resolution *out, struct fault *f)
{
	if (strcmp(c->provider, out->provider) != 0)
		return fault_set(f, AV_EPOLICY, "credential_provider", "",
		    "the credential's provider does not match the capability's");
	if (c->fault.err != AV_OK) {
		*f = c->fault;
		return f->err;
	}
	if (!scope_reaches(&c->scope, &out->context))
		return fault_set(f, AV_EPOLICY, "credential_out_of_scope",
		    "Name its workspace or group", "the credential is not scoped to this context");
	if (!credential_serves(c, str_of(out->capability->id)))
		return fault_set(f, AV_EPOLICY, "capability_not_enabled",
		    "The operator can run `aivault capability enable`",
		    "the capability %s is not enabled for the credential %s", out->capability->id,
		    c->id);
	return resolve_check_secrets(k, c, &out->context, f);
}

/* Why none fits: a credential that nearly did tells more than "none". */
static enum av_err
none_fits(
    const struct keeper *k, const struct resolution *out, const struct fault *near, struct fault *f)
{
	const struct manifest *m = builtin_provider(&k->builtin, str_of(out->provider));
	char remedy[240];
	if (near->err != AV_OK) {
		*f = *near;
		return f->err;
	}
	if (m != NULL && m->secrets.count > 0)
		snprintf(remedy, sizeof(remedy), "Run `aivault secrets create --name %s`",
		    m->secrets.items[0].name);
	else
		snprintf(remedy, sizeof(remedy), "Run `aivault credential create` for %s",
		    out->provider);
	return fault_set(
	    f, AV_ENOCRED, "credential_not_found", remedy, "no credential for %s", out->provider);
}

static enum av_err
choose(const struct keeper *k, struct resolution *out, struct fault *f)
{
	const struct vault *v = k->vault;
	const struct credential *best = NULL, *rival = NULL;
	struct fault near = {0};
	for (size_t i = 0; i < v->credential_count; i++) {
		const struct credential *c = &v->credentials[i];
		struct fault why = {0};
		if (strcmp(c->provider, out->provider) != 0)
			continue;
		if (fits(k, c, out, &why) != AV_OK) {
			if (strcmp(why.reason, "credential_out_of_scope") != 0 || near.err == AV_OK)
				near = why;
			continue;
		}
		int order = best == NULL ? 1 : (int)c->scope.kind - (int)best->scope.kind;
		if (order == 0)
			order = c->priority > best->priority ? 1
			    : c->priority < best->priority   ? -1
			                                     : 0;
		if (order > 0) {
			best = c;
			rival = NULL;
		} else if (order == 0) {
			rival = c;
		}
	}
	if (best == NULL)
		return none_fits(k, out, &near, f);
	if (rival != NULL)
		return fault_set(f, AV_EAMBIG, "credential_ambiguous", "Name one with --credential",
		    "multiple credentials fit: %s and %s", best->id, rival->id);
	out->credential = best;
	return AV_OK;
}

enum av_err
resolve_call(const struct keeper *k, struct str capability, struct str credential,
    const struct caller *caller, struct resolution *out, struct fault *f)
{
	memset(out, 0, sizeof(*out));
	enum av_err e = keeper_serves(k, f);
	if (e == AV_OK)
		e = resolve_capability(k, capability, out, f);
	if (e == AV_OK)
		e = check_caller(k, caller, out, f);
	if (e != AV_OK)
		return e;
	if (credential.len == 0) {
		e = choose(k, out, f);
	} else {
		out->credential = vault_credential(k->vault, credential);
		e = out->credential == NULL
		    ? fault_set(f, AV_ENOCRED, "credential_not_found",
		          "Run `aivault credential list`", "there is no such credential")
		    : fits(k, out->credential, out, f);
	}
	return e == AV_OK ? resolve_host(out->capability, out->credential, out->host, f) : e;
}

enum av_err
resolve_answer(const struct keeper *k, const struct keeper_resolve *ask, struct buf *out)
{
	struct resolution r;
	struct keeper_fault fault = {.ask_id = ask->ask_id};
	struct keeper_resolved done = {.ask_id = ask->ask_id};
	struct policy_instance rate;
	enum av_err e =
	    resolve_call(k, ask->capability, ask->credential, &ask->caller, &r, &fault.fault);
	if (e == AV_OK && !auth_is_supported(r.credential->auth.kind))
		e = fault_set(&fault.fault, AV_ENOTSUP, "auth_not_supported", "",
		    "this version has no auth of the kind %s",
		    auth_kind_name(r.credential->auth.kind));
	if (e == AV_OK)
		e = auth_managed(&r.credential->auth, &done.managed_headers, &done.managed_query);
	if (e == AV_OK) {
		/* The encoder reads; the record keeps what it borrows from the vault. */
		done.generation = k->vault->generation;
		done.provider = r.custom ? (char *)"" : (char *)(uintptr_t)r.provider;
		done.capability = *r.capability;
		done.credential = r.credential->id;
		done.host = r.host;
		done.path_prefix = r.credential->path_prefix;
		policy_tell(vault_policy(k->vault, ask->capability), &rate, &done);
		e = keeper_resolved_encode(&done, out);
	}
	/* Whatever it is that one answer cannot carry: the others on this channel have no part in it. */
	if (e != AV_OK) {
		if (fault.fault.err == AV_OK)
			fault_set(&fault.fault, e, "resolve_failed", "Make the credential anew",
			    "%s", av_err_text(e));
		e = keeper_fault_encode(&fault, out);
	}
	string_list_clear(&done.managed_headers);
	string_list_clear(&done.managed_query);
	return e;
}
