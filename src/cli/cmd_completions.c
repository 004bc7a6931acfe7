/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/command.h"

#include <string.h>

static const struct option no_options[] = {{NULL, NULL, false, NULL}};

/* Every first word once, in the table's order. */
static void
first_words(const char *before, const char *after)
{
	for (size_t i = 0; commands[i] != NULL; i++) {
		size_t n = strcspn(commands[i]->name, " ");
		bool seen = false;
		for (size_t k = 0; k < i; k++)
			seen = seen ||
			    (strncmp(commands[k]->name, commands[i]->name, n) == 0 &&
			        (commands[k]->name[n] == ' ' || commands[k]->name[n] == '\0'));
		if (!seen)
			(void)printf("%s%.*s%s", before, (int)n, commands[i]->name, after);
	}
}

static void
second_words(const char *group, size_t n)
{
	for (size_t i = 0; commands[i] != NULL; i++) {
		const char *name = commands[i]->name;
		if (strncmp(name, group, n) == 0 && name[n] == ' ')
			(void)printf(" %s", name + n + 1);
	}
}

static void
options_of(const struct command *c)
{
	for (const struct option *o = c->options; o->name != NULL; o++)
		(void)printf(" --%s", o->name);
	(void)fputs(" --help --verbose --output", stdout);
}

static void
bash_words(void)
{
	(void)fputs("\tcase \"$one $two\" in\n", stdout);
	for (size_t i = 0; commands[i] != NULL; i++) {
		if (strchr(commands[i]->name, ' ') == NULL)
			continue;
		(void)printf("\t\"%s\") words=\"", commands[i]->name);
		options_of(commands[i]);
		(void)fputs("\" ;;\n", stdout);
	}
	(void)fputs("\t*)\n\t\tcase \"$one\" in\n", stdout);
	for (size_t i = 0; commands[i] != NULL; i++) {
		const char *name = commands[i]->name;
		size_t n = strcspn(name, " ");
		bool first = true;
		for (size_t k = 0; name[n] == ' ' && k < i; k++)
			first = first &&
			    (strncmp(commands[k]->name, name, n) != 0 ||
			        commands[k]->name[n] != ' ');
		if (name[n] == ' ' && !first)
			continue;
		/* `audit` is a command and a group: its case has both. */
		if (name[n] == '\0') {
			(void)printf("\t\t%s) words=\"", name);
			second_words(name, n);
			options_of(commands[i]);
			(void)fputs("\" ;;\n", stdout);
		} else if (strncmp(name, "audit ", 6) != 0) {
			(void)printf("\t\t%.*s) words=\"", (int)n, name);
			second_words(name, n);
			(void)fputs("\" ;;\n", stdout);
		}
	}
	(void)fputs("\t\t*) words=\"", stdout);
	first_words("", " ");
	(void)fputs("--help --version\" ;;\n\t\tesac ;;\n\tesac\n", stdout);
}

static void
bash(void)
{
	(void)fputs("_aivault()\n{\n"
	            "\tlocal cur=\"${COMP_WORDS[COMP_CWORD]}\" one=\"\" two=\"\" words\n"
	            "\t((COMP_CWORD > 1)) && one=\"${COMP_WORDS[1]}\"\n"
	            "\t((COMP_CWORD > 2)) && two=\"${COMP_WORDS[2]}\"\n",
	    stdout);
	bash_words();
	(void)fputs("\tif [[ $cur != -* && ${COMP_WORDS[COMP_CWORD-1]} == --*file* ]]; then\n"
	            "\t\tCOMPREPLY=($(compgen -f -- \"$cur\"))\n\t\treturn\n\tfi\n"
	            "\tCOMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))\n}\n"
	            "complete -F _aivault aivault\n",
	    stdout);
}

static void
zsh(void)
{
	(void)fputs("#compdef aivault\n"
	            "# By way of bash's own completion, which zsh can run.\n"
	            "autoload -U +X bashcompinit && bashcompinit\n",
	    stdout);
	bash();
}

static void
fish(void)
{
	(void)fputs(
	    "complete -c aivault -f\ncomplete -c aivault -n __fish_use_subcommand -a '", stdout);
	first_words("", " ");
	(void)fputs("'\n", stdout);
	for (size_t i = 0; commands[i] != NULL; i++) {
		const struct command *c = commands[i];
		size_t n = strcspn(c->name, " ");
		if (c->name[n] != '\0')
			(void)printf("complete -c aivault -n '__fish_seen_subcommand_from %.*s' -a "
			             "%s -d '%s'\n",
			    (int)n, c->name, c->name + n + 1, c->about);
		for (const struct option *o = c->options; o->name != NULL; o++)
			(void)printf(
			    "complete -c aivault -n '__fish_seen_subcommand_from %.*s' -l %s%s\n",
			    (int)n, c->name, o->name,
			    o->value_name == NULL                 ? ""
			        : strstr(o->name, "file") != NULL ? " -r -F"
			                                          : " -x");
	}
}

static int
run(struct args *a)
{
	const char *shell = a->positional[0];
	struct fault f;

	if (strcmp(shell, "bash") == 0) {
		bash();
	} else if (strcmp(shell, "zsh") == 0) {
		zsh();
	} else if (strcmp(shell, "fish") == 0) {
		fish();
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
