/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/command.h"
#include "cli/json_args.h"
#include "cli/operator.h"
#include "cli/print.h"

#include "base/io.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define RESULT_MAX (1024u * 1024u)

static const struct option no_options[] = {{NULL, NULL, false, NULL}};

struct findings {
	cJSON *list; /* [{check, ok, message, remedy}] */
	bool json;
	unsigned problems;
};

static void
report(struct findings *r, bool ok, const char *check, const char *message, const char *remedy)
{
	cJSON *o = cJSON_CreateObject();

	r->problems += !ok;
	(void)cJSON_AddStringToObject(o, "check", check);
	(void)cJSON_AddBoolToObject(o, "ok", ok);
	(void)cJSON_AddStringToObject(o, "message", message);
	(void)cJSON_AddStringToObject(o, "remedy", ok ? "" : remedy);
	if (!cJSON_AddItemToArray(r->list, o))
		cJSON_Delete(o);
	if (r->json)
		return;
	bool colour = print_has_colour(stdout);
	(void)printf("%s%s%s ", colour ? (ok ? "\033[32m" : "\033[31m") : "", ok ? "ok  " : "bad ",
	    colour ? "\033[0m" : "");
	print_field(check, 10, message);
	if (!ok && remedy[0] != '\0')
		print_field("", 15, remedy);
}

static void
check_mode(struct findings *r, const char *what, const char *path, mode_t allowed)
{
	struct stat st;
	char message[PATHS_MAX + 64];
	char remedy[PATHS_MAX + 64] = "";

	if (lstat(path, &st) != 0) {
		if (errno == ENOENT)
			return;
		(void)snprintf(
		    message, sizeof(message), "%s cannot be looked at: %s", path, strerror(errno));
		report(r, false, what, message, "Run aivault doctor as the vault's owner");
		return;
	}
	bool ok = (st.st_mode & 07777u & ~allowed) == 0;
	(void)snprintf(
	    message, sizeof(message), "%s has mode %04o", path, (unsigned)(st.st_mode & 07777));
	(void)snprintf(remedy, sizeof(remedy), "chmod %04o %s", (unsigned)allowed, path);
	report(r, ok, what, message, remedy);
	if (st.st_uid != geteuid() && geteuid() != 0) {
		(void)snprintf(message, sizeof(message), "%s belongs to uid %lu", path,
		    (unsigned long)st.st_uid);
		report(r, false, what, message, "Use the vault as its owner");
	}
}

static void
check_status(struct findings *r, const struct buf *result)
{
	cJSON *root = cJSON_ParseWithLength((const char *)result->data, result->len);
	const cJSON *st = cJSON_GetObjectItemCaseSensitive(root, "status");
	bool enabled = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(st, "enabled"));
	bool locked = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(st, "locked"));

	const cJSON *fault = cJSON_GetObjectItemCaseSensitive(root, "fault");
	bool faulty =
	    fault != NULL && strcmp(json_string(fault, "reason", ""), "vault_locked") != 0;

	if (faulty)
		report(r, false, "vault", json_string(fault, "message", "it cannot be used"),
		    json_string(fault, "remedy", ""));
	else
		report(r, enabled, "vault", enabled ? "there is one" : "there is none yet",
		    "aivault init");
	if (enabled && !faulty)
		report(r, !locked, "lock", locked ? "the vault is locked" : "the vault is unlocked",
		    "aivault unlock");
	if (cJSON_IsFalse(cJSON_GetObjectItemCaseSensitive(root, "memoryLocked")))
		report(r, false, "memory", "keys are not locked in memory",
		    "Raise the daemon's limit: ulimit -l, or LimitMEMLOCK= in its unit");
	else
		report(r, true, "memory", "keys are locked in memory", "");
	if (cJSON_IsFalse(cJSON_GetObjectItemCaseSensitive(root, "auditOnDisk")))
		report(r, false, "audit", "its rows are kept in memory only",
		    "Start the daemon without AIVAULT_DISABLE_DISK_LOGS");
	else
		report(r, true, "audit", "its rows are written to the disk", "");
	cJSON_Delete(root);
}

static void
check_daemon(struct findings *r)
{
	struct fault f = {0};
	struct found found;
	struct buf result;
	enum av_err e = discover(SOCKET_OPERATOR, 0, &found, &f);

	buf_init(&result, RESULT_MAX);
	if (e == AV_OK)
		e = operator_call(found.fd, "status", "{}", (struct str){NULL, 0}, &result, &f);
	if (e == AV_OK) {
		report(r, true, "daemon", found.agent_socket, "");
		check_status(r, &result);
	} else {
		report(r, false, "daemon", f.message,
		    f.remedy[0] != '\0' ? f.remedy : "aivault status starts one");
	}
	discover_close(&found);
	buf_clear(&result);
}

static int
finish(struct findings *r)
{
	char *text;
	int rc = r->problems == 0 ? 0 : 1;
	char count[48];

	if (r->json) {
		text = cJSON_PrintUnformatted(r->list);
		if (text == NULL || print_json(str_of(text)) != 0)
			rc = 1;
		cJSON_free(text);
	} else {
		plural(count, sizeof(count), r->problems, "problem", "problems");
		(void)printf("\n%s found.\n", r->problems == 0 ? "No problems" : count);
		rc = rc == 0 || fflush(stdout) == 0 ? rc : print_lost("");
	}
	cJSON_Delete(r->list);
	return rc;
}

static int
run(struct args *a)
{
	struct findings r = {.list = cJSON_CreateArray(), .json = args_wants_json(a)};
	struct paths *p = malloc(sizeof(*p));
	struct fault f = {0};

	if (p == NULL || paths_find(p, &f) != AV_OK) {
		free(p);
		cJSON_Delete(r.list);
		return print_fault(&f);
	}
	check_mode(&r, "root", p->root, 0700);
	check_mode(&r, "database", p->database, 0600);
	check_mode(&r, "key file", p->key_file, 0600);
	free(p);
	check_daemon(&r);
	return finish(&r);
}

const struct command cmd_doctor = {
    .name = "doctor",
    .alias = "",
    .arguments = "",
    .about = "Say what is wrong and which command mends it; ends with 1 where something is",
    .options = no_options,
    .run = run,
};
