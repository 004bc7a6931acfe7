/* SPDX-License-Identifier: Apache-2.0 */
/* capability.describe: how to call it, and what it needs before it works. */
#include "keeper/operator_api.h"

#include "keeper/how_to_call.h"
#include "keeper/list.h"
#include "keeper/policy.h"

#include <stdio.h>
#include <string.h>

struct subject {
	const char *id;
	const char *provider;
	const struct capability *cap;
	const struct manifest *m; /* NULL: made by hand */
};

static enum av_err
find(struct op_call *c, struct subject *s)
{
	struct str id = arg_text(c->args, "id");
	s->cap = builtin_capability(&c->k->builtin, id, &s->m);
	if (s->cap != NULL) {
		s->id = s->cap->id;
		s->provider = s->m->provider;
		return AV_OK;
	}
	const struct custom_capability *cc =
	    c->k->vault != NULL ? vault_custom_capability(c->k->vault, id) : NULL;
	if (cc == NULL)
		return fault_set(c->fault, AV_ENOCAP, "capability_not_found",
		    "Run `aivault capability list`", "capability not found: there is no %.*s here",
		    id.len > 128 ? 128 : (int)id.len, id.p);
	if (cc->fault.err != AV_OK) {
		*c->fault = cc->fault;
		return cc->fault.err;
	}
	*s = (struct subject){cc->id, cc->provider, &cc->capability, NULL};
	return AV_OK;
}

static void
add_setup(cJSON *o, const struct subject *s)
{
	char line[200];
	const struct pair_list *needs = s->m != NULL ? manifest_secrets_for(s->m, s->cap) : NULL;
	if (needs == NULL || needs->count == 0) {
		json_text(o, "setup", NULL);
		return;
	}
	cJSON *setup = cJSON_AddObjectToObject(o, "setup");
	cJSON *secrets = cJSON_AddObjectToObject(setup, "requiredSecrets");
	cJSON *commands = cJSON_AddArrayToObject(setup, "commands");
	for (size_t i = 0; i < needs->count; i++) {
		const struct pair *p = &needs->items[i];
		json_text(secrets, p->name, p->value);
		snprintf(line, sizeof(line), "aivault secrets create --name %s", p->name);
		cJSON_AddItemToArray(commands, cJSON_CreateString(line));
	}
	json_text(setup, "note", "The value is asked for, or read from standard input.");
}

/* Whether it can be called, and what to do where it cannot. */
static void
add_state(const struct keeper *k, cJSON *o, const struct subject *s)
{
	const struct pair_list *needs = s->m != NULL ? manifest_secrets_for(s->m, s->cap) : NULL;
	enum list_state state = list_state(k, s->id);
	char remedy[200] = "";
	if (state == LIST_DISABLED)
		snprintf(remedy, sizeof(remedy), "aivault capability enable %s", s->id);
	else if (state == LIST_LOCKED)
		snprintf(remedy, sizeof(remedy), "aivault unlock");
	else if (state == LIST_FAULTY)
		snprintf(remedy, sizeof(remedy), "aivault doctor");
	else if (state == LIST_NEEDS_CREDENTIAL && needs != NULL && needs->count > 0)
		snprintf(remedy, sizeof(remedy), "aivault secrets create --name %s",
		    needs->items[0].name);
	else if (state == LIST_NEEDS_CREDENTIAL)
		snprintf(remedy, sizeof(remedy), "aivault credential create");
	json_text(o, "state", list_state_word(state));
	if (remedy[0] != '\0')
		json_text(o, "remedy", remedy);
}

enum av_err
op_capability_describe(struct op_call *c)
{
	struct subject s = {0};
	enum av_err e = find(c, &s);
	if (e != AV_OK)
		return e;
	c->result = cJSON_CreateObject();
	json_text(c->result, "capability", s.id);
	json_text(c->result, "provider", s.provider);
	if (s.cap->about != NULL && s.cap->about[0] != '\0')
		json_text(c->result, "about", s.cap->about);
	add_state(c->k, c->result, &s);
	add_setup(c->result, &s);
	cJSON *allowed = cJSON_AddObjectToObject(c->result, "allowed");
	json_list(allowed, "hosts", &s.cap->hosts);
	json_list(allowed, "methods", &s.cap->methods);
	json_list(allowed, "pathPrefixes", &s.cap->paths);
	const struct policy_params *p =
	    c->k->vault != NULL ? vault_policy(c->k->vault, str_of(s.id)) : NULL;
	if (p != NULL) {
		cJSON *record = policy_describe(s.id, p);
		cJSON_AddItemToObject(
		    c->result, "policy", cJSON_DetachItemFromObjectCaseSensitive(record, "policy"));
		cJSON_Delete(record);
	}
	how_to_call(c->result, s.id, s.cap);
	return AV_OK;
}
