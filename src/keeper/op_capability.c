/* SPDX-License-Identifier: Apache-2.0 */
/* capability.create, capability.list, capability.enable, capability.disable */
#include "keeper/operator_api.h"

#include "keeper/channel.h"
#include "keeper/list.h"
#include "keeper/policy.h"
#include "keeper/resolve.h"
#include "reach/host.h"

#include <stdlib.h>
#include <string.h>

static cJSON *
describe(const char *id, const char *provider, const struct capability *c)
{
	cJSON *o = cJSON_CreateObject();
	json_text(o, "id", id);
	json_text(o, "provider", provider);
	cJSON *allow = cJSON_AddObjectToObject(o, "allow");
	json_list(allow, "hosts", &c->hosts);
	json_list(allow, "methods", &c->methods);
	json_list(allow, "pathPrefixes", &c->paths);
	return o;
}

static enum av_err
pick_provider(struct op_call *c, const struct credential **cred, struct str *provider)
{
	struct str id = arg_text(c->args, "credential");
	*provider = arg_text(c->args, "provider");
	*cred = NULL;
	if (id.len > 0) {
		*cred = vault_credential(c->k->vault, id);
		if (*cred == NULL)
			return fault_set(c->fault, AV_ENOCRED, "credential_not_found",
			    "Run `aivault credential list`", "there is no such credential");
		if (provider->len > 0 && !str_eq_cstr(*provider, (*cred)->provider))
			return fault_set(c->fault, AV_EUSAGE, "credential_provider", "",
			    "the credential is for the provider %s", (*cred)->provider);
		*provider = str_of((*cred)->provider);
	}
	if (provider->len == 0)
		return fault_set(c->fault, AV_EUSAGE, "provider_missing", "",
		    "--provider or --credential is required");
	if (provider->len > 64 || !credential_id_is_valid(*provider))
		return fault_set(c->fault, AV_EUSAGE, "provider_invalid", "",
		    "a provider's name is letters, digits and ._-, at most 64 bytes");
	return AV_OK;
}

/* Exactly one, without a wildcard: what a capability made by hand reaches is one place. */
static enum av_err
read_host(struct op_call *c, const struct credential *cred, struct capability *cap,
    const struct manifest *m)
{
	struct str name;
	uint16_t port = 0;
	bool known = m == NULL;
	enum av_err e = arg_list(c->args, "hosts", &cap->hosts);
	if (e == AV_OK && cap->hosts.count == 0 && cred != NULL)
		for (size_t i = 0; e == AV_OK && i < cred->hosts.count; i++)
			e = string_list_add(&cap->hosts, str_of(cred->hosts.items[i]));
	if (e != AV_OK)
		return e;
	if (cap->hosts.count != 1)
		return fault_set(c->fault, AV_EUSAGE, "one_host", "Name it with --host",
		    "a capability has exactly one host");
	e = host_parse(str_of(cap->hosts.items[0]), false, &name, &port, c->fault);
	if (e != AV_OK)
		return e;
#ifndef AV_DEV
	if (port != 0 && port != 443)
		return fault_set(
		    c->fault, AV_EUSAGE, "port_not_allowed", "", "a host has no port but 443");
#endif
	for (size_t i = 0; m != NULL && i < m->hosts.count; i++)
		known = known || host_matches(str_of(m->hosts.items[i]), name);
	if (!known)
		return fault_set(c->fault, AV_EPOLICY, "host_not_allowed", "",
		    "the host is not one of the built-in provider's");
	char both[RESOLVE_HOST_MAX];
	if (cred != NULL && resolve_host(cap, cred, both, NULL) != AV_OK)
		return fault_set(c->fault, AV_EPOLICY, "host_not_allowed",
		    "Name one of the credential's hosts with --host, or create a credential for "
		    "this host",
		    "the credential %s does not have the host", cred->id);
	return AV_OK;
}

