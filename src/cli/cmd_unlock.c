/* SPDX-License-Identifier: Apache-2.0 */
/* unlock, lock */
#include "cli/command.h"
#include "cli/json_args.h"
#include "cli/operator.h"
#include "cli/print.h"
#include "cli/secret_input.h"

#include <string.h>

#define RESULT_MAX (1024u * 1024u)

static const struct option unlock_options[] = {
    {"passphrase-file", "FILE", false,
        "take the passphrase from FILE, less one newline at its end"},
    {"passphrase", "TEXT", false, "the passphrase itself (others may see it: not advised)"},
    {NULL, NULL, false, NULL},
};

static const struct option lock_options[] = {{NULL, NULL, false, NULL}};

/* Nobody is asked for a passphrase that is not needed. */
static enum av_err
needs_passphrase(struct buf *status, bool *needed, struct fault *f)
{
	struct str none = {NULL, 0};
	enum av_err e = operator_run("status", NULL, none, false, status, f);

	if (e != AV_OK)
		return e;
	cJSON *root = cJSON_ParseWithLength((const char *)status->data, status->len);
	const cJSON *st = cJSON_GetObjectItemCaseSensitive(root, "status");
	bool enabled = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(st, "enabled"));
	const char *type = json_string(st, "providerType", "");
	*needed = !enabled ||
	    (strcmp(type, "passphrase") == 0 &&
	        cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(st, "locked")));
	cJSON_Delete(root);
	if (!enabled)
		return fault_set(
		    f, AV_ENOVAULT, "no_vault", "Run `aivault init`", "there is no vault yet");
	return AV_OK;
}

static int
run_unlock(struct args *a)
{
	struct fault f = {0};
	struct buf status, passphrase;
	bool needed = false;
	int rc;

	buf_init(&status, RESULT_MAX);
	buf_init(&passphrase, SECRET_INPUT_MAX + 4096);
	enum av_err e = needs_passphrase(&status, &needed, &f);
	if (e == AV_OK && needed)
		e = passphrase_input(a, "Passphrase", false, &passphrase, &f);
	if (e == AV_EUSAGE)
		rc = usage_fault(&cmd_unlock, &f);
	else if (e != AV_OK)
		rc = print_fault(&f);
	else
		rc = operator_print("unlock", NULL,
		    (struct str){(const char *)passphrase.data, passphrase.len}, false);
	buf_clear(&passphrase);
	buf_clear(&status);
	return rc;
}

const struct command cmd_unlock = {
    .name = "unlock",
    .alias = "",
    .arguments = "[OPTIONS]",
    .about = "Give the running daemon the passphrase of its vault",
    .details = "Without --passphrase and --passphrase-file it is asked for on the terminal, "
               "without echo, or\n"
               "read from standard input when that is no terminal. The vault stays unlocked until "
               "`aivault\n"
               "lock` or the end of the daemon.\n",
    .options = unlock_options,
    .run = run_unlock,
};

static int
run_lock(struct args *a)
{
	struct str none = {NULL, 0};

	(void)a;
	return operator_print("lock", NULL, none, false);
}

const struct command cmd_lock = {
    .name = "lock",
    .alias = "",
    .arguments = "",
    .about = "Make the daemon forget the key of a passphrase vault",
    .details = "Calls under way end, new ones are refused with 423 until `aivault unlock`.\n",
    .options = lock_options,
    .run = run_lock,
};
