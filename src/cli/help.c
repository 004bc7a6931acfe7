/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/command.h"
#include "cli/print.h"

#include <string.h>

static void
heading(const char *text, FILE *to)
{
	bool colour = print_has_colour(to);

	(void)fprintf(to, "%s%s%s\n", colour ? "\033[1m" : "", text, colour ? "\033[0m" : "");
}

static void
list_commands(const char *group, FILE *to)
{
	size_t n = group == NULL ? 0 : strlen(group);

	for (size_t i = 0; commands[i] != NULL; i++) {
		const struct command *c = commands[i];
		if (group == NULL || (strncmp(c->name, group, n) == 0 && c->name[n] == ' '))
			(void)fprintf(to, "  %-22s %s\n", c->name, c->about);
	}
}

void
help_overview(FILE *to)
{
	(void)fputs("usage: aivault COMMAND [OPTIONS]\n\n"
	            "Lets agents use API keys without seeing them.\n\n",
	    to);
	heading("Commands", to);
	list_commands(NULL, to);
	(void)fputs(
	    "\nEvery command takes -h/--help, -v/--verbose (JSON) and --output table|json.\n"
	    "More: aivault help COMMAND, man aivault.\n",
	    to);
}

void
help_group(const char *word, FILE *to)
{
	(void)fprintf(to, "usage: aivault %s COMMAND [OPTIONS]\n\n", word);
	heading("Commands", to);
	list_commands(word, to);
}

void
help_command(const struct command *c, FILE *to)
{
	(void)fprintf(to, "usage: aivault %s%s%s\n\n%s.\n", c->name,
	    c->arguments[0] == '\0' ? "" : " ", c->arguments, c->about);
	if (c->details != NULL)
		(void)fprintf(to, "\n%s", c->details);
	if (c->options->name == NULL)
		return;
	(void)fputc('\n', to);
	heading("Options", to);
	for (const struct option *o = c->options; o->name != NULL; o++) {
		char left[64];
		(void)snprintf(left, sizeof(left), "--%s%s%s%s", o->name,
		    o->value_name == NULL ? "" : " ", o->value_name == NULL ? "" : o->value_name,
		    o->repeats ? " ..." : "");
		(void)fprintf(to, "  %-30s %s\n", left, o->help);
	}
}

int
later_failure(const char *name)
{
	char message[160];

	(void)snprintf(message, sizeof(message), "%.60s is not part of this version", name);
	return print_failure("not_supported", message,
	    "docs/KNOWN-GAPS.md lists what is missing; aivault help lists what there is");
}

int
usage_fault(const struct command *c, const struct fault *f)
{
	struct fault full = *f;

	if (c != NULL && full.remedy[0] == '\0')
		(void)snprintf(full.remedy, sizeof(full.remedy), "See: aivault help %s", c->name);
	else if (full.remedy[0] == '\0')
		(void)snprintf(full.remedy, sizeof(full.remedy), "See: aivault help");
	(void)print_fault(&full);
	return 2;
}