static enum av_err
read_args(struct op_call *c, struct capability *cap, struct str *provider)
{
	struct str id = arg_text(c->args, "id");
	const struct credential *cred = NULL;
	if (!id_is_valid(id))
		return fault_set(c->fault, AV_EUSAGE, "capability_id_invalid", "",
		    "a capability's id is [a-z0-9._-] segments joined by '/', at most 128 bytes");
	if (builtin_capability(&c->k->builtin, id, NULL) != NULL ||
	    vault_custom_capability(c->k->vault, id) != NULL)
		return fault_set(c->fault, AV_EEXISTS, "capability_exists", "Choose another id",
		    "the capability %.*s already exists", STR_FMT(id));
	enum av_err e = pick_provider(c, &cred, provider);
	if (e != AV_OK)
		return e;
	cap->id = str_dup(id);
	cap->about = str_dup(STR_LIT(""));
	cap->http = 1;
	if (cap->id == NULL || cap->about == NULL)
		return AV_ENOMEM;
	e = arg_list(c->args, "methods", &cap->methods);
	if (e == AV_OK)
		e = arg_list(c->args, "paths", &cap->paths);
	if (e == AV_OK && (cap->methods.count == 0 || cap->paths.count == 0))
		return fault_set(c->fault, AV_EUSAGE, "reach_missing", "",
		    "at least one --method and one --path are required");
	if (e == AV_OK)
		e = read_host(c, cred, cap, builtin_provider(&c->k->builtin, *provider));
	if (e == AV_OK && capability_validate(cap, c->fault) != AV_OK) {
		/* The rule is a script's too; the remedy here is another flag. */
		c->fault->err = e = AV_EUSAGE;
		c->fault->remedy[0] = '\0';
	}
	return e;
}

static enum av_err
store_capability(struct op_call *c, const char *provider, const struct capability *cap)
{
	enum av_err e = keeper_change_begin(c->k, c->fault);
	if (e != AV_OK)
		return e;
	e = vault_capability_put(c->k->vault, provider, cap);
	if (e != AV_OK) {
		keeper_change_abort(c->k);
		return fault_set(c->fault, e, "database_write", "Check free space and permissions",
		    "the capability could not be stored: %s", store_message(c->k->vault->store));
	}
	struct audit_event event = op_event(c, "capability.create");
	event.capability = str_of(cap->id);
	event.host = str_of(cap->hosts.items[0]);
	event.path = str_of(cap->paths.items[0]);
	return keeper_change_end(c->k, &event, 1, c->fault);
}

enum av_err
op_capability_create(struct op_call *c)
{
	struct capability cap = {0};
	struct str provider = STR_LIT("");
	char *name = NULL;
	enum av_err e = keeper_usable(c->k, c->fault);
	if (e == AV_OK)
		e = read_args(c, &cap, &provider);
	if (e == AV_OK) {
		/* It may borrow from a row that the change loads anew. */
		name = str_dup(provider);
		e = name == NULL ? AV_ENOMEM : store_capability(c, name, &cap);
	}
	if (e == AV_OK)
		c->result = describe(cap.id, name, &cap);
	free(name);
	capability_clear(&cap);
	return e;
}

static void
add_state(const struct keeper *k, cJSON *o, const char *id)
{
	enum list_state state = list_state(k, id);
	json_bool(o, "ready", state == LIST_READY);
	json_text(o, "state", list_state_word(state));
}

static void
add_builtin(
    const struct keeper *k, cJSON *to, const struct manifest *m, const struct capability *cap)
{
	cJSON *o = describe(cap->id, m->provider, cap);
	add_state(k, o, cap->id);
	json_bool(o, "enabled",
	    k->vault == NULL || !vault_capability_is_disabled(k->vault, str_of(cap->id)));
	cJSON *secrets = cJSON_AddObjectToObject(o, "requiredSecrets");
	const struct pair_list *needs = manifest_secrets_for(m, cap);
	for (size_t i = 0; needs != NULL && i < needs->count; i++)
		json_text(secrets, needs->items[i].name, needs->items[i].value);
	cJSON_AddItemToArray(to, o);
}

