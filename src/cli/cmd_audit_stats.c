/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/command.h"
#include "cli/json_args.h"
#include "cli/operator.h"
#include "cli/print.h"
#include "cli/when.h"

#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#define RESULT_MAX (1024u * 1024u)

static const struct option options[] = {
    {"since", "TIME", false, "only from TIME on, for example 1h or 2026-01-31 (see above)"},
    {"until", "TIME", false, "only up to TIME"},
    {NULL, NULL, false, NULL},
};

static int
print_groups(struct str text)
{
	static const char *const titles[] = {"COUNT", "DECISION", "CAPABILITY", "REASON"};
	cJSON *groups = cJSON_ParseWithLength(text.p, text.len);
	const cJSON *g;
	struct table t;
	enum av_err e = AV_OK;

	table_init(&t, titles, 4);
	cJSON_ArrayForEach(g, groups)
	{
		const cJSON *n = cJSON_GetObjectItemCaseSensitive(g, "count");
		char count[32];
		(void)snprintf(
		    count, sizeof(count), "%.0f", cJSON_IsNumber(n) ? n->valuedouble : 0);
		const char *cells[] = {count, json_string(g, "decision", ""),
		    json_string(g, "capability", ""), json_string(g, "reason", "")};
		for (size_t i = 0; e == AV_OK && i < 4; i++)
			e = table_add(&t, str_of(cells[i]));
	}
	if (e == AV_OK && t.count == 0)
		(void)puts("No calls yet.");
	else if (e == AV_OK)
		table_print(&t, stdout);
	table_clear(&t);
	cJSON_Delete(groups);
	return e == AV_OK ? 0 : print_failure("vault_unavailable", "out of memory", "");
}

static int
run(struct args *a)
{
	struct fault f = {0};
	struct buf result;
	cJSON *o = cJSON_CreateObject();
	enum av_err e = json_add_time(o, "sinceMs", a, "since", &f);
	int rc;

	if (e == AV_OK)
		e = json_add_time(o, "untilMs", a, "until", &f);
	if (e != AV_OK) {
		cJSON_Delete(o);
		return e == AV_EUSAGE ? usage_fault(&cmd_audit_stats, &f) : print_fault(&f);
	}
	buf_init(&result, RESULT_MAX);
	if (operator_run("audit.stats", o, (struct str){NULL, 0}, false, &result, &f) != AV_OK) {
		rc = print_fault(&f);
	} else {
		struct str text = {(const char *)result.data, result.len};
		bool table = a->output == OUTPUT_TABLE ||
		    (a->output == OUTPUT_AUTO && !a->verbose && isatty(STDOUT_FILENO) == 1);
		rc = table ? print_groups(text) : print_json(text);
	}
	buf_clear(&result);
	return rc;
}

const struct command cmd_audit_stats = {
    .name = "audit stats",
    .alias = "",
    .arguments = "[OPTIONS]",
    .about = "Count calls by capability, decision and reason, the most frequent first",
    .details = WHEN_HELP,
    .options = options,
    .run = run,
};
