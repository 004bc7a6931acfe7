/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/audit_view.h"
#include "cli/command.h"
#include "cli/json_args.h"
#include "cli/operator.h"
#include "cli/print.h"

#include <string.h>

#define PAGE_MAX (1024u * 1024u)

static const struct option options[] = {{NULL, NULL, false, NULL}};

static int
run(struct args *a)
{
	struct fault f = {0};
	struct buf page;
	double after = 0;
	uint64_t count;
	int rc = 0;

	if (a->output == OUTPUT_TABLE) {
		(void)fault_set(
		    &f, AV_EUSAGE, "usage", "", "audit export writes lines of JSON only");
		return usage_fault(&cmd_audit_export, &f);
	}
	buf_init(&page, PAGE_MAX);
	while (rc == 0) {
		cJSON *o = cJSON_CreateObject();
		(void)cJSON_AddNumberToObject(o, "afterId", after);
		buf_reset(&page);
		if (operator_run("audit.export", o, (struct str){NULL, 0}, false, &page, &f) !=
		    AV_OK) {
			rc = print_fault(&f);
			break;
		}
		struct str rows = {(const char *)page.data, page.len};
		double last = audit_last_id(rows, &count);
		if (count == 0)
			break;
		rc = audit_print_lines(rows);
		after = last;
	}
	buf_clear(&page);
	return rc;
}

const struct command cmd_audit_export = {
    .name = "audit export",
    .alias = "",
    .arguments = "",
    .about = "Write all rows of the audit log, oldest first, as lines of JSON",
    .details = "Rows as they are in the log: a call's decision and its outcome are two.\n",
    .options = options,
    .run = run,
};
