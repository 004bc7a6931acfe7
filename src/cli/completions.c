/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/completions.h"

#include <string.h>

const char *
completions_values(const struct command *c, const struct option *o)
{
	static const struct {
		const struct command *command; /* NULL: any */
		const char *option;
		const char *values;
	} known[] = {
	    {&cmd_credential_create, "scope", ""},
	    {NULL, "scope", "global workspace group"},
	    {&cmd_init, "provider", "file passphrase"},
	    {NULL, "cost", "interactive moderate sensitive"},
	    {NULL, "auth", "header path query multi-header basic oauth2 aws-sigv4 hmac mtls"},
	    {NULL, "decision", "allow deny"},
	    {NULL, "method", "GET HEAD POST PUT PATCH DELETE OPTIONS"},
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if ((known[i].command == NULL || known[i].command == c) &&
		    strcmp(o->name, known[i].option) == 0)
			return known[i].values;
	}
	return "";
}

bool
completions_is_file(const struct option *o)
{
	return o->value_name != NULL &&
	    (strcmp(o->value_name, "FILE") == 0 || strcmp(o->name, "file-path") == 0);
}

const char *
completions_arguments(const struct command *c)
{
	if (c == &cmd_capability_policy)
		return "set get clear";
	return c == &cmd_completions ? "bash zsh fish" : "";
}

const char *
completions_output(const struct command *c)
{
	if (c == &cmd_audit)
		return "table json jsonl csv";
	return c == &cmd_audit_export ? "json jsonl" : "table json";
}

/* Does a command before the i-th have the same first word? */
static bool
is_seen(size_t i, size_t n, bool of_groups)
{
	const char *name = commands[i]->name;

	for (size_t k = 0; k < i; k++) {
		const char *other = commands[k]->name;
		if (strncmp(other, name, n) == 0 &&
		    (other[n] == ' ' || (!of_groups && other[n] == '\0')))
			return true;
	}
	return false;
}

void
completions_first_words(const char *before, const char *after)
{
	for (size_t i = 0; commands[i] != NULL; i++) {
		size_t n = strcspn(commands[i]->name, " ");
		if (!is_seen(i, n, false))
			(void)printf("%s%.*s%s", before, (int)n, commands[i]->name, after);
	}
}

void
completions_second_words(const char *group, const char *before, const char *after)
{
	size_t n = strlen(group);

	for (size_t i = 0; commands[i] != NULL; i++) {
		const char *name = commands[i]->name;
		if (strncmp(name, group, n) == 0 && name[n] == ' ')
			(void)printf("%s%s%s", before, name + n + 1, after);
	}
}

const struct command *
completions_command(const char *word)
{
	for (size_t i = 0; commands[i] != NULL; i++) {
		if (strcmp(commands[i]->name, word) == 0)
			return commands[i];
	}
	return NULL;
}

bool
completions_next_group(size_t *at, char *word, size_t word_len)
{
	for (; commands[*at] != NULL; *at += 1) {
		const char *name = commands[*at]->name;
		size_t n = strcspn(name, " ");
		if (name[n] == '\0' || n >= word_len || is_seen(*at, n, true))
			continue;
		memcpy(word, name, n);
		word[n] = '\0';
		*at += 1;
		return true;
	}
	return false;
}
