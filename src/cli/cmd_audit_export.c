/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/audit_view.h"
#include "cli/command.h"
#include "cli/json_args.h"
#include "cli/operator.h"
#include "cli/print.h"

#include <string.h>

#define PAGE_MAX (1024u * 1024u)

static const struct option options[] = {{NULL, NULL, false, NULL}};

/* The id of the last row of a page; 0: an empty one. */
static double
last_id(const struct buf *page)
{
	cJSON *rows = cJSON_ParseWithLength((const char *)page->data, page->len);
	const cJSON *row = cJSON_GetArrayItem(rows, cJSON_GetArraySize(rows) - 1);
	const cJSON *id = cJSON_GetObjectItemCaseSensitive(row, "id");
	double n = cJSON_IsNumber(id) ? id->valuedouble : 0;

	cJSON_Delete(rows);
	return n;
}

static int
run(struct args *a)
{
	struct fault f = {0};
	struct buf page;
	double after = 0;
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
		double last = last_id(&page);
		if (last <= after)
			break;
		rc = audit_print_lines((struct str){(const char *)page.data, page.len});
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
