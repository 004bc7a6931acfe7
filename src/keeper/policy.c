/* SPDX-License-Identifier: Apache-2.0 */
#include "keeper/policy.h"

#include "keeper/counters.h"
#include "keeper/json.h"
#include "wire/limits.h"

#include <stdio.h>
#include <string.h>

#define RATE_POLICY "rate_limit"
#define RATE_WINDOW_S 60u

void
policy_tell(
    const struct policy_params *p, struct policy_instance *room, struct keeper_resolved *out)
{
	out->max_request_bytes = p != NULL ? p->max_request_bytes : POLICY_ABSENT;
	out->max_response_bytes = p != NULL ? p->max_response_bytes : POLICY_ABSENT;
	/* Borrowed, as the strings of the instances are. */
	out->response_block = p != NULL ? p->response_block : (struct string_list){0};
	out->policies = room;
	out->policy_count = 0;
	if (p == NULL || p->rate_per_minute == POLICY_ABSENT)
		return;
	memset(room, 0, sizeof(*room));
	room->policy = STR_LIT(RATE_POLICY);
	room->params[0].name = STR_LIT("per_minute");
	room->params[0].value = p->rate_per_minute;
	room->param_count = 1;
	out->policy_count = 1;
}

/* The key under which the judge counts an instance that was set (policy/lib_counter.c). */
static struct charge
rate_charge(const struct policy_params *p, char *key, size_t room)
{
	int n = snprintf(key, room, "%s|" RATE_POLICY "|set|all", p->capability);
	return (struct charge){.policy = STR_LIT(RATE_POLICY),
	    .key = {key, n > 0 ? (size_t)n : 0},
	    .n = 1,
	    .limit = p->rate_per_minute,
	    .window_s = RATE_WINDOW_S};
}

static bool
is_same_counter(const struct charge *a, const struct charge *b)
{
	return str_eq(a->policy, b->policy) && str_eq(a->key, b->key) && a->window_s == b->window_s;
}

enum av_err
policy_charge(struct keeper *k, const struct keeper_release *ask, int64_t now_ms,
    uint32_t *retry_after, struct fault *f)
{
	struct charge charges[JUDGE_MAX_CHARGES + 1];
	const struct policy_params *p = vault_policy(k->vault, ask->capability);
	char key[WIRE_KEY_MAX];
	size_t n = 0;
	struct charge own = {.n = 0};
	bool counts = p != NULL && p->rate_per_minute != POLICY_ABSENT;
	if (p != NULL && ask->request_bytes != UINT64_MAX &&
	    ask->request_bytes > p->max_request_bytes)
		return fault_set(f, AV_ETOOBIG, "request_too_big", "Send less",
		    "the body has %llu bytes; this capability has a size limit of %llu",
		    (unsigned long long)ask->request_bytes,
		    (unsigned long long)p->max_request_bytes);
	if (counts)
		charges[n++] = own = rate_charge(p, key, sizeof(key));
	for (size_t i = 0; i < ask->charge_count; i++) {
		if (counts && is_same_counter(&ask->charges[i], &own))
			continue;
		if (n == sizeof(charges) / sizeof(charges[0]))
			return fault_set(
			    f, AV_ELIMIT, "counter_invalid", "", "there are too many charges");
		charges[n++] = ask->charges[i];
	}
	return counters_charge(k->vault->store, charges, n, now_ms, retry_after, f);
}

static void
put_limit(cJSON *o, const char *key, uint64_t v)
{
	if (v == POLICY_ABSENT)
		json_text(o, key, NULL);
	else
		json_number(o, key, (int64_t)v);
}

cJSON *
policy_describe(const char *capability, const struct policy_params *p)
{
	cJSON *o = cJSON_CreateObject();
	json_text(o, "capabilityId", capability);
	cJSON *policy = cJSON_AddObjectToObject(o, "policy");
	put_limit(policy, "rateLimitPerMinute", p != NULL ? p->rate_per_minute : POLICY_ABSENT);
	put_limit(policy, "maxRequestBodyBytes", p != NULL ? p->max_request_bytes : POLICY_ABSENT);
	put_limit(
	    policy, "maxResponseBodyBytes", p != NULL ? p->max_response_bytes : POLICY_ABSENT);
	if (p != NULL)
		json_list(policy, "responseBodyBlocklist", &p->response_block);
	else
		cJSON_AddArrayToObject(policy, "responseBodyBlocklist");
	if (p != NULL && p->fault.err != AV_OK)
		json_text(o, "fault", p->fault.message);
	return o;
}

cJSON *
policy_left(const struct keeper *k, const char *capability, int64_t now_ms)
{
	const struct policy_params *p = vault_policy(k->vault, str_of(capability));
	char key[WIRE_KEY_MAX];
	uint64_t used = 0;
	if (p == NULL || p->fault.err != AV_OK)
		return NULL;
	cJSON *o = cJSON_CreateObject();
	put_limit(o, "rateLimitPerMinute", p->rate_per_minute);
	if (p->rate_per_minute != POLICY_ABSENT) {
		struct charge own = rate_charge(p, key, sizeof(key));
		if (counters_get(k->vault->store, &own, now_ms, &used) == AV_OK)
			json_number(
			    o, "callsLeft", used < own.limit ? (int64_t)(own.limit - used) : 0);
	}
	put_limit(o, "maxRequestBodyBytes", p->max_request_bytes);
	put_limit(o, "maxResponseBodyBytes", p->max_response_bytes);
	return o;
}
