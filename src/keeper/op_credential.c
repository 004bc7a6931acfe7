/* SPDX-License-Identifier: Apache-2.0 */
/* credential.create, credential.list */
#include "keeper/operator_api.h"

#include "auth/render.h"
#include "base/clock.h"
#include "reach/host.h"

#include <stdlib.h>
#include <string.h>

#define REF_PREFIX "vault:secret:"

static void
auth_json(cJSON *o, const struct auth_desc *a)
{
	static const char *const tags[AUTH_KIND_COUNT] = {"none", "header", "query", "path",
	    "basic", "multi_header", "multi_query", "o_auth2", "aws_sig_v4", "hmac", "mtls"};
	const char *tag = tags[(unsigned)a->kind < AUTH_KIND_COUNT ? a->kind : AUTH_NONE];
	const struct pair *p = a->pairs.items;
	cJSON *outer = NULL, *inner = NULL;
	if (a->kind == AUTH_NONE || a->kind == AUTH_BASIC || a->kind == AUTH_MTLS) {
		json_text(o, "auth", tag);
		return;
	}
	outer = cJSON_AddObjectToObject(o, "auth");
	if (a->kind == AUTH_MULTI_HEADER || a->kind == AUTH_MULTI_QUERY) {
		inner = cJSON_AddArrayToObject(outer, tag);
		for (size_t i = 0; i < a->pairs.count; i++) {
			cJSON *one = cJSON_CreateObject();
			json_text(one, a->kind == AUTH_MULTI_HEADER ? "header_name" : "param_name",
			    p[i].name);
			json_text(one, "value_template", p[i].value);
			cJSON_AddItemToArray(inner, one);
		}
		return;
	}
	inner = cJSON_AddObjectToObject(outer, tag);
	if (a->pairs.count == 0)
		return;
	if (a->kind == AUTH_HEADER) {
		json_text(inner, "header_name", p[0].name);
		json_text(inner, "value_template", p[0].value);
	} else if (a->kind == AUTH_QUERY) {
		json_text(inner, "param_name", p[0].name);
	} else if (a->kind == AUTH_PATH) {
		json_text(inner, "prefix_template", p[0].value);
	} else {
		for (size_t i = 0; i < a->pairs.count; i++)
			json_text(inner, p[i].name, p[i].value);
	}
}

static cJSON *
describe(const struct credential *c)
{
	cJSON *o = cJSON_CreateObject();
	char ref[sizeof(REF_PREFIX) + UUID_LEN];
	json_text(o, "id", c->id);
	json_text(o, "provider", c->provider);
	json_text(o, "workspaceId", c->scope.kind != SCOPE_GLOBAL ? c->scope.workspace : NULL);
	json_text(o, "groupId", c->scope.kind == SCOPE_GROUP ? c->scope.group : NULL);
	auth_json(o, &c->auth);
	json_list(o, "hosts", &c->hosts);
	if (!c->all_capabilities)
		json_list(o, "capabilities", &c->capabilities);
	json_number(o, "priority", c->priority);
	if (c->path_prefix[0] != '\0')
		json_text(o, "upstreamPathPrefix", c->path_prefix);
	if (c->secrets.count > 0 && strlen(c->secrets.items[0].value) == UUID_LEN) {
		memcpy(ref, REF_PREFIX, sizeof(REF_PREFIX) - 1);
		memcpy(ref + sizeof(REF_PREFIX) - 1, c->secrets.items[0].value, UUID_LEN + 1);
		json_text(o, "secretRef", ref);
	}
	if (c->secrets.count > 1) {
		cJSON *all = cJSON_AddObjectToObject(o, "secrets");
		for (size_t i = 0; i < c->secrets.count; i++)
			json_text(all, c->secrets.items[i].name, c->secrets.items[i].value);
	}
	json_bool(o, "autoProvisioned", c->source == CREDENTIAL_PROVISIONED);
	if (c->fault.err != AV_OK)
		json_text(o, "fault", c->fault.message);
	return o;
}

static enum av_err
usage(struct op_call *c, const char *reason, const char *what)
{
	return fault_set(c->fault, AV_EUSAGE, reason, "", "%s", what);
}

static struct str
text_or(const cJSON *args, const char *key, const char *otherwise)
{
	struct str s = arg_text(args, key);
	return s.len > 0 ? s : str_of(otherwise);
}

