/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/command.h"

static const struct option no_options[] = {{NULL, NULL, false, NULL}};

static int
run(struct args *a)
{
	char *words[ARGS_MAX_POSITIONAL];
	const struct command *c;
	struct fault f;
	int used;

	if (a->positional_count == 0) {
		help_overview(stdout);
		return 0;
	}
	for (size_t i = 0; i < a->positional_count; i++)
		words[i] = (char *)(uintptr_t)a->positional[i];
	c = command_find((int)a->positional_count, words, &used);
	if (c != NULL) {
		help_command(c, stdout);
		return 0;
	}
	if (a->positional_count == 1 && command_is_group(words[0])) {
		help_group(words[0], stdout);
		return 0;
	}
	(void)fault_set(&f, AV_EUSAGE, "usage", "", "unknown command %.60s", words[0]);
	return usage_fault(NULL, &f);
}

const struct command cmd_help = {
    .name = "help",
    .alias = "",
    .arguments = "[COMMAND]",
    .about = "Show how a command is used",
    .options = no_options,
    .max_positional = 2,
    .run = run,
};
