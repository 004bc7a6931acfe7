/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/answer.h"
#include "cli/audit_view.h"
#include "cli/command.h"
#include "cli/findings.h"
#include "cli/json_args.h"
#include "cli/operator.h"
#include "cli/print.h"
#include "cli/vault_files.h"

#include <stdlib.h>
#include <string.h>

#define RESULT_MAX (1024u * 1024u)

static const struct option no_options[] = {{NULL, NULL, false, NULL}};

/* ---- by the operator ------------------------------------------------------------------------- */

/* True: there is a vault whose audit log can be asked for. */
static bool
check_status(struct findings *r, const cJSON *root)
{
	const cJSON *st = cJSON_GetObjectItemCaseSensitive(root, "status");
	bool enabled = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(st, "enabled"));
	bool locked = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(st, "locked"));

	const cJSON *fault = cJSON_GetObjectItemCaseSensitive(root, "fault");
	const cJSON *on_disk = cJSON_GetObjectItemCaseSensitive(root, "auditOnDisk");
	bool faulty =
	    fault != NULL && strcmp(json_string(fault, "reason", ""), "vault_locked") != 0;

	if (faulty)
		findings_bad(r, "vault", json_string(fault, "message", "it cannot be used"),
		    json_string(fault, "remedy", ""));
	else if (!enabled)
		findings_bad(r, "vault", "there is none yet", "aivault init");
	else
		findings_ok(r, "vault", "there is one");
	if (enabled && !faulty && locked)
		findings_bad(r, "lock", "the vault is locked", "aivault unlock");
	else if (enabled && !faulty)
		findings_ok(r, "lock", "the vault is unlocked");
	if (cJSON_IsFalse(cJSON_GetObjectItemCaseSensitive(root, "memoryLocked")))
		findings_bad(r, "memory", "keys are not locked in memory",
		    "Raise the daemon's limit: ulimit -l, or LimitMEMLOCK= in its unit");
	else
		findings_ok(r, "memory", "keys are locked in memory");
	if (cJSON_IsFalse(on_disk))
		findings_bad(r, "audit", "its rows are kept in memory only",
		    "Start the daemon without AIVAULT_DISABLE_DISK_LOGS");
	return cJSON_IsBool(on_disk);
}

static void
check_audit(struct findings *r, int fd)
{
	struct fault f = {0};
	struct buf result;
	char message[160], rows[48];
	enum av_err e;

	buf_init(&result, RESULT_MAX);
	e = operator_call(fd, "audit.verify", "{}", (struct str){NULL, 0}, &result, &f);
	cJSON *report = cJSON_ParseWithLength((const char *)result.data, result.len);
	const cJSON *n = cJSON_GetObjectItemCaseSensitive(report, "rows");
	if (e != AV_OK) {
		findings_bad(r, "audit", f.message, f.remedy);
	} else if (cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(report, "ok"))) {
		plural(rows, sizeof(rows), cJSON_IsNumber(n) ? (uint64_t)n->valuedouble : 0, "row",
		    "rows");
		(void)snprintf(message, sizeof(message), "its chain of %s is whole", rows);
		findings_ok(r, "audit", message);
	} else {
		audit_describe_problem(report, message, sizeof(message));
		findings_bad(r, "audit", message,
		    "Keep a copy of the vault's directory first, then see aivault audit verify");
	}
	cJSON_Delete(report);
	buf_clear(&result);
}

/* The key file that a running daemon uses may be another than the default one; a passphrase vault has
 * none. */
static void
check_files(struct findings *r, const struct paths *p, const cJSON *root)
{
	const cJSON *paths = cJSON_GetObjectItemCaseSensitive(root, "paths");
	const cJSON *st = cJSON_GetObjectItemCaseSensitive(root, "status");
	bool none = strcmp(json_string(st, "providerType", ""), "passphrase") == 0;

	vault_files_check(r, p, none ? NULL : json_string(paths, "keyPath", p->key_file));
}