static enum av_err
read_auth(struct op_call *c, struct credential *cred)
{
	struct str kind = arg_text(c->args, "auth");
	struct pair_list *p = &cred->auth.pairs;
	enum av_err e = AV_OK;
	if (kind.len == 0)
		return usage(
		    c, "auth_missing", "--auth is required for a provider that is not built in");
	if (!auth_kind_of(kind, &cred->auth.kind))
		return usage(c, "auth_unknown", "there is no such --auth kind");
	if (!auth_is_supported(cred->auth.kind))
		return fault_set(c->fault, AV_ENOTSUP, "auth_not_supported", "",
		    "this version has no auth of the kind %s", auth_kind_name(cred->auth.kind));
	switch (cred->auth.kind) {
	case AUTH_HEADER:
		e = pair_list_add(p, text_or(c->args, "headerName", "authorization"),
		    text_or(c->args, "valueTemplate", "Bearer {{secret}}"));
		break;
	case AUTH_QUERY:
		e = pair_list_add(p, text_or(c->args, "queryParam", "api_key"), STR_LIT(""));
		break;
	case AUTH_PATH:
		e = pair_list_add(
		    p, STR_LIT(""), text_or(c->args, "pathPrefixTemplate", "/bot{{secret}}"));
		break;
	case AUTH_MULTI_HEADER:
		e = arg_pairs(c->args, "authHeaders", p);
		break;
	default:
		break;
	}
	return e == AV_OK ? auth_desc_validate(&cred->auth, c->fault) : e;
}

/* Strict host names; a port only where a development build may use one. */
static enum av_err
check_host(struct op_call *c, struct str host, const struct manifest *m)
{
	struct str name;
	uint16_t port = 0;
	bool known = m == NULL;
	enum av_err e = host_parse(host, false, &name, &port, c->fault);
	if (e != AV_OK)
		return e;
#ifndef AV_DEV
	if (port != 0 && port != 443)
		return usage(c, "port_not_allowed", "a host has no port but 443");
#endif
	for (size_t i = 0; m != NULL && i < m->hosts.count; i++)
		known = known || host_matches(str_of(m->hosts.items[i]), name);
	if (!known)
		return usage(
		    c, "host_not_allowed", "the host is not one of the built-in provider's");
	return AV_OK;
}

static enum av_err
read_hosts(struct op_call *c, struct credential *cred, const struct manifest *m)
{
	struct string_list given = {0};
	enum av_err e = arg_list(c->args, "hosts", &given);
	if (e == AV_OK && given.count == 0 && m == NULL)
		e = usage(
		    c, "host_missing", "--host is required for a provider that is not built in");
	if (e == AV_OK && given.count > MANIFEST_MAX_HOSTS)
		e = usage(c, "too_many_hosts", "a credential has at most 32 hosts");
	for (size_t i = 0; e == AV_OK && i < given.count; i++) {
		e = check_host(c, str_of(given.items[i]), m);
		if (e == AV_OK && !string_list_has(&cred->hosts, str_of(given.items[i])))
			e = string_list_add(&cred->hosts, str_of(given.items[i]));
	}
	cred->own_hosts = given.count > 0;
	string_list_clear(&given);
	return e;
}

static enum av_err
read_secret(struct op_call *c, struct credential *cred, const struct manifest *m)
{
	struct str ref = arg_text(c->args, "secretRef");
	if (!str_starts(ref, STR_LIT(REF_PREFIX)))
		return usage(
		    c, "secret_ref_malformed", "--secret-ref has the form vault:secret:ID");
	struct str id = {ref.p + sizeof(REF_PREFIX) - 1, ref.len - (sizeof(REF_PREFIX) - 1)};
	if (!uuid_is_valid(id))
		return usage(
		    c, "secret_ref_malformed", "--secret-ref has the form vault:secret:ID");
	const struct secret_record *s = vault_secret(c->k->vault, id);
	if (s == NULL)
		return fault_set(c->fault, AV_ENOTFOUND, "secret_not_found",
		    "Run `aivault secrets list`", "the secret does not exist");
	if (s->revoked_ms != 0 || s->fault.err != AV_OK)
		return fault_set(c->fault, AV_EINVAL, "secret_revoked", "Name another secret",
		    "the secret is revoked or out of use");
	if (s->pinned[0] != '\0' && strcmp(s->pinned, cred->provider) != 0)
		return fault_set(c->fault, AV_EPOLICY, "secret_pinned", "Name another secret",
		    "the secret is pinned to provider %s", s->pinned);
	if (!scope_reaches(&s->scope, &cred->scope))
		return fault_set(c->fault, AV_EINVAL, "secret_out_of_scope",
		    "Give the credential the secret's workspace and group",
		    "the secret belongs to another workspace or group");
	if (m != NULL && m->secrets.count > 1)
		return fault_set(c->fault, AV_ENOTSUP, "provider_needs_more_secrets",
		    "Store its secrets under the names that it claims",
		    "%s needs more than one secret", m->provider);
	struct str placeholder = m != NULL && m->secrets.count == 1
	    ? str_of(m->secrets.items[0].value)
	    : STR_LIT("secret");
	return pair_list_add(&cred->secrets, placeholder, id);
}

