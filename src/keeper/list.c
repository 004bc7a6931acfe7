/* SPDX-License-Identifier: Apache-2.0 */
#include "keeper/list.h"

#include "base/clock.h"
#include "keeper/json.h"
#include "keeper/policy.h"
#include "wire/operator.h"

static cJSON *
describe(const struct keeper *k, const struct resolution *r)
{
	cJSON *o = cJSON_CreateObject();
	json_text(o, "id", r->capability->id);
	json_text(o, "provider", r->provider);
	json_text(o, "about", r->capability->about != NULL ? r->capability->about : "");
	json_list(o, "methods", &r->capability->methods);
	json_list(o, "paths", &r->capability->paths);
	json_text(o, "host", r->host);
	json_text(o, "credential", r->credential->id);
	cJSON *limits = policy_left(k, r->capability->id, clock_wall_ms());
	if (limits != NULL)
		cJSON_AddItemToObject(o, "limits", limits);
	return o;
}

static void
add_usable(const struct keeper *k, cJSON *to, const char *id, const struct caller *caller)
{
	struct resolution r;
	struct fault f = {0};
	if (resolve_call(k, str_of(id), STR_LIT(""), caller, &r, &f) == AV_OK)
		cJSON_AddItemToArray(to, describe(k, &r));
}

static enum av_err
make(const struct keeper *k, const struct keeper_list *ask, cJSON **out, struct fault *f)
{
	struct resolution r;
	enum av_err e = keeper_serves(k, f);
	if (e != AV_OK)
		return e;
	if (ask->capability.len > 0) {
		e = resolve_call(k, ask->capability, STR_LIT(""), &ask->caller, &r, f);
		if (e == AV_OK)
			*out = describe(k, &r);
		return e;
	}
	*out = cJSON_CreateObject();
	cJSON *all = cJSON_AddArrayToObject(*out, "capabilities");
	for (size_t i = 0; i < k->builtin.count; i++)
		for (size_t j = 0; j < k->builtin.items[i]->capability_count; j++)
			add_usable(k, all, k->builtin.items[i]->capabilities[j].id, &ask->caller);
	for (size_t i = 0; i < k->vault->capability_count; i++)
		add_usable(k, all, k->vault->capabilities[i].id, &ask->caller);
	return AV_OK;
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
