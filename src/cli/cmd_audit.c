/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/audit_view.h"
#include "cli/command.h"
#include "cli/json_args.h"
#include "cli/operator.h"
#include "cli/print.h"
#include "cli/when.h"
#include "wire/operator.h"

#include <string.h>
#include <unistd.h>

#define RESULT_MAX (256u * 1024u * 1024u)
#define LIMIT_MAX 100000u
#define PAGE_ROWS 1000u /* of the keeper's pages */
#define FOLLOW_BEFORE 10
#define FOLLOW_LIMIT_MAX 1000u

static const struct option options[] = {
    {"limit", "N", false, "at most N events, up to 100000 (default 200); with --follow 1000"},
    {"before-ts-ms", "T", false, "only events before T (ms since 1970)"},
    {"since", "TIME", false, "only from TIME on, for example 1h or 2026-01-31 (see above)"},
    {"until", "TIME", false, "only up to TIME"},
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
	uint64_t before;
	enum av_err e;

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
	if ((before > 0 && cJSON_AddNumberToObject(o, "beforeTsMs", (double)before) == NULL) ||
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
	uint64_t limit;
	int rc = 0;

	if (a->output == OUTPUT_CSV)
		e = fault_set(
		    &f, AV_EUSAGE, "usage", "", "--follow goes with --output table or jsonl");
	if (e == AV_OK && args_has(a, "before-ts-ms"))
		e = fault_set(
		    &f, AV_EUSAGE, "usage", "", "--follow does not go with --before-ts-ms");
	if (e == AV_OK)
		e = build_args(a, o, &f);
	/* Some of what was before, so that the screen is not empty. */
	if (e == AV_OK)
		e = args_number(a, "limit", 0, FOLLOW_LIMIT_MAX,
		    args_has(a, "since") ? FOLLOW_LIMIT_MAX : FOLLOW_BEFORE, &limit, &f);
	if (e == AV_OK && cJSON_AddNumberToObject(o, "limit", (double)limit) == NULL)
		e = fault_set(&f, AV_ENOMEM, "no_memory", "", "out of memory");
	if (e != AV_OK) {
		cJSON_Delete(o);
		return e == AV_EUSAGE ? usage_fault(&cmd_audit, &f) : print_fault(&f);
	}
	e = operator_follow("audit.follow", o, print_new, a, &rc, &f);
	return e == AV_OK ? rc : print_fault(&f);
}

/* Where the reading stands. Pages go on behind a row's id: rows of one millisecond are not lost between
 * two of them. */
struct cursor {
	double before; /* 0: at the newest */
	uint64_t left; /* events that are still wanted */
	bool more;
};

static enum av_err
take_page(struct cursor *at, struct str page, uint64_t asked, struct buf *events, struct fault *f)
{
	uint64_t count;

	at->before = audit_last_id(page, &count);
	at->left -= count < at->left ? count : at->left;
	/* Few events on a page that had room for more are the last ones. */
	at->more =
	    at->left > 0 && count > 0 && (count >= asked || page.len > OPERATOR_JSON_MAX / 2);
	if (count == 0)
		return AV_OK;
	if (events->len > 1)
		(void)buf_append_byte(events, ',');
	if (buf_append(events, page.p + 1, page.len - 2) != AV_OK)
		return fault_set(f, AV_ELIMIT, "result_size",
		    "Ask for fewer with --limit, or see aivault audit export",
		    "these events are over %u bytes", RESULT_MAX);
	return AV_OK;
}

static enum av_err
read_page(struct cursor *at, const cJSON *filter, struct buf *events, struct fault *f)
{
	uint64_t asked = at->left < PAGE_ROWS ? at->left : PAGE_ROWS;
	cJSON *o = cJSON_Duplicate(filter, true);
	struct buf page;
	enum av_err e;

	if (cJSON_AddNumberToObject(o, "limit", (double)asked) == NULL ||
	    (at->before > 0 && cJSON_AddNumberToObject(o, "beforeId", at->before) == NULL)) {
		cJSON_Delete(o);
		return fault_set(f, AV_ENOMEM, "no_memory", "", "out of memory");
	}
	buf_init(&page, OPERATOR_JSON_MAX);
	e = operator_run("audit", o, (struct str){NULL, 0}, false, &page, f);
	if (e == AV_OK)
		e = take_page(
		    at, (struct str){(const char *)page.data, page.len}, asked, events, f);
	buf_clear(&page);
	return e;
}

/* At most `limit` events as one array. */
static enum av_err
collect(const cJSON *filter, uint64_t limit, struct buf *events, struct fault *f)
{
	struct cursor at = {.left = limit};
	enum av_err e;

	(void)buf_append_byte(events, '[');
	do
		e = read_page(&at, filter, events, f);
	while (e == AV_OK && at.more);
	if (e == AV_OK && buf_append_byte(events, ']') != AV_OK)
		e = fault_set(f, AV_ENOMEM, "no_memory", "", "out of memory");
	return e;
}

static int
run(struct args *a)
{
	struct fault f = {0};
	struct buf events;
	uint64_t limit;
	cJSON *o;
	enum av_err e;
	int rc;

	if (args_has(a, "follow"))
		return run_follow(a);
	o = cJSON_CreateObject();
	buf_init(&events, RESULT_MAX);
	e = args_number(a, "limit", 0, LIMIT_MAX, 200, &limit, &f);
	if (e == AV_OK)
		e = build_args(a, o, &f);
	if (e == AV_OK)
		e = collect(o, limit, &events, &f);
	if (e == AV_EUSAGE)
		rc = usage_fault(&cmd_audit, &f);
	else
		rc = e == AV_OK ? print_events(a, &events) : print_fault(&f);
	cJSON_Delete(o);
	buf_clear(&events);
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
        "a line each, JSON where it is not a terminal. A call's lines have the end of its request\n"
        "id in common.\n" WHEN_HELP,
    .options = options,
    .run = run,
};