static enum av_err
read_scope(struct op_call *c, struct credential *cred)
{
	struct str ws = arg_text(c->args, "workspaceId"), group = arg_text(c->args, "groupId");
	if (group.len > 0 && ws.len == 0)
		return usage(c, "workspace_missing", "--group-id needs --workspace-id");
	return scope_make(group.len > 0 ? STR_LIT("group")
	        : ws.len > 0            ? STR_LIT("workspace")
	                                : STR_LIT("global"),
	    ws, group, &cred->scope, c->fault);
}

static enum av_err
read_args(struct op_call *c, struct credential *cred, const struct manifest **m)
{
	struct str id = arg_text(c->args, "id"), provider = arg_text(c->args, "provider");
	if (!credential_id_is_valid(id))
		return usage(c, "credential_id_invalid",
		    "a credential's id is letters, digits and ._-:/@, at most 400 bytes");
	const struct credential *old = vault_credential(c->k->vault, id);
	/* One whose secret was deleted gives way: nothing can use it. */
	if (old != NULL && old->fault.err != AV_ENOCRED)
		return fault_set(c->fault, AV_EEXISTS, "credential_exists", "Choose another id",
		    "the credential %.*s already exists", STR_FMT(id));
	if (provider.len == 0 || provider.len > 64 || !credential_id_is_valid(provider))
		return usage(c, "provider_missing", "--provider is required, at most 64 bytes");
	if (arg_has(c->args, "maxPolicyMode"))
		return fault_set(c->fault, AV_ENOTSUP, "not_supported", "",
		    "--max-policy-mode is for postgres, which this version does not have");
	cred->id = str_dup(id);
	cred->provider = str_dup(provider);
	cred->alternative = str_dup(STR_LIT(""));
	cred->path_prefix = str_dup(STR_LIT(""));
	if (cred->id == NULL || cred->provider == NULL || cred->alternative == NULL ||
	    cred->path_prefix == NULL)
		return AV_ENOMEM;
	*m = builtin_provider(&c->k->builtin, provider);
	if (*m != NULL && arg_has(c->args, "auth"))
		return usage(c, "auth_is_built_in", "a built-in provider's auth cannot be changed");
	enum av_err e = read_scope(c, cred);
	if (e == AV_OK && *m == NULL)
		e = read_auth(c, cred);
	if (e == AV_OK)
		e = read_hosts(c, cred, *m);
	if (e == AV_OK)
		e = read_secret(c, cred, *m);
	/* What an upgrade adds to a built-in provider is not enabled by itself. */
	cred->all_capabilities = *m == NULL;
	for (size_t i = 0; e == AV_OK && *m != NULL && i < (*m)->capability_count; i++)
		e = string_list_add(&cred->capabilities, str_of((*m)->capabilities[i].id));
	cred->created_ms = cred->updated_ms = clock_wall_ms();
	return e;
}

enum av_err
op_credential_create(struct op_call *c)
{
	struct credential cred = {0};
	const struct manifest *m = NULL;
	char scope[SCOPE_TEXT_MAX];
	enum av_err e = keeper_usable(c->k, c->fault);
	if (e == AV_OK)
		e = read_args(c, &cred, &m);
	if (e == AV_OK)
		e = keeper_change_begin(c->k, c->fault);
	if (e != AV_OK)
		goto out;
	e = credential_put(c->k->vault->store, c->k->vault->kek, &cred);
	if (e != AV_OK) {
		keeper_change_abort(c->k);
		if (e == AV_ELIMIT || e == AV_EFORMAT)
			fault_set(c->fault, AV_EINVAL, "credential_too_large",
			    "Shorten its names and templates",
			    "the credential could not be read again as it is");
		else
			fault_set(c->fault, e, "database_write", "Check free space and permissions",
			    "the credential could not be stored: %s",
			    store_message(c->k->vault->store));
		e = c->fault->err;
		goto out;
	}
	struct audit_event event = op_event(c, "credential.create");
	scope_text(&cred.scope, scope);
	event.credential = str_of(cred.id);
	event.scope = str_of(scope);
	event.secret_id = str_of(cred.secrets.items[0].value);
	e = keeper_change_end(c->k, &event, 1, c->fault);
	if (e == AV_OK) {
		const struct credential *made = vault_credential(c->k->vault, str_of(cred.id));
		c->result = describe(made != NULL ? made : &cred);
	}
out:
	credential_clear(&cred);
	return e;
}

enum av_err
op_credential_list(struct op_call *c)
{
	enum av_err e = op_readable(c);
	if (e != AV_OK)
		return e;
	c->result = cJSON_CreateObject();
	cJSON *all = cJSON_AddArrayToObject(c->result, "credentials");
	for (size_t i = 0; i < c->k->vault->credential_count; i++)
		cJSON_AddItemToArray(all, describe(&c->k->vault->credentials[i]));
	json_text(c->result, "path", c->k->paths.database);
	return AV_OK;
}