enum av_err
op_capability_list(struct op_call *c)
{
	const struct keeper *k = c->k;
	enum av_err e = op_readable(c);
	/* What is built in can be read without a vault. */
	if (e != AV_OK && e != AV_ENOVAULT)
		return e;
	memset(c->fault, 0, sizeof(*c->fault));
	c->result = cJSON_CreateObject();
	cJSON *own = cJSON_AddArrayToObject(c->result, "capabilities");
	for (size_t i = 0; k->vault != NULL && i < k->vault->capability_count; i++) {
		const struct custom_capability *cc = &k->vault->capabilities[i];
		cJSON *o = describe(cc->id, cc->provider, &cc->capability);
		add_state(k, o, cc->id);
		json_bool(o, "enabled", !vault_capability_is_disabled(k->vault, str_of(cc->id)));
		if (cc->fault.err != AV_OK)
			json_text(o, "fault", cc->fault.message);
		cJSON_AddItemToArray(own, o);
	}
	cJSON *builtin = cJSON_AddArrayToObject(c->result, "registryCapabilities");
	for (size_t i = 0; i < k->builtin.count; i++)
		for (size_t j = 0; j < k->builtin.items[i]->capability_count; j++)
			add_builtin(
			    k, builtin, k->builtin.items[i], &k->builtin.items[i]->capabilities[j]);
	cJSON *policies = cJSON_AddArrayToObject(c->result, "policies");
	for (size_t i = 0; k->vault != NULL && i < k->vault->policy_count; i++)
		cJSON_AddItemToArray(policies,
		    policy_describe(k->vault->policies[i].capability, &k->vault->policies[i]));
	json_text(c->result, "path", k->paths.database);
	return AV_OK;
}

/* Adds a built-in capability to the list of each credential of its provider that lacks it. */
static enum av_err
light_up(struct op_call *c, struct str id, const struct manifest *m)
{
	struct vault *v = c->k->vault;
	enum av_err e = AV_OK;
	for (size_t i = 0; e == AV_OK && i < v->credential_count; i++) {
		struct credential *cred = &v->credentials[i];
		if (cred->fault.err != AV_OK || strcmp(cred->provider, m->provider) != 0 ||
		    credential_serves(cred, id) || cred->alternative[0] != '\0')
			continue;
		e = string_list_add(&cred->capabilities, id);
		if (e == AV_OK)
			e = credential_put(v->store, v->kek, cred);
	}
	return e;
}

static enum av_err
set_enabled(struct op_call *c, bool enabled)
{
	struct str id = arg_text(c->args, "id");
	const struct manifest *m = NULL;
	enum av_err e = keeper_usable(c->k, c->fault);
	if (e != AV_OK)
		return e;
	if (builtin_capability(&c->k->builtin, id, &m) == NULL &&
	    vault_custom_capability(c->k->vault, id) == NULL)
		return fault_set(c->fault, AV_ENOCAP, "capability_not_found",
		    "Run `aivault capability list`", "capability not found: there is no %.*s here",
		    id.len > 128 ? 128 : (int)id.len, id.p);
	e = keeper_change_begin(c->k, c->fault);
	if (e != AV_OK)
		return e;
	e = vault_capability_set_disabled(c->k->vault, id, !enabled);
	if (e == AV_OK && enabled && m != NULL)
		e = light_up(c, id, m);
	if (e != AV_OK) {
		keeper_change_abort(c->k);
		return fault_set(c->fault, e, "database_write", "Check free space and permissions",
		    "the change could not be stored: %s", store_message(c->k->vault->store));
	}
	struct audit_event event =
	    op_event(c, enabled ? "capability.enable" : "capability.disable");
	event.capability = id;
	e = keeper_change_end(c->k, &event, 1, c->fault);
	if (e == AV_OK && !enabled) {
		struct fault ended;
		fault_set(&ended, AV_EPOLICY, "capability_disabled",
		    "The operator can run `aivault capability enable`",
		    "the capability was disabled while the call ran");
		channel_revoke(c->k, id, STR_LIT(""), &ended);
	}
	if (e == AV_OK) {
		char *text = str_dup(id);
		c->result = cJSON_CreateObject();
		json_text(c->result, "id", text);
		json_bool(c->result, "enabled", enabled);
		free(text);
	}
	return e;
}

enum av_err
op_capability_enable(struct op_call *c)
{
	return set_enabled(c, true);
}

enum av_err
op_capability_disable(struct op_call *c)
{
	return set_enabled(c, false);
}
