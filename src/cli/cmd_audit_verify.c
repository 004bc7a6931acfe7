/* SPDX-License-Identifier: Apache-2.0 */
#include "base/io.h"
#include "cli/audit_view.h"
#include "cli/command.h"
#include "cli/json_args.h"
#include "cli/operator.h"
#include "cli/print.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#define RESULT_MAX (1024u * 1024u)
#define KEY_FILE_MAX 4096u

static const struct option options[] = {
    {"public-key", "FILE", false,
        "check with the key in FILE (auditPublicKey of status -v), kept elsewhere"},
    {NULL, NULL, false, NULL},
};

/* The key file is read here, as the caller's user; blanks around the digits do not count. */
static enum av_err
add_key(cJSON *o, const char *path, struct fault *f)
{
	struct buf text;
	enum av_err e;

	if (path == NULL)
		return AV_OK;
	buf_init(&text, KEY_FILE_MAX);
	e = io_read_file(AT_FDCWD, path, KEY_FILE_MAX - 1, &text);
	if (e != AV_OK) {
		e = fault_set(f, AV_EINVAL, "public_key_file", "",
		    "the key file %.300s cannot be read: %s", path,
		    e == AV_ELIMIT ? "it is too long" : strerror(errno));
	} else {
		char *p = (char *)(uintptr_t)buf_cstr(&text);
		if (p != NULL)
			p[strcspn(p, "\r\n")] = '\0';
		if (p == NULL || cJSON_AddStringToObject(o, "publicKey", p) == NULL)
			e = fault_set(f, AV_ENOMEM, "no_memory", "", "out of memory");
	}
	buf_clear(&text);
	return e;
}

static uint64_t
number(const cJSON *o, const char *key)
{
	const cJSON *v = cJSON_GetObjectItemCaseSensitive(o, key);

	return cJSON_IsNumber(v) && v->valuedouble > 0 ? (uint64_t)v->valuedouble : 0;
}

static int
report(const cJSON *root, bool json, struct str text)
{
	bool ok = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(root, "ok"));
	char message[160], rows[48], points[48];

	if (json) {
		if (print_json(text) != 0)
			return 1;
	} else {
		plural(rows, sizeof(rows), number(root, "rows"), "row", "rows");
		plural(points, sizeof(points), number(root, "checkpoints"), "checkpoint",
		    "checkpoints");
		(void)printf("%s, %s (%" PRIu64 " in checkpoints.log), signed up to row %" PRIu64
		             ": %s.\nNote: %s.\n",
		    rows, points, number(root, "checkpointsLogged"), number(root, "lastSignedId"),
		    ok ? "whole" : "NOT whole", json_string(root, "limits", ""));
		(void)fflush(stdout);
	}
	if (ok)
		return 0;
	audit_describe_problem(root, message, sizeof(message));
	return print_failure("audit_broken", message,
	    "Keep a copy of the vault's directory before anything else writes to it");
}

static int
run(struct args *a)
{
	struct fault f = {0};
	struct buf result;
	cJSON *args = cJSON_CreateObject();
	cJSON *root;
	enum av_err e = add_key(args, args_value(a, "public-key"), &f);
	int rc;

	if (e != AV_OK) {
		cJSON_Delete(args);
		return print_fault(&f);
	}
	buf_init(&result, RESULT_MAX);
	if (operator_run("audit.verify", args, (struct str){NULL, 0}, false, &result, &f) !=
	    AV_OK) {
		rc = print_fault(&f);
	} else {
		bool table = a->output == OUTPUT_TABLE ||
		    (a->output == OUTPUT_AUTO && !a->verbose && isatty(STDOUT_FILENO) == 1);
		root = cJSON_ParseWithLength((const char *)result.data, result.len);
		rc = report(root, !table, (struct str){(const char *)result.data, result.len});
		cJSON_Delete(root);
	}
	buf_clear(&result);
	return rc;
}

const struct command cmd_audit_verify = {
    .name = "audit verify",
    .alias = "",
    .arguments = "[OPTIONS]",
    .about = "Check the audit log's chain and checkpoints; ends with 1 where it is broken",
    .details = "Works while the vault is locked. Without --public-key from elsewhere it finds "
               "accidents and\n"
               "clumsy hands, not somebody who replaced key and log together.\n",
    .options = options,
    .run = run,
};
