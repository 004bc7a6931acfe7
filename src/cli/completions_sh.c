/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bash and zsh: both read the function _aivault_choose, which sets `list` to the words that fit, or
 * `files` to 1 where a file does; around it stands what each shell gives and takes. Names, options and
 * values are letters, digits and '-' only, so they need no quoting.
 */
#include "cli/completions.h"

#include <string.h>

/* "secrets create"|"alias": the pattern of a command in a case, with `more` behind each name. */
static void
pattern(const struct command *c, const char *more)
{
	(void)printf("\"%s%s\"", c->name, more);
	for (const char *p = c->alias; *p != '\0';) {
		size_t n = strcspn(p, "|");
		(void)printf("|\"%.*s%s\"", (int)n, p, more);
		p += n + (p[n] == '|');
	}
}

static void
two_words(void)
{
	bool first = true;

	(void)fputs("\tcase \"$1 $2\" in\n\t", stdout);
	for (size_t i = 0; commands[i] != NULL; i++) {
		const struct command *c = commands[i];
		if (strchr(c->name, ' ') == NULL && strchr(c->alias, ' ') == NULL)
			continue;
		(void)fputs(first ? "" : "|", stdout);
		pattern(c, "");
		first = false;
	}
	(void)fputs(") command=\"$1 $2\" ;;\n\tesac\n", stdout);
}

static void
value_case(const struct command *c, const char *option, const char *values, bool file)
{
	char more[80];

	(void)snprintf(more, sizeof(more), " --%s", option);
	(void)fputc('\t', stdout);
	pattern(c, more);
	if (file)
		(void)fputs(") files=1; return ;;\n", stdout);
	else
		(void)printf(") list=\"%s\"; return ;;\n", values);
}

/* What may stand behind an option that takes a value. */
static void
values(void)
{
	(void)fputs("\tcase \"$command $3\" in\n", stdout);
	for (size_t i = 0; commands[i] != NULL; i++) {
		const struct command *c = commands[i];
		for (const struct option *o = c->options; o->name != NULL; o++) {
			if (o->value_name != NULL)
				value_case(
				    c, o->name, completions_values(c, o), completions_is_file(o));
		}
		value_case(c, "output", completions_output(c), false);
	}
	(void)fputs("\tesac\n", stdout);
}

static void
options_of(const struct command *c)
{
	for (const struct option *o = c->options; o->name != NULL; o++)
		(void)printf(" --%s", o->name);
	(void)fputs(" --help --verbose --output", stdout);
}

static void
words(void)
{
	char group[64];

	(void)fputs("\tcase \"$command\" in\n\thelp)\n\t\tcase \"$2\" in\n", stdout);
	for (size_t at = 0; completions_next_group(&at, group, sizeof(group));) {
		(void)printf("\t\t%s) list=\"", group);
		completions_second_words(group, "", " ");
		(void)fputs("\" ;;\n", stdout);
	}
	(void)fputs("\t\t\"\") list=\"", stdout);
	completions_first_words("", " ");
	(void)fputs("--help\" ;;\n\t\tesac ;;\n", stdout);
	for (size_t i = 0; commands[i] != NULL; i++) {
		const struct command *c = commands[i];
		if (c == &cmd_help)
			continue;
		(void)fputc('\t', stdout);
		pattern(c, "");
		(void)printf(") list=\"%s", completions_arguments(c));
		/* `audit` is a command and a group: its case has both. */
		completions_second_words(c->name, " ", "");
		options_of(c);
		(void)fputs("\" ;;\n", stdout);
	}
	for (size_t at = 0; completions_next_group(&at, group, sizeof(group));) {
		if (completions_command(group) != NULL)
			continue;
		(void)printf("\t%s) list=\"", group);
		completions_second_words(group, "", " ");
		(void)fputs("--help\" ;;\n", stdout);
	}
	(void)fputs("\t\"\") list=\"", stdout);
	completions_first_words("", " ");
	(void)fputs("--help --version\" ;;\n\tesac\n", stdout);
}

static void
choose(void)
{
	(void)fputs(
	    "# $1 and $2: the words behind aivault; $3: the word before the one to complete.\n"
	    "_aivault_choose()\n{\n\tlocal command=\"$1\"\n\tlist=\"\" files=\"\"\n",
	    stdout);
	two_words();
	values();
	words();
	(void)fputs("}\n\n", stdout);
}

void
completions_bash(void)
{
	choose();
	(void)fputs(
	    "_aivault()\n{\n"
	    "\tlocal cur=\"${COMP_WORDS[COMP_CWORD]}\" prev=\"${COMP_WORDS[COMP_CWORD-1]}\"\n"
	    "\tlocal one=\"\" two=\"\" lead=\"\" list files item\n"
	    "\t((COMP_CWORD > 1)) && one=\"${COMP_WORDS[1]}\"\n"
	    "\t((COMP_CWORD > 2)) && two=\"${COMP_WORDS[2]}\"\n"
	    "\t# --name=value is three words where = parts words, and one where it does not.\n"
	    "\tif [[ $cur == = ]]; then\n"
	    "\t\tcur=\"\"\n"
	    "\telif [[ $prev == = ]]; then\n"
	    "\t\tprev=\"${COMP_WORDS[COMP_CWORD-2]}\"\n"
	    "\telif [[ $cur == --*=* ]]; then\n"
	    "\t\tprev=\"${cur%%=*}\" lead=\"${cur%%=*}=\" cur=\"${cur#*=}\"\n"
	    "\tfi\n"
	    "\tCOMPREPLY=()\n"
	    "\t_aivault_choose \"$one\" \"$two\" \"$prev\"\n"
	    "\tif [[ $files == 1 ]]; then\n"
	    "\t\tcompopt -o filenames 2>/dev/null\n"
	    "\t\twhile IFS= read -r item; do COMPREPLY+=(\"$lead$item\"); done "
	    "< <(compgen -f -- \"$cur\")\n"
	    "\t\treturn\n"
	    "\tfi\n"
	    "\twhile IFS= read -r item; do COMPREPLY+=(\"$lead$item\"); done "
	    "< <(compgen -W \"$list\" -- \"$cur\")\n"
	    "}\n\n"
	    "complete -F _aivault aivault\n",
	    stdout);
}

void
completions_zsh(void)
{
	(void)fputs("#compdef aivault\n\n", stdout);
	choose();
	(void)fputs("_aivault()\n{\n"
	            "\tlocal prev=\"${words[CURRENT-1]}\" one=\"\" two=\"\" list files\n"
	            "\t((CURRENT > 2)) && one=\"${words[2]}\"\n"
	            "\t((CURRENT > 3)) && two=\"${words[3]}\"\n"
	            "\tif [[ $PREFIX == --*=* ]]; then\n"
	            "\t\tprev=\"${PREFIX%%=*}\" IPREFIX=\"$IPREFIX${PREFIX%%=*}=\" "
	            "PREFIX=\"${PREFIX#*=}\"\n"
	            "\tfi\n"
	            "\t_aivault_choose \"$one\" \"$two\" \"$prev\"\n"
	            "\tif [[ $files == 1 ]]; then\n"
	            "\t\t_files\n"
	            "\telse\n"
	            "\t\tcompadd -- ${=list}\n"
	            "\tfi\n"
	            "}\n\n"
	            "# Loaded by its name, this file is the first call itself.\n"
	            "if [[ ${funcstack[1]} == _aivault ]]; then\n"
	            "\t_aivault \"$@\"\n"
	            "else\n"
	            "\tcompdef _aivault aivault\n"
	            "fi\n",
	    stdout);
}