static void
check_as_operator(struct findings *r, const struct paths *p, const struct found *found)
{
	struct fault f = {0};
	struct buf result;
	cJSON *root = NULL;
	enum av_err e;

	buf_init(&result, RESULT_MAX);
	e = operator_call(found->fd, "status", "{}", (struct str){NULL, 0}, &result, &f);
	if (e == AV_OK)
		root = cJSON_ParseWithLength((const char *)result.data, result.len);
	check_files(r, p, root);
	if (e != AV_OK) {
		findings_bad(r, "daemon", f.message, f.remedy);
	} else {
		findings_ok(r, "daemon",
		    found->agent_socket[0] != '\0'
		        ? found->agent_socket
		        : "private to each command: AIVAULTD_DISABLE is set");
		if (check_status(r, root))
			check_audit(r, found->fd);
	}
	cJSON_Delete(root);
	buf_clear(&result);
}

/* ---- by an agent ----------------------------------------------------------------------------- */

static void
check_capabilities(struct findings *r, const struct header_list *none)
{
	struct fault f = {0};
	struct answer answer;
	char message[96], count[48];

	answer_init(&answer);
	if (answer_fetch(&answer, "/aivault/capabilities", none, false, &f) != AV_OK) {
		findings_bad(r, "capability", f.message, f.remedy);
	} else {
		cJSON *root =
		    cJSON_ParseWithLength((const char *)answer.body.data, answer.body.len);
		int n = cJSON_GetArraySize(cJSON_GetObjectItemCaseSensitive(root, "capabilities"));
		plural(count, sizeof(count), (uint64_t)n, "capability", "capabilities");
		(void)snprintf(message, sizeof(message), "this account may use %s", count);
		if (n > 0)
			findings_ok(r, "capability", message);
		else
			findings_bad(r, "capability", "this account may use none",
			    "Ask the vault's owner to store a secret, or to enable capabilities");
		cJSON_Delete(root);
	}
	answer_clear(&answer);
}

/* This account may call, and is not the one that the vault belongs to: its files are not its business. */
static void
check_as_agent(struct findings *r, const struct fault *refused)
{
	struct fault f = {0};
	struct header_list none;
	struct answer health;

	header_list_init(&none);
	answer_init(&health);
	if (answer_fetch(&health, "/aivault/health", &none, false, &f) != AV_OK) {
		/* Neither socket: what the first one said is told only where the second says nothing. */
		findings_bad(r, "daemon", f.message[0] != '\0' ? f.message : refused->message,
		    f.remedy[0] != '\0' ? f.remedy : refused->remedy);
	} else {
		cJSON *root =
		    cJSON_ParseWithLength((const char *)health.body.data, health.body.len);
		findings_ok(r, "daemon", "it answers agents");
		findings_ok(
		    r, "account", "an agent's: it may use capabilities, not look after the vault");
		if (cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(root, "locked")))
			findings_bad(r, "lock", "the vault is locked",
			    "Ask its owner to run aivault unlock");
		else
			check_capabilities(r, &none);
		cJSON_Delete(root);
	}
	answer_clear(&health);
	header_list_clear(&none);
}

/* ---- which of them --------------------------------------------------------------------------- */

static void
check_without_daemon(struct findings *r, const struct found *found, const struct fault *f)
{
	if (f->err != AV_EUNAVAIL || strcmp(f->reason, "no_daemon") != 0)
		findings_bad(r, "daemon", f->message, f->remedy);
	else if (found->may_create)
		findings_ok(r, "daemon", "none runs; the next command starts one");
	else
		findings_bad(r, "daemon", found->why_not, found->remedy);
}

static int
run(struct args *a)
{
	struct findings r;
	struct found found;
	struct paths *p = malloc(sizeof(*p));
	struct fault f = {0};
	enum av_err e;

	if (p == NULL || paths_find(p, &f) != AV_OK) {
		free(p);
		return print_fault(&f);
	}
	findings_init(&r, args_wants_json(a));
	/* A private daemon ends with this command: it may be started to be asked. */
	e = discover(SOCKET_OPERATOR, private_is_wanted() ? FIND_START : 0, &found, &f);
	if (e == AV_OK) {
		check_as_operator(&r, p, &found);
	} else if (e == AV_EOPERATOR && strcmp(f.reason, "socket_permission") == 0) {
		check_as_agent(&r, &f);
	} else {
		check_files(&r, p, NULL);
		check_without_daemon(&r, &found, &f);
	}
	discover_close(&found);
	free(p);
	return findings_finish(&r);
}

const struct command cmd_doctor = {
    .name = "doctor",
    .alias = "",
    .arguments = "",
    .about = "Say what is wrong and which command mends it; ends with 1 where something is",
    .options = no_options,
    .run = run,
};
