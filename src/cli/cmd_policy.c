/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/command.h"
#include "cli/json_args.h"
#include "cli/operator.h"
#include "cli/print.h"

#include <string.h>

#define RATE_MAX 1000000000u
#define BYTES_MAX ((1ull << 53) - 1)

struct limit {
	const char *option;
	const char *key;
	uint64_t max;
};

static const struct limit limits[] = {
    {"rate-limit-per-minute", "rateLimitPerMinute", RATE_MAX},
    {"max-request-body-bytes", "maxRequestBodyBytes", BYTES_MAX},
    {"max-response-body-bytes", "maxResponseBodyBytes", BYTES_MAX},
};
#define LIMITS (sizeof(limits) / sizeof(limits[0]))

static const struct option options[] = {
    {"capability", "ID", false, "the capability"},
    {"rate-limit-per-minute", "N", false, "set: at most N calls in any minute; 0: none"},
    {"max-request-body-bytes", "N", false, "set: refuse a larger request body"},
    {"max-response-body-bytes", "N", false, "set: end a transfer that gets longer"},
    {"response-block", "TEXT", true, "set: star this text out of answers' bodies (repeatable)"},
    {NULL, NULL, false, NULL},
};

static enum av_err
add_limits(const struct args *a, bool set, cJSON *o, struct fault *f)
{
	for (size_t i = 0; i < LIMITS; i++) {
		uint64_t v = 0;
		enum av_err e = args_number(a, limits[i].option, 0, limits[i].max, 0, &v, f);
		if (e != AV_OK)
			return e;
		if (!args_has(a, limits[i].option))
			continue;
		if (!set)
			return fault_set(
			    f, AV_EUSAGE, "usage", "", "--%s goes with set", limits[i].option);
		if (cJSON_AddNumberToObject(o, limits[i].key, (double)v) == NULL)
			return AV_ENOMEM;
	}
	return AV_OK;
}

static enum av_err
check(const struct args *a, const char **op, struct fault *f)
{
	const char *action = a->positional[0];
	*op = strcmp(action, "set") == 0   ? "capability.policy.set"
	    : strcmp(action, "get") == 0   ? "capability.policy.get"
	    : strcmp(action, "clear") == 0 ? "capability.policy.clear"
	                                   : NULL;
	if (*op == NULL)
		return fault_set(f, AV_EUSAGE, "usage", "", "the action is set, get or clear");
	if (args_has(a, "response-block") && strcmp(action, "set") != 0)
		return fault_set(f, AV_EUSAGE, "usage", "", "--response-block goes with set");
	if (!args_has(a, "capability"))
		return fault_set(f, AV_EUSAGE, "usage", "", "--capability is required");
	return AV_OK;
}

static int
run_policy(struct args *a)
{
	cJSON *o = cJSON_CreateObject();
	const char *op = NULL;
	struct fault f = {0};
	enum av_err e = check(a, &op, &f);

	if (e == AV_OK)
		e = add_limits(a, strcmp(a->positional[0], "set") == 0, o, &f);
	if (e == AV_OK &&
	    (!json_add_option(o, "capability", a, "capability") ||
	        (args_has(a, "response-block") &&
	            !json_add_options(o, "responseBlock", a, "response-block"))))
		e = AV_ENOMEM;
	if (e == AV_OK)
		return operator_print(op, o, (struct str){NULL, 0}, false);
	cJSON_Delete(o);
	if (f.err == AV_OK)
		(void)fault_set(&f, e, "no_memory", "", "out of memory");
	return e == AV_EUSAGE ? usage_fault(&cmd_capability_policy, &f) : print_fault(&f);
}

const struct command cmd_capability_policy = {
    .name = "capability policy",
    .alias = "",
    .arguments = "set|get|clear --capability ID [OPTIONS]",
    .about = "Limit calls and sizes of a capability; show or remove its limits",
    .details = "set replaces the whole policy: what is not named is then not limited.\n"
               "Limits count over restarts; a denied call is not charged.",
    .options = options,
    .min_positional = 1,
    .max_positional = 1,
    .run = run_policy,
};
