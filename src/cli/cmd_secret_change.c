/* SPDX-License-Identifier: Apache-2.0 */
/* secrets rotate, secrets delete */
#include "cli/command.h"
#include "cli/json_args.h"
#include "cli/operator.h"
#include "cli/print.h"
#include "cli/secret_input.h"

static const struct option rotate_options[] = {
    {"id", "ID", false, "the secret's id, as `aivault secrets list` shows it"},
    {"value-file", "FILE", false, "take the value from FILE, byte for byte"},
    {"value", "TEXT", false, "the value itself (others may see it: not advised)"},
    {NULL, NULL, false, NULL},
};

static const struct option delete_options[] = {
    {"id", "ID", false, "the secret's id, as `aivault secrets list` shows it"},
    {NULL, NULL, false, NULL},
};

/* NULL: the fault is said, *rc is the exit code. */
static cJSON *
id_args(struct args *a, const struct command *c, int *rc)
{
	struct fault f;
	const char *id = args_value(a, "id");
	cJSON *o;

	if (id == NULL || id[0] == '\0') {
		(void)fault_set(&f, AV_EUSAGE, "usage", "", "--id is required");
		*rc = usage_fault(c, &f);
		return NULL;
	}
	o = cJSON_CreateObject();
	if (!json_add_option(o, "id", a, "id")) {
		cJSON_Delete(o);
		*rc = print_failure("vault_unavailable", "out of memory", "");
		return NULL;
	}
	return o;
}

static int
run_rotate(struct args *a)
{
	struct fault f = {0};
	struct buf value;
	int rc = 0;
	cJSON *o = id_args(a, &cmd_secrets_rotate, &rc);

	if (o == NULL)
		return rc;
	buf_init(&value, SECRET_INPUT_MAX + 4096);
	if (secret_input(a, "New value", &value, &f) != AV_OK) {
		cJSON_Delete(o);
		rc = print_fault(&f);
	} else {
		rc = operator_print(
		    "secrets.rotate", o, (struct str){(const char *)value.data, value.len}, false);
	}
	buf_clear(&value);
	return rc;
}

const struct command cmd_secrets_rotate = {
    .name = "secrets rotate",
    .alias = "",
    .arguments = "--id ID [OPTIONS]",
    .about = "Give a secret a new value",
    .details = "The value comes from where `aivault secrets create` takes it. Calls that begin "
               "after this\n"
               "use the new one.\n",
    .options = rotate_options,
    .run = run_rotate,
};

static int
run_delete(struct args *a)
{
	int rc = 0;
	cJSON *o = id_args(a, &cmd_secrets_delete, &rc);

	return o == NULL ? rc : operator_print("secrets.delete", o, (struct str){NULL, 0}, false);
}

const struct command cmd_secrets_delete = {
    .name = "secrets delete",
    .alias = "",
    .arguments = "--id ID",
    .about = "Wipe a secret's value, free its name and disable what needs it",
    .options = delete_options,
    .run = run_delete,
};
