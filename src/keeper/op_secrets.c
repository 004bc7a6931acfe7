/* SPDX-License-Identifier: Apache-2.0 */
/* secrets.create, secrets.list */
#include "keeper/operator_api.h"

#include "audit/last_used.h"
#include "base/clock.h"
#include "keeper/provision.h"

#include <stdlib.h>
#include <string.h>

/* Created, pinned, and a credential for the provider and each of its alternatives. */
#define MAX_EVENTS (3u + MANIFEST_MAX_ALTERNATIVES)

cJSON *
op_secret_metadata(const struct keeper *k, const struct secret_record *r)
{
	cJSON *o = cJSON_CreateObject();
	int64_t used = 0;
	json_text(o, "secretId", r->id);
	json_text(o, "name", r->name);
	json_list(o, "aliases", &r->aliases);
	json_scope(o, "scope", &r->scope);
	json_bool(o, "systemManaged", false);
	if (r->pinned[0] != '\0')
		json_text(o, "pinnedProvider", r->pinned);
	json_number(o, "createdAtMs", r->created_ms);
	json_number(o, "updatedAtMs", r->updated_ms);
	if (last_used_read(k->vault->store, str_of(r->id), &used) == AV_OK && used > 0)
		json_number(o, "lastUsedAtMs", used);
	else
		json_text(o, "lastUsedAtMs", NULL);
	if (r->revoked_ms != 0)
		json_number(o, "revokedAtMs", r->revoked_ms);
	else
		json_text(o, "revokedAtMs", NULL);
	json_number(o, "valueVersion", (int64_t)r->value_version);
	cJSON_AddArrayToObject(o, "attachedGroups");
	if (r->fault.err != AV_OK)
		json_text(o, "fault", r->fault.message);
	return o;
}

static enum av_err
check_taken(struct op_call *c, const struct secret_record *r, struct str name)
{
	const struct vault *v = c->k->vault;
	for (size_t i = 0; i < v->secret_count; i++) {
		const struct secret_record *o = &v->secrets[i];
		if (o->revoked_ms != 0 || !scope_eq(&o->scope, &r->scope))
			continue;
		if (str_eq_cstr(name, o->name) || string_list_has(&o->aliases, name))
			return fault_set(c->fault, AV_EEXISTS, "secret_exists",
			    "Run `aivault secrets rotate` to give it a new value",
			    "a secret with the name %.*s already exists in this scope",
			    STR_FMT(name));
	}
	return AV_OK;
}

static enum av_err
read_args(struct op_call *c, struct secret_record *r)
{
	struct str name = arg_text(c->args, "name");
	enum av_err e = secret_name_check(name, c->fault);
	if (e == AV_OK)
		e = scope_make(arg_text(c->args, "scope"), arg_text(c->args, "workspaceId"),
		    arg_text(c->args, "groupId"), &r->scope, c->fault);
	if (e == AV_OK)
		e = secret_value_check(c->secret, c->fault);
	if (e == AV_OK)
		e = check_taken(c, r, name);
	if (e == AV_OK)
		e = arg_list(c->args, "aliases", &r->aliases);
	if (e == AV_OK && r->aliases.count > SECRET_MAX_ALIASES)
		e = fault_set(c->fault, AV_EUSAGE, "too_many_aliases", "", "at most %u aliases",
		    SECRET_MAX_ALIASES);
	for (size_t i = 0; e == AV_OK && i < r->aliases.count; i++) {
		e = secret_name_check(str_of(r->aliases.items[i]), c->fault);
		if (e == AV_OK)
			e = check_taken(c, r, str_of(r->aliases.items[i]));
	}
	if (e != AV_OK)
		return e;
	uuid_make(r->id);
	r->name = str_dup(name);
	r->aad_version = SECRET_AAD_VERSION;
	r->value_version = 1;
	r->created_ms = r->updated_ms = clock_wall_ms();
	return r->name == NULL ? AV_ENOMEM : AV_OK;
}

/* *enable stays NULL for all. */
static enum av_err
read_enable(struct op_call *c, const struct manifest *m, struct string_list *room,
    const struct string_list **enable)
{
	*enable = NULL;
	if (!arg_has(c->args, "enable"))
		return AV_OK;
	enum av_err e = arg_list(c->args, "enable", room);
	if (e != AV_OK)
		return e;
	if (m == NULL)
		return fault_set(c->fault, AV_EUSAGE, "nothing_to_enable", "Leave --enable away",
		    "no built-in provider claims that name");
	*enable = room;
	if (room->count == 1 && strcmp(room->items[0], "none") == 0) {
		string_list_clear(room);
		return AV_OK;
	}
	for (size_t i = 0; i < room->count; i++)
		if (manifest_capability(m, str_of(room->items[i])) == NULL)
			return fault_set(c->fault, AV_EUSAGE, "capability_not_found",
			    "Run `aivault capability list`", "%s has no capability %s", m->provider,
			    room->items[i]);
	return AV_OK;
}

