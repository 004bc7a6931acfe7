/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/audit_view.h"
#include "cli/command.h"
#include "cli/json_args.h"
#include "cli/operator.h"
#include "cli/print.h"

#include <string.h>
#include <unistd.h>

#define RESULT_MAX (64u * 1024u * 1024u)
#define LIMIT_MAX 100000u
#define FOLLOW_BEFORE 10
#define FOLLOW_SINCE_MAX 1000

static const struct option options[] = {
    {"limit", "N", false, "at most N events (default 200)"},
    {"before-ts-ms", "T", false, "only events before T (ms since 1970)"},
    {"since", "TIME", false, "only after TIME: 90s, 10m, 1h, 7d ago, or 2026-01-31[T12:00:00Z]"},
    {"until", "TIME", false, "only before TIME"},
    {"capability", "ID", false, "only of this capability"},
    {"event", "KIND", false, "only of this kind, for example invoke.deny"},
    {"decision", "WORD", false, "only allow or deny"},
    {"caller", "NAME", false, "only of this caller, for example user:alice"},
    {"follow", NULL, false, "go on: show events as they are written, until ^C"},
    {NULL, NULL, false, NULL},
};

static enum av_err
build_args(const struct args *a, cJSON *o, struct fault *f)
{
	const char *decision = args_value(a, "decision");
	uint64_t limit, before;
	enum av_err e = args_number(a, "limit", 0, LIMIT_MAX, 200, &limit, f);

	if (e == AV_OK)
		e = args_number(a, "before-ts-ms", 0, (uint64_t)1 << 52, 0, &before, f);
	if (e != AV_OK)
		return e;
	if (decision != NULL && strcmp(decision, "allow") != 0 && strcmp(decision, "deny") != 0)
		return fault_set(f, AV_EUSAGE, "usage", "", "--decision takes allow or deny");
	e = json_add_time(o, "sinceMs", a, "since", f);
	if (e == AV_OK)
		e = json_add_time(o, "untilMs", a, "until", f);
	if (e != AV_OK)
		return e;
	if (cJSON_AddNumberToObject(o, "limit", (double)limit) == NULL ||
	    (before > 0 && cJSON_AddNumberToObject(o, "beforeTsMs", (double)before) == NULL) ||
	    !json_add_option(o, "capability", a, "capability") ||
	    !json_add_option(o, "event", a, "event") ||
	    !json_add_option(o, "decision", a, "decision") ||
	    !json_add_option(o, "caller", a, "caller"))
		return fault_set(f, AV_ENOMEM, "no_memory", "", "out of memory");
	return AV_OK;
}

static int
print_events(const struct args *a, const struct buf *result)
{
	struct str text = {(const char *)result->data, result->len};
	enum output output = a->output;

	if (a->verbose && output == OUTPUT_AUTO)
		output = OUTPUT_JSON;
	if (output == OUTPUT_AUTO)
		output = isatty(STDOUT_FILENO) == 1 ? OUTPUT_TABLE : OUTPUT_JSON;
	switch (output) {
	case OUTPUT_TABLE:
		return audit_print_table(text);
	case OUTPUT_JSONL:
		return audit_print_lines(text);
	case OUTPUT_CSV:
		return audit_print_csv(text);
	case OUTPUT_JSON:
	case OUTPUT_AUTO:
		break;
	}
	return print_json(text);
}

/* Events as they come: a line of JSON each, on a terminal one to read. */
static int
print_new(void *ctx, struct str events)
{
	const struct args *a = ctx;
	bool plain = a->output == OUTPUT_TABLE ||
	    (a->output == OUTPUT_AUTO && !a->verbose && isatty(STDOUT_FILENO) == 1);

	return plain ? audit_print_stream(events) : audit_print_lines(events);
}

static int
run_follow(struct args *a)
{
	struct fault f = {0};
	cJSON *o = cJSON_CreateObject();
	enum av_err e = AV_OK;
	int rc = 0;

	if (a->output == OUTPUT_CSV)
		e = fault_set(
		    &f, AV_EUSAGE, "usage", "", "--follow goes with --output table or jsonl");
	if (e == AV_OK)
		e = build_args(a, o, &f);
	/* Some of what was before, so that the screen is not empty. */
	if (e == AV_OK && !args_has(a, "limit"))
		cJSON_ReplaceItemInObjectCaseSensitive(o, "limit",
		    cJSON_CreateNumber(args_has(a, "since") ? FOLLOW_SINCE_MAX : FOLLOW_BEFORE));
	if (e != AV_OK) {
		cJSON_Delete(o);
		return e == AV_EUSAGE ? usage_fault(&cmd_audit, &f) : print_fault(&f);
	}
	e = operator_follow("audit.follow", o, print_new, a, &rc, &f);
	return e == AV_OK ? rc : print_fault(&f);
}

static int
run(struct args *a)
{
	struct fault f = {0};
	struct buf result;
	cJSON *o;
	enum av_err e;
	int rc;

	if (args_has(a, "follow"))
		return run_follow(a);
	o = cJSON_CreateObject();
	e = build_args(a, o, &f);
	if (e != AV_OK) {
		cJSON_Delete(o);
		return e == AV_EUSAGE ? usage_fault(&cmd_audit, &f) : print_fault(&f);
	}
	buf_init(&result, RESULT_MAX);
	rc = operator_run("audit", o, (struct str){NULL, 0}, false, &result, &f) == AV_OK
	    ? print_events(a, &result)
	    : print_fault(&f);
	buf_clear(&result);
	return rc;
}

const struct command cmd_audit = {
    .name = "audit",
    .alias = "",
    .arguments = "[OPTIONS]",
    .about = "Show who called what, with which outcome, newest first",
    .details =
        "--output table (default on a terminal), json (default otherwise), jsonl or csv.\n"
        "--follow shows the last 10 (--limit N) and then what comes, outcomes on their own:\n"
        "a line each, JSON where it is not a terminal.\n",
    .options = options,
    .run = run,
};
