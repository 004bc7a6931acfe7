/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/completions.h"

#include <string.h>

/* In single quotes fish knows \\ and \' alone. */
static void
quoted(const char *text)
{
	(void)fputc('\'', stdout);
	for (; *text != '\0'; text++) {
		if (*text == '\'' || *text == '\\')
			(void)fputc('\\', stdout);
		(void)fputc(*text, stdout);
	}
	(void)fputc('\'', stdout);
}

static void
described(const char *text)
{
	(void)fputs(" -d ", stdout);
	quoted(text);
	(void)fputc('\n', stdout);
}

static void
option_line(
    const struct command *c, const char *name, const char *values, bool file, const char *help)
{
	(void)printf("complete -c aivault -n '__aivault_in %s", c->name);
	if (strchr(c->name, ' ') == NULL && command_is_group(c->name)) {
		(void)fputs("; and not __fish_seen_subcommand_from", stdout);
		completions_second_words(c->name, " ", "");
	}
	(void)printf("' -l %s", name);
	if (file)
		(void)fputs(" -r -F", stdout);
	else if (values != NULL)
		(void)fputs(" -x", stdout);
	if (values != NULL && values[0] != '\0')
		(void)printf(" -a '%s'", values);
	described(help);
}

static void
command_lines(const struct command *c)
{
	size_t n = strcspn(c->name, " ");

	if (c->name[n] == '\0')
		(void)printf("complete -c aivault -n __fish_use_subcommand -a %s", c->name);
	else
		(void)printf("complete -c aivault -n '__aivault_is %.*s' -a %s", (int)n, c->name,
		    c->name + n + 1);
	described(c->about);
	if (completions_arguments(c)[0] != '\0')
		(void)printf("complete -c aivault -n '__aivault_is %s' -a '%s'\n", c->name,
		    completions_arguments(c));
	for (const struct option *o = c->options; o->name != NULL; o++)
		option_line(c, o->name, o->value_name == NULL ? NULL : completions_values(c, o),
		    completions_is_file(o), o->help);
	option_line(c, "output", completions_output(c), false, "how to print");
}

void
completions_fish(void)
{
	char group[64];

	(void)fputs("# Does the command line begin with aivault and these words?\n"
	            "function __aivault_in\n"
	            "\tset -l words (commandline -opc)\n"
	            "\tset -l n (count $argv)\n"
	            "\tset -e words[1]\n"
	            "\ttest (count $words) -ge $n; and test \"$words[1..$n]\" = \"$argv\"\n"
	            "end\n"
	            "# Is that all of it, before the word to complete?\n"
	            "function __aivault_is\n"
	            "\t__aivault_in $argv; and test (count (commandline -opc)) -eq (math 1 + "
	            "(count $argv))\n"
	            "end\n\n"
	            "complete -c aivault -f\n"
	            "complete -c aivault -s h -l help -d 'Show how a command is used'\n"
	            "complete -c aivault -s v -l verbose -d 'Print JSON'\n",
	    stdout);
	for (size_t i = 0; commands[i] != NULL; i++)
		command_lines(commands[i]);
	(void)fputs("complete -c aivault -n '__aivault_is help' -a '", stdout);
	completions_first_words("", " ");
	(void)fputs("'\n", stdout);
	for (size_t at = 0; completions_next_group(&at, group, sizeof(group));) {
		if (completions_command(group) == NULL)
			(void)printf("complete -c aivault -n __fish_use_subcommand -a %s\n", group);
		(void)printf("complete -c aivault -n '__aivault_is help %s' -a '", group);
		completions_second_words(group, "", " ");
		(void)fputs("'\n", stdout);
	}
}
