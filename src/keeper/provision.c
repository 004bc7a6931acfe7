/* SPDX-License-Identifier: Apache-2.0 */
#include "keeper/provision.h"

#include "base/clock.h"

#include <stdio.h>
#include <string.h>

struct need {
	const struct manifest *m;
	const struct alternative *alt; /* NULL: the provider's main auth */
	const struct pair_list *secrets;
};

static bool
claims(const struct pair_list *secrets, const char *name)
{
	for (size_t i = 0; i < secrets->count; i++)
		if (strcmp(secrets->items[i].name, name) == 0)
			return true;
	return false;
}

/* Placeholder -> secret id for each that is there; *missing gets the first name that is not. */
static enum av_err
collect(const struct keeper *k, const struct need *n, const struct secret_record *fresh,
    struct pair_list *out, const char **missing)
{
	enum av_err e = AV_OK;
	*missing = NULL;
	for (size_t i = 0; e == AV_OK && i < n->secrets->count; i++) {
		const struct pair *p = &n->secrets->items[i];
		const struct secret_record *s = fresh;
		if (strcmp(p->name, fresh->name) != 0)
			s = vault_secret_named(k->vault, str_of(p->name), &fresh->scope);
		if (s == NULL || s->fault.err != AV_OK) {
			if (*missing == NULL)
				*missing = p->name;
			continue;
		}
		e = pair_list_add(out, str_of(p->value), str_of(s->id));
	}
	return e;
}

static void
make_id(const struct need *n, const struct scope *s, char *out, size_t room)
{
	const char *colon = n->alt != NULL ? ":" : "", *alt = n->alt != NULL ? n->alt->id : "";
	if (s->kind == SCOPE_GROUP)
		snprintf(out, room, "%s%s%s:group:%s:%s", n->m->provider, colon, alt, s->workspace,
		    s->group);
	else if (s->kind == SCOPE_WORKSPACE)
		snprintf(out, room, "%s%s%s:ws:%s", n->m->provider, colon, alt, s->workspace);
	else
		snprintf(out, room, "%s%s%s", n->m->provider, colon, alt);
}

static enum av_err
enabled_list(const struct need *n, const struct string_list *enable, struct string_list *out)
{
	enum av_err e = AV_OK;
	for (size_t i = 0; e == AV_OK && i < n->m->capability_count; i++) {
		const struct capability *cap = &n->m->capabilities[i];
		struct str id = str_of(cap->id);
		/* Another alternative of the provider serves it, at other hosts. */
		if (!hosts_meet(n->alt != NULL ? &n->alt->hosts : &n->m->hosts, &cap->hosts))
			continue;
		if (enable != NULL && !string_list_has(enable, id))
			continue;
		if (n->alt != NULL && n->alt->capabilities.count > 0 &&
		    !string_list_has(&n->alt->capabilities, id))
			continue;
		e = string_list_add(out, id);
	}
	return e;
}

static enum av_err
put(struct op_call *c, const struct need *n, const struct secret_record *fresh, char *id,
    const struct pair_list *secrets, const struct string_list *enable, size_t *enabled)
{
	const struct credential *old = vault_credential(c->k->vault, str_of(id));
	struct credential cred = {.id = id,
	    .provider = n->m->provider,
	    .alternative = n->alt != NULL ? n->alt->id : (char *)"",
	    .source = CREDENTIAL_PROVISIONED,
	    .path_prefix = (char *)"",
	    .scope = fresh->scope,
	    .secrets = *secrets,
	    .updated_ms = clock_wall_ms()};
	cred.created_ms = old != NULL ? old->created_ms : cred.updated_ms;
	enum av_err e = enabled_list(n, enable, &cred.capabilities);
	*enabled = cred.capabilities.count;
	if (e == AV_OK)
		e = credential_put(c->k->vault->store, c->k->vault->kek, &cred);
	string_list_clear(&cred.capabilities);
	return e;
}

static enum av_err
provision_one(struct op_call *c, const struct need *n, const struct secret_record *fresh,
    const struct string_list *enable, struct string_list *made)
{
	char id[CREDENTIAL_ID_MAX + 64];
	struct pair_list secrets = {0};
	const char *missing = NULL;
	size_t enabled = 0;
	make_id(n, &fresh->scope, id, sizeof(id));
	const struct credential *old = vault_credential(c->k->vault, str_of(id));
	enum av_err e = collect(c->k, n, fresh, &secrets, &missing);
	if (e != AV_OK)
		goto out;
	if (missing != NULL) {
		op_note(c, "waiting for %s before %s can be used", missing, n->m->provider);
		goto out;
	}
	if (old != NULL && old->source == CREDENTIAL_CUSTOM) {
		op_note(c, "the credential %s was made by hand and stays as it is", id);
		goto out;
	}
	e = put(c, n, fresh, id, &secrets, enable, &enabled);
	if (e == AV_OK)
		e = string_list_add(made, str_of(id));
	if (e == AV_OK)
		op_note(c, "credential %s %s: %zu %s enabled", id,
		    old != NULL ? "reconciled" : "made", enabled,
		    enabled == 1 ? "capability" : "capabilities");
out:
	pair_list_clear(&secrets);
	return e;
}

enum av_err
provision_secret(struct op_call *c, const struct secret_record *fresh, const struct manifest *m,
    const struct string_list *enable, struct string_list *made)
{
	enum av_err e = AV_OK;
	struct need n = {m, NULL, &m->secrets};
	op_note(c, "%s is pinned to %s", fresh->name, m->provider);
	if (claims(&m->secrets, fresh->name))
		e = provision_one(c, &n, fresh, enable, made);
	for (size_t i = 0; e == AV_OK && i < m->alternative_count; i++) {
		struct need alt = {m, &m->alternatives[i], &m->alternatives[i].secrets};
		if (claims(alt.secrets, fresh->name))
			e = provision_one(c, &alt, fresh, enable, made);
	}
	return e;
}
