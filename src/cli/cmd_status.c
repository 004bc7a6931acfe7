/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/command.h"
#include "cli/json_args.h"
#include "cli/operator.h"
#include "cli/print.h"

#include <stdlib.h>
#include <string.h>

#define RESULT_MAX (1024u * 1024u)

static const struct option options[] = {{NULL, NULL, false, NULL}};

static const char *
provider_name(const char *type)
{
	if (strcmp(type, "file") == 0)
		return "Key file";
	if (strcmp(type, "env") == 0)
		return "Environment variable";
	if (strcmp(type, "passphrase") == 0)
		return "Passphrase";
	return strcmp(type, "macos_keychain") == 0 ? "macOS Keychain" : type;
}

static void
print_vault(const cJSON *root)
{
	const cJSON *st = cJSON_GetObjectItemCaseSensitive(root, "status");
	const cJSON *fault = cJSON_GetObjectItemCaseSensitive(root, "fault");
	bool enabled = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(st, "enabled"));
	bool locked = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(st, "locked"));
	/* That one is locked is its state, not what is wrong with it. */
	bool faulty =
	    fault != NULL && strcmp(json_string(fault, "reason", ""), "vault_locked") != 0;

	print_heading("Vault");
	print_field("Status:", 16,
	    !enabled     ? "not initialized"
	        : faulty ? "cannot be used"
	        : locked ? "locked"
	                 : "unlocked");
	if (faulty)
		print_field("Problem:", 16, json_string(fault, "message", "?"));
	if (json_string(fault, "remedy", "")[0] != '\0')
		print_field("What to do:", 16, json_string(fault, "remedy", ""));
	if (enabled) {
		print_field("Provider:", 16, provider_name(json_string(st, "providerType", "?")));
		print_field("KEK identifier:", 16, json_string(st, "kekId", "-"));
	}
}

static void
print_status(const cJSON *root)
{
	const cJSON *paths = cJSON_GetObjectItemCaseSensitive(root, "paths");
	const cJSON *daemon = cJSON_GetObjectItemCaseSensitive(root, "daemon");
	const cJSON *memory = cJSON_GetObjectItemCaseSensitive(root, "memoryLocked");
	const cJSON *pid = cJSON_GetObjectItemCaseSensitive(daemon, "pid");
	char number[32];

	print_vault(root);
	print_heading("Paths");
	print_field("Root:", 16, json_string(paths, "rootDir", "?"));
	if (daemon != NULL) {
		print_heading("Daemon");
		(void)snprintf(number, sizeof(number), "%ld",
		    cJSON_IsNumber(pid) ? (long)pid->valuedouble : 0L);
		print_field("Pid:", 16, number);
		print_field("Version:", 16, json_string(daemon, "version", "?"));
		print_field(
		    "Socket:", 16, json_string(daemon, "socket", "none: private to this command"));
	}
	if (cJSON_IsFalse(cJSON_GetObjectItemCaseSensitive(root, "auditOnDisk")))
		(void)puts("\nAudit rows are kept in memory only: AIVAULT_DISABLE_DISK_LOGS is set "
		           "for the daemon.");
	if (cJSON_IsFalse(memory))
		(void)puts("\nKeys are not locked in memory: raise `ulimit -l` for the daemon.");
}

/* The answer, with the agents' socket that led to it. NULL: *f. */
static cJSON *
ask(struct fault *f)
{
	struct found found;
	struct buf result;
	cJSON *root = NULL;
	enum av_err e = discover(SOCKET_OPERATOR, FIND_START, &found, f);

	buf_init(&result, RESULT_MAX);
	if (e == AV_OK)
		e = operator_call(found.fd, "status", found.may_create ? "{\"create\":true}" : "{}",
		    (struct str){NULL, 0}, &result, f);
	if (e == AV_OK) {
		root = cJSON_ParseWithLength((const char *)result.data, result.len);
		cJSON *daemon = cJSON_GetObjectItemCaseSensitive(root, "daemon");
		if (root == NULL)
			(void)fault_set(f, AV_ENOMEM, "no_memory", "", "out of memory");
		else if (daemon != NULL && found.agent_socket[0] != '\0')
			(void)cJSON_AddStringToObject(daemon, "socket", found.agent_socket);
	}
	discover_close(&found);
	buf_clear(&result);
	return root;
}

static int
run(struct args *a)
{
	struct fault f = {0};
	cJSON *root = ask(&f);
	int rc = 0;

	if (root == NULL)
		return print_fault(&f);
	if (args_wants_json(a)) {
		char *text = cJSON_PrintUnformatted(root);
		rc = text == NULL ? 1 : print_json(str_of(text));
		cJSON_free(text);
	} else {
		print_status(root);
	}
	cJSON_Delete(root);
	return rc;
}

const struct command cmd_status = {
    .name = "status",
    .alias = "",
    .arguments = "[OPTIONS]",
    .about = "Show the vault and its daemon; make a vault where there is none",
    .options = options,
    .run = run,
};