static enum av_err
store_secret(struct op_call *c, struct secret_record *r, const struct manifest *m,
    const struct string_list *enable)
{
	struct vault *v = c->k->vault;
	struct string_list made = {0};
	struct audit_event events[MAX_EVENTS];
	char scope[SCOPE_TEXT_MAX];
	size_t n = 0;
	enum av_err e = keeper_change_begin(c->k, c->fault);
	if (e != AV_OK)
		return e;
	e = secret_record_put(v->store, v->kek, r);
	if (e == AV_OK)
		e = secret_record_seal(v->store, v->kek, v->pool, r, c->secret);
	if (e == AV_OK && m != NULL)
		e = provision_secret(c, r, m, enable, &made);
	if (e != AV_OK) {
		keeper_change_abort(c->k);
		string_list_clear(&made);
		return fault_set(c->fault, e, "database_write", "Check free space and permissions",
		    "the secret could not be stored: %s", store_message(v->store));
	}
	scope_text(&r->scope, scope);
	events[n] = op_event(c, "secret.create");
	if (m != NULL)
		events[++n] = op_event(c, "secret.pin_provider");
	n++;
	for (size_t i = 0; i < n; i++) {
		events[i].secret_id = str_of(r->id);
		events[i].scope = str_of(scope);
		events[i].note = i == 0 ? str_of(r->name) : str_of(r->pinned);
	}
	for (size_t i = 0; i < made.count && n < MAX_EVENTS; i++, n++) {
		events[n] = op_event(c, "credential.create");
		events[n].credential = str_of(made.items[i]);
		events[n].scope = str_of(scope);
	}
	e = keeper_change_end(c->k, events, n, c->fault);
	string_list_clear(&made);
	return e;
}

enum av_err
op_secrets_create(struct op_call *c)
{
	struct secret_record r = {0};
	struct string_list room = {0};
	const struct string_list *enable = NULL;
	struct str name = arg_text(c->args, "name");
	/* What is wrong with the arguments must not leave a vault behind. */
	enum av_err e = secret_name_check(name, c->fault);
	if (e == AV_OK)
		e = secret_value_check(c->secret, c->fault);
	if (e == AV_OK)
		e = arg_bool(c->args, "create") ? op_ensure_vault(c)
		                                : keeper_usable(c->k, c->fault);
	if (e == AV_OK)
		e = read_args(c, &r);
	if (e != AV_OK)
		goto out;
	const struct manifest *m = builtin_claims(&c->k->builtin, name);
	r.pinned = str_dup(str_of(m != NULL ? m->provider : ""));
	e = r.pinned == NULL ? AV_ENOMEM : read_enable(c, m, &room, &enable);
	if (e == AV_OK)
		e = store_secret(c, &r, m, enable);
	if (e == AV_OK)
		c->result = op_secret_metadata(c->k, &r);
out:
	string_list_clear(&room);
	secret_record_clear(&r);
	return e;
}

/* Without a scope's kind, a workspace's secrets are its own and those of its groups. */
static bool
is_of(const struct op_call *c, const struct scope *scope)
{
	struct str workspace = str_trim(arg_text(c->args, "workspaceId"));
	struct str group = str_trim(arg_text(c->args, "groupId"));
	return (workspace.len == 0 || str_eq_cstr(workspace, scope->workspace)) &&
	    (group.len == 0 || str_eq_cstr(group, scope->group));
}

enum av_err
op_secrets_list(struct op_call *c)
{
	struct scope want = {0};
	bool filter = arg_has(c->args, "scope");
	enum av_err e = op_readable(c);
	if (e == AV_OK && filter)
		e = scope_make(arg_text(c->args, "scope"), arg_text(c->args, "workspaceId"),
		    arg_text(c->args, "groupId"), &want, c->fault);
	if (e != AV_OK)
		return e;
	c->result = cJSON_CreateArray();
	for (size_t i = 0; i < c->k->vault->secret_count; i++) {
		const struct secret_record *r = &c->k->vault->secrets[i];
		if (filter ? scope_eq(&want, &r->scope) : is_of(c, &r->scope))
			cJSON_AddItemToArray(c->result, op_secret_metadata(c->k, r));
	}
	return AV_OK;
}
