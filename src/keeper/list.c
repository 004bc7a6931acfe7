/* SPDX-License-Identifier: Apache-2.0 */
#include "keeper/list.h"

#include "base/clock.h"
#include "keeper/how_to_call.h"
#include "keeper/json.h"
#include "keeper/policy.h"
#include "wire/operator.h"

#include <stdio.h>
#include <string.h>

/* Those that the caller may name, where it has to name one. */
static void
add_choice(
    const struct keeper *k, cJSON *o, const struct resolution *r, const struct caller *caller)
{
	cJSON *ids = cJSON_AddArrayToObject(o, "credentials");
	for (size_t i = 0; i < k->vault->credential_count; i++) {
		const char *id = k->vault->credentials[i].id;
		struct resolution one;
		struct fault f = {0};
		if (strcmp(k->vault->credentials[i].provider, r->provider) == 0 &&
		    resolve_call(k, str_of(r->capability->id), str_of(id), caller, &one, &f) ==
		        AV_OK)
			cJSON_AddItemToArray(ids, cJSON_CreateString(id));
	}
}

static cJSON *
describe(const struct keeper *k, const struct resolution *r, const struct caller *caller)
{
	cJSON *o = cJSON_CreateObject();
	json_text(o, "id", r->capability->id);
	json_text(o, "provider", r->provider);
	json_text(o, "about", r->capability->about != NULL ? r->capability->about : "");
	json_list(o, "methods", &r->capability->methods);
	json_list(o, "paths", &r->capability->paths);
	if (r->credential != NULL) {
		json_text(o, "host", r->host);
		json_text(o, "credential", r->credential->id);
	} else {
		add_choice(k, o, r, caller);
	}
	cJSON *limits = policy_left(k, r->capability->id, clock_wall_ms());
	if (limits != NULL)
		cJSON_AddItemToObject(o, "limits", limits);
	return o;
}

/* Two credentials that fit alike are no reason to hide what either of them opens. */
static enum av_err
resolve(const struct keeper *k, struct str id, const struct keeper_list *ask,
    struct resolution *out, struct fault *f)
{
	enum av_err e = resolve_call(k, id, ask->credential, &ask->caller, out, f);
	return e == AV_EAMBIG ? AV_OK : e;
}

static void
add_usable(const struct keeper *k, cJSON *to, const char *id, const struct keeper_list *ask)
{
	struct resolution r;
	struct fault f = {0};
	if (resolve(k, str_of(id), ask, &r, &f) == AV_OK)
		cJSON_AddItemToArray(to, describe(k, &r, &ask->caller));
}

static enum av_err
make(const struct keeper *k, const struct keeper_list *ask, cJSON **out, struct fault *f)
{
	struct resolution r;
	enum av_err e = keeper_serves(k, f);
	if (e != AV_OK)
		return e;
	if (ask->capability.len > 0) {
		e = resolve(k, ask->capability, ask, &r, f);
		if (e != AV_OK)
			return e;
		*out = describe(k, &r, &ask->caller);
		how_to_call(*out, r.capability->id, r.capability);
		return AV_OK;
	}
	*out = cJSON_CreateObject();
	cJSON *all = cJSON_AddArrayToObject(*out, "capabilities");
	for (size_t i = 0; i < k->builtin.count; i++)
		for (size_t j = 0; j < k->builtin.items[i]->capability_count; j++)
			add_usable(k, all, k->builtin.items[i]->capabilities[j].id, ask);
	for (size_t i = 0; i < k->vault->capability_count; i++)
		add_usable(k, all, k->vault->capabilities[i].id, ask);
	return AV_OK;
}

/* On whose behalf a call can use all that `c` needs: the narrowest of its and its secrets' scopes. */
static const struct scope *
narrowest(const struct keeper *k, const struct credential *c)
{
	const struct scope *best = &c->scope;
	for (size_t i = 0; i < c->secrets.count; i++) {
		const struct secret_record *s =
		    vault_secret(k->vault, str_of(c->secrets.items[i].value));
		if (s != NULL && s->scope.kind > best->kind)
			best = &s->scope;
	}
	return best;
}

/* Calling it by `c`, on behalf of whom that is for. */
static enum list_state
state_by(const struct keeper *k, const struct capability *cap, const struct credential *c)
{
	struct caller owner = {.uid = (uint32_t)k->owner};
	struct resolution r;
	struct fault f = {0};
	snprintf(owner.workspace, sizeof(owner.workspace), "%s", narrowest(k, c)->workspace);
	snprintf(owner.group, sizeof(owner.group), "%s", narrowest(k, c)->group);
	enum av_err e = resolve_call(k, str_of(cap->id), str_of(c->id), &owner, &r, &f);
	if (e == AV_OK)
		return LIST_READY;
	if (e == AV_ELOCKED)
		return LIST_LOCKED;
	/* What an alternative is for is not to be enabled for the provider's own credential. */
	if (strcmp(f.reason, "capability_not_enabled") == 0 && hosts_meet(&c->hosts, &cap->hosts))
		return LIST_DISABLED;
	return e == AV_ECORRUPT || e == AV_EKEY ? LIST_FAULTY : LIST_NEEDS_CREDENTIAL;
}

enum list_state
list_state(const struct keeper *k, const char *id)
{
	enum list_state best = LIST_NEEDS_CREDENTIAL;
	struct resolution r;
	struct fault f = {0};
	if (k->vault == NULL)
		return best;
	if (resolve_capability(k, str_of(id), &r, &f) != AV_OK)
		return strcmp(f.reason, "capability_disabled") == 0 ? LIST_DISABLED : LIST_FAULTY;
	for (size_t i = 0; best != LIST_READY && i < k->vault->credential_count; i++) {
		const struct credential *c = &k->vault->credentials[i];
		enum list_state state = strcmp(c->provider, r.provider) == 0
		    ? state_by(k, r.capability, c)
		    : LIST_NEEDS_CREDENTIAL;
		if (state > best)
			best = state;
	}
	return best;
}

const char *
list_state_word(enum list_state state)
{
	switch (state) {
	case LIST_READY:
		return "ready";
	case LIST_LOCKED:
		return "locked";
	case LIST_DISABLED:
		return "disabled";
	case LIST_FAULTY:
		return "faulty";
	case LIST_NEEDS_CREDENTIAL:
		break;
	}
	return "needs_credential";
}

enum av_err
list_answer(const struct keeper *k, const struct keeper_list *ask, struct buf *out)
{
	struct keeper_fault fault = {.ask_id = ask->ask_id};
	cJSON *json = NULL;
	struct buf text;
	buf_init(&text, OPERATOR_JSON_MAX);
	enum av_err e = make(k, ask, &json, &fault.fault);
	if (e == AV_OK && json_print(json, &text) != AV_OK)
		e = fault_set(&fault.fault, AV_ELIMIT, "list_too_long", "Ask for one capability",
		    "the list is over 512 KiB");
	if (e == AV_OK) {
		struct keeper_listed done = {
		    .ask_id = ask->ask_id, .json = {(const char *)text.data, text.len}};
		e = keeper_listed_encode(&done, out);
	}
	if (e != AV_OK) {
		if (fault.fault.err == AV_OK)
			fault_set(&fault.fault, e, "list_failed", "Ask for one capability", "%s",
			    av_err_text(e));
		e = keeper_fault_encode(&fault, out);
	}
	cJSON_Delete(json);
	buf_clear(&text);
	return e;
}
