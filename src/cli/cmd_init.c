/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/command.h"
#include "cli/json_args.h"
#include "cli/operator.h"
#include "cli/print.h"
#include "cli/secret_input.h"

#include <string.h>
#include <unistd.h>

static const struct option options[] = {
    {"provider", "KIND", false, "where the vault's key comes from: file (default) or passphrase"},
    {"file-path", "PATH", false, "the key file's place"},
    {"env-var", "NAME", false, "not in this version"},
    {"keychain-service", "NAME", false, "not in this version"},
    {"keychain-account", "NAME", false, "not in this version"},
    {"passphrase-file", "FILE", false,
        "take the passphrase from FILE, less one newline at its end"},
    {"passphrase", "TEXT", false, "the passphrase itself (others may see it: not advised)"},
    {"cost", "LEVEL", false, "of the passphrase: interactive, moderate (default) or sensitive"},
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
init_file(struct args *a)
{
	struct fault f;
	cJSON *o;

	if (args_has(a, "passphrase") || args_has(a, "passphrase-file") || args_has(a, "cost")) {
		(void)fault_set(&f, AV_EUSAGE, "usage", "",
		    "--passphrase, --passphrase-file and --cost go with --provider passphrase");
		return usage_fault(&cmd_init, &f);
	}
	o = cJSON_CreateObject();
	if (cJSON_AddStringToObject(o, "provider", "file") == NULL ||
	    !add_file_path(o, args_value(a, "file-path"))) {
		cJSON_Delete(o);
		return print_failure("vault_unavailable", "out of memory", "");
	}
	return operator_print("init", o, (struct str){NULL, 0}, false);
}

static int
init_passphrase(struct args *a)
{
	struct fault f = {0};
	struct buf passphrase;
	cJSON *o;
	int rc;

	if (args_has(a, "file-path")) {
		(void)fault_set(&f, AV_EUSAGE, "usage", "", "a passphrase vault has no key file");
		return usage_fault(&cmd_init, &f);
	}
	buf_init(&passphrase, SECRET_INPUT_MAX + 4096);
	o = cJSON_CreateObject();
	if (passphrase_input(a, "Passphrase of the new vault", true, &passphrase, &f) != AV_OK) {
		cJSON_Delete(o);
		rc = print_fault(&f);
	} else if (cJSON_AddStringToObject(o, "provider", "passphrase") == NULL ||
	    (args_has(a, "cost") && !json_add_option(o, "cost", a, "cost"))) {
		cJSON_Delete(o);
		rc = print_failure("vault_unavailable", "out of memory", "");
	} else {
		rc = operator_print(
		    "init", o, (struct str){(const char *)passphrase.data, passphrase.len}, false);
	}
	buf_clear(&passphrase);
	return rc;
}

/* What would choose another source of the key than the vault would get. NULL: nothing. */
static const char *
asked_for_later(const struct args *a)
{
	static const char *const later[] = {"env-var", "keychain-service", "keychain-account"};
	const char *provider = args_value(a, "provider");

	if (provider != NULL && strcmp(provider, "env") == 0)
		return "provider env";
	if (provider != NULL && strcmp(provider, "macos-keychain") == 0)
		return "provider macos-keychain";
	for (size_t i = 0; i < sizeof(later) / sizeof(later[0]); i++) {
		if (args_has(a, later[i]))
			return later[i];
	}
	return NULL;
}

static int
run(struct args *a)
{
	struct fault f;
	const char *provider = args_value(a, "provider");
	const char *later = asked_for_later(a);

	if (later != NULL) {
		char message[96];
		(void)snprintf(message, sizeof(message), "--%s is not part of this version", later);
		return print_failure("not_supported", message, "Use --provider file or passphrase");
	}
	if (provider == NULL)
		provider = "file";
	bool passphrase = strcmp(provider, "passphrase") == 0;
	if (!passphrase && strcmp(provider, "file") != 0) {
		(void)fault_set(&f, AV_EUSAGE, "usage", "",
		    "--provider takes file, env, passphrase or macos-keychain");
		return usage_fault(&cmd_init, &f);
	}
	return passphrase ? init_passphrase(a) : init_file(a);
}

const struct command cmd_init = {
    .name = "init",
    .alias = "",
    .arguments = "[OPTIONS]",
    .about = "Make the vault, choosing where its key comes from",
    .details =
        "With --provider passphrase and neither --passphrase nor --passphrase-file, the passphrase "
        "is\n"
        "asked for on the terminal, without echo, or read from standard input when that is no\n"
        "terminal. A vault made so is locked whenever its daemon has started: `aivault unlock`.\n",
    .options = options,
    .run = run,
};
