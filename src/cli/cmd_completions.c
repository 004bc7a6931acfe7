/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/completions.h"

#include <string.h>

static const struct option no_options[] = {{NULL, NULL, false, NULL}};

static int
run(struct args *a)
{
	const char *shell = a->positional[0];
	struct fault f;

	if (strcmp(shell, "bash") == 0) {
		completions_bash();
	} else if (strcmp(shell, "zsh") == 0) {
		completions_zsh();
	} else if (strcmp(shell, "fish") == 0) {
		completions_fish();
	} else {
		(void)fault_set(&f, AV_EUSAGE, "usage", "", "completions takes bash, zsh or fish");
		return usage_fault(&cmd_completions, &f);
	}
	return 0;
}

const struct command cmd_completions = {
    .name = "completions",
    .alias = "",
    .arguments = "bash|zsh|fish",
    .about = "Print the completions for a shell",
    .options = no_options,
    .min_positional = 1,
    .max_positional = 1,
    .run = run,
};
