/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/command.h"
#include "cli/json_args.h"
#include "cli/operator.h"
#include "cli/print.h"

#include <string.h>
#include <unistd.h>

static const struct option options[] = {
	{"provider", "KIND", false, "where the vault's key is kept: file (default)"},
	{"file-path", "PATH", false, "the key file's place"},
	{"env-var", "NAME", false, "not in this version"},
	{"keychain-service", "NAME", false, "not in this version"},
	{"keychain-account", "NAME", false, "not in this version"},
	{"passphrase", "TEXT", false, "not in this version"},
	{NULL, NULL, false, NULL},
};

/* The keeper works in another directory than we do. */
static bool
add_file_path(cJSON *o, const char *path)
{
	char full[2 * PATHS_MAX];
	size_t n = 0;

	if (path == NULL)
		return true;
	if (path[0] != '/') {
		if (getcwd(full, PATHS_MAX) == NULL)
			return false;
		n = strlen(full);
		full[n++] = '/';
	}
	if (strlen(path) >= sizeof(full) - n)
		return false;
	memcpy(full + n, path, strlen(path) + 1);
	return cJSON_AddStringToObject(o, "filePath", full) != NULL;
}

static int
run(struct args *a)
{
	struct fault f;
	const char *provider = args_value(a, "provider");
	static const char *const others[] = {"env", "passphrase", "macos-keychain"};
	cJSON *o;

	if (provider == NULL)
		provider = "file";
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		char message[96];
		if (strcmp(provider, others[i]) != 0)
			continue;
		(void)snprintf(message, sizeof(message), "--provider %s is not part of this version",
		    provider);
		return print_failure("not_supported", message, "Use --provider file");
	}
	if (strcmp(provider, "file") != 0) {
		(void)fault_set(&f, AV_EUSAGE, "usage", "",
		    "--provider takes file, env, passphrase or macos-keychain");
		return usage_fault(&cmd_init, &f);
	}
	o = cJSON_CreateObject();
	if (cJSON_AddStringToObject(o, "provider", provider) == NULL ||
	    !add_file_path(o, args_value(a, "file-path"))) {
		cJSON_Delete(o);
		return print_failure("vault_unavailable", "out of memory", "");
	}
	return operator_print("init", o, (struct str){NULL, 0}, false);
}

const struct command cmd_init = {
	.name = "init",
	.alias = "",
	.arguments = "[OPTIONS]",
	.about = "Make the vault, choosing where its key is kept",
	.options = options,
	.run = run,
};
