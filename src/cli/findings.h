/* SPDX-License-Identifier: Apache-2.0 */
/* findings.h - what `doctor` found: printed as it comes, or as one JSON array at the end. */
#ifndef AV_CLI_FINDINGS_H
#define AV_CLI_FINDINGS_H

#include <stdbool.h>

struct cJSON;

struct findings {
	struct cJSON *list; /* [{check, ok, message, remedy}] */
	bool json;
	unsigned problems;
};

void findings_init(struct findings *r, bool json);
void findings_ok(struct findings *r, const char *check, const char *message);
/* `remedy`: the command, or a sentence; may be "". */
void findings_bad(struct findings *r, const char *check, const char *message, const char *remedy);
/* The last line, or the array. Returns the exit code: 1 where there was a problem. Clears *r. */
int findings_finish(struct findings *r);

#endif
