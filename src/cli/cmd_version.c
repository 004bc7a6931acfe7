/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/command.h"
#include "cli/print.h"

static const struct option no_options[] = {{NULL, NULL, false, NULL}};

static int
run(struct args *a)
{
	if (args_wants_json(a))
		return print_json(
		    STR_LIT("{\"version\":\"" AV_VERSION "\",\"variant\":\"" AV_VARIANT "\"}"));
	(void)puts("aivault " AV_VERSION " (" AV_VARIANT ")");
	return 0;
}

const struct command cmd_version = {
    .name = "version",
    .alias = "",
    .arguments = "",
    .about = "Show the version",
    .options = no_options,
    .run = run,
};
