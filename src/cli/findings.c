/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/findings.h"

#include "cli/print.h"

#include <cjson/cJSON.h>

void
findings_init(struct findings *r, bool json)
{
	*r = (struct findings){.list = cJSON_CreateArray(), .json = json};
}

static void
add(struct findings *r, bool ok, const char *check, const char *message, const char *remedy)
{
	cJSON *o = cJSON_CreateObject();

	(void)cJSON_AddStringToObject(o, "check", check);
	(void)cJSON_AddBoolToObject(o, "ok", ok);
	(void)cJSON_AddStringToObject(o, "message", message);
	(void)cJSON_AddStringToObject(o, "remedy", remedy);
	if (!cJSON_AddItemToArray(r->list, o))
		cJSON_Delete(o);
	if (r->json)
		return;
	bool colour = print_has_colour(stdout);
	(void)printf("%s%s%s ", colour ? (ok ? "\033[32m" : "\033[31m") : "", ok ? "ok  " : "bad ",
	    colour ? "\033[0m" : "");
	print_field(check, 10, message);
	if (remedy[0] != '\0')
		print_field("", 15, remedy);
}

void
findings_ok(struct findings *r, const char *check, const char *message)
{
	add(r, true, check, message, "");
}

void
findings_bad(struct findings *r, const char *check, const char *message, const char *remedy)
{
	r->problems++;
	add(r, false, check, message, remedy);
}

int
findings_finish(struct findings *r)
{
	int rc = r->problems == 0 ? 0 : 1;
	char count[48];

	if (r->json) {
		char *text = cJSON_PrintUnformatted(r->list);
		if (text == NULL || print_json(str_of(text)) != 0)
			rc = 1;
		cJSON_free(text);
	} else {
		plural(count, sizeof(count), r->problems, "problem", "problems");
		(void)printf("\n%s found.\n", r->problems == 0 ? "No problems" : count);
		rc = rc == 0 || fflush(stdout) == 0 ? rc : print_lost("");
	}
	cJSON_Delete(r->list);
	r->list = NULL;
	return rc;
}
