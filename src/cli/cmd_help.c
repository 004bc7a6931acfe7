/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/command.h"

#include <string.h>

static const struct option no_options[] = {{NULL, NULL, false, NULL}};

/* "set" of "set|get|clear --capability ID": an action, whose help is the command's. */
static bool
is_action(const struct command *c, const char *word)
{
	const char *p = c->arguments;
	size_t end = strcspn(p, " "), len = strlen(word);

	for (size_t at = 0; at < end; at += strcspn(p + at, "| ") + 1) {
		if (strcspn(p + at, "| ") == len && strncmp(p + at, word, len) == 0)
			return true;
	}
	return false;
}

static int
run(struct args *a)
{
	char *words[ARGS_MAX_POSITIONAL];
	const struct command *c;
	const char *later;
	struct fault f;
	int used, n;

	if (a->positional_count == 0) {
		help_overview(stdout);
		return 0;
	}
	for (size_t i = 0; i < a->positional_count; i++)
		words[i] = (char *)(uintptr_t)a->positional[i];
	n = (int)a->positional_count;
	c = command_find(n, words, &used);
	later = command_later(n, words);
	if (later != NULL && used < 2)
		return later_failure(later);
	if (c != NULL && (n == used || (n == used + 1 && is_action(c, words[used])))) {
		help_command(c, stdout);
		return 0;
	}
	if (n == 1 && command_is_group(words[0])) {
		help_group(words[0], stdout);
		return 0;
	}
	(void)fault_set(&f, AV_EUSAGE, "usage", "", "unknown command %.60s%s%.60s", words[0],
	    n > 1 ? " " : "", n > 1 ? words[1] : "");
	return usage_fault(NULL, &f);
}

const struct command cmd_help = {
    .name = "help",
    .alias = "",
    .arguments = "[COMMAND]",
    .about = "Show how a command is used",
    .options = no_options,
    .max_positional = 3,
    .run = run,
};
