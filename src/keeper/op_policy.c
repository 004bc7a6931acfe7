/* SPDX-License-Identifier: Apache-2.0 */
/* capability.policy.set, capability.policy.get, capability.policy.clear */
#include "keeper/operator_api.h"

#include "keeper/policy.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Built-in ones need no credential yet: a limit may be there before the key is. */
static enum av_err
find(struct op_call *c, const char **id)
{
	struct str want = arg_text(c->args, "capability");
	const struct capability *cap = builtin_capability(&c->k->builtin, want, NULL);
	const struct custom_capability *own;
	enum av_err e = keeper_usable(c->k, c->fault);
	if (e != AV_OK)
		return e;
	own = cap == NULL ? vault_custom_capability(c->k->vault, want) : NULL;
	if (cap == NULL && own == NULL)
		return fault_set(c->fault, AV_ENOCAP, "capability_not_found",
		    "Run `aivault capability list`", "capability not found: there is no %.*s here",
		    want.len > 128 ? 128 : (int)want.len, want.p);
	*id = cap != NULL ? cap->id : own->id;
	return AV_OK;
}

static enum av_err
read_limit(struct op_call *c, const char *key, uint64_t max, uint64_t *out)
{
	int64_t v = arg_number(c->args, key, -1);
	*out = v < 0 ? POLICY_ABSENT : (uint64_t)v;
	if (v >= 0 && *out > max)
		return fault_set(c->fault, AV_EUSAGE, "limit_too_large", "", "%s is at most %llu",
		    key, (unsigned long long)max);
	return AV_OK;
}

static enum av_err
read_blocks(struct op_call *c, struct string_list *out)
{
	struct string_list given = {0};
	enum av_err e = arg_list(c->args, "responseBlock", &given);
	for (size_t i = 0; e == AV_OK && i < given.count; i++) {
		struct str text = str_of(given.items[i]);
		if (text.len == 0 || text.len > POLICY_MAX_BLOCK_BYTES)
			e = fault_set(c->fault, AV_EUSAGE, "response_block", "",
			    "a text to block has 1 to %u bytes", POLICY_MAX_BLOCK_BYTES);
		else if (!string_list_has(out, text))
			e = string_list_add(out, text);
	}
	if (e == AV_OK && out->count > POLICY_MAX_BLOCKS)
		e = fault_set(c->fault, AV_EUSAGE, "response_block", "",
		    "a capability blocks at most %u texts", POLICY_MAX_BLOCKS);
	string_list_clear(&given);
	return e;
}

static void
note_limit(char *note, size_t room, const char *word, uint64_t v)
{
	size_t used = strlen(note);
	if (v != POLICY_ABSENT)
		snprintf(note + used, room - used, "%s%s=%llu", used > 0 ? " " : "", word,
		    (unsigned long long)v);
}

static enum av_err
store_policy(struct op_call *c, const struct policy_params *p)
{
	char note[200] = "";
	enum av_err e = keeper_change_begin(c->k, c->fault);
	if (e != AV_OK)
		return e;
	e = policy_params_put(c->k->vault->store, c->k->vault->kek, p);
	if (e != AV_OK) {
		keeper_change_abort(c->k);
		return fault_set(c->fault, e, "database_write", "Check free space and permissions",
		    "the policy could not be stored: %s", store_message(c->k->vault->store));
	}
	note_limit(note, sizeof(note), "rate_per_minute", p->rate_per_minute);
	note_limit(note, sizeof(note), "max_request_bytes", p->max_request_bytes);
	note_limit(note, sizeof(note), "max_response_bytes", p->max_response_bytes);
	if (p->response_block.count > 0)
		note_limit(note, sizeof(note), "response_blocks", p->response_block.count);
	struct audit_event event = op_event(c, "policy.set");
	event.capability = str_of(p->capability);
	event.note = str_of(note);
	return keeper_change_end(c->k, &event, 1, c->fault);
}

enum av_err
op_policy_set(struct op_call *c)
{
	struct policy_params p = {0};
	const char *id = NULL;
	enum av_err e = find(c, &id);
	if (e == AV_OK)
		e = read_limit(c, "rateLimitPerMinute", POLICY_MAX_RATE, &p.rate_per_minute);
	if (e == AV_OK)
		e = read_limit(c, "maxRequestBodyBytes", POLICY_MAX_BYTES, &p.max_request_bytes);
	if (e == AV_OK)
		e = read_limit(c, "maxResponseBodyBytes", POLICY_MAX_BYTES, &p.max_response_bytes);
	if (e == AV_OK)
		e = read_blocks(c, &p.response_block);
	/* The id may borrow from a row that the change loads anew. */
	if (e == AV_OK)
		p.capability = str_dup(str_of(id));
	if (e == AV_OK)
		e = p.capability == NULL ? AV_ENOMEM : store_policy(c, &p);
	if (e == AV_OK)
		c->result = policy_describe(p.capability, &p);
	policy_params_clear(&p);
	return e;
}

enum av_err
op_policy_get(struct op_call *c)
{
	const char *id = NULL;
	enum av_err e = find(c, &id);
	if (e == AV_OK)
		c->result = policy_describe(id, vault_policy(c->k->vault, str_of(id)));
	return e;
}

enum av_err
op_policy_clear(struct op_call *c)
{
	const char *id = NULL;
	enum av_err e = find(c, &id);
	if (e != AV_OK)
		return e;
	bool there = vault_policy(c->k->vault, str_of(id)) != NULL;
	char *name = str_dup(str_of(id));
	if (name == NULL)
		return AV_ENOMEM;
	if (there)
		e = keeper_change_begin(c->k, c->fault);
	if (there && e == AV_OK) {
		e = row_delete(c->k->vault->store, ROW_POLICY, str_of(name));
		if (e == AV_OK) {
			struct audit_event event = op_event(c, "policy.clear");
			event.capability = str_of(name);
			e = keeper_change_end(c->k, &event, 1, c->fault);
		} else {
			keeper_change_abort(c->k);
			fault_set(c->fault, e, "database_write", "Check free space and permissions",
			    "the policy could not be removed: %s",
			    store_message(c->k->vault->store));
		}
	}
	if (e == AV_OK) {
		c->result = policy_describe(name, NULL);
		json_bool(c->result, "removed", there);
	}
	free(name);
	return e;
}
