/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/command.h"

#include "base/str.h"

#include <string.h>

const struct command *const commands[] = {
    &cmd_status,
    &cmd_init,
    &cmd_unlock,
    &cmd_lock,
    &cmd_secrets_create,
    &cmd_secrets_list,
    &cmd_secrets_rotate,
    &cmd_secrets_delete,
    &cmd_credential_create,
    &cmd_credential_list,
    &cmd_capability_create,
    &cmd_capability_list,
    &cmd_capability_describe,
    &cmd_capability_enable,
    &cmd_capability_disable,
    &cmd_capability_policy,
    &cmd_invoke,
    &cmd_json,
    &cmd_audit_verify,
    &cmd_audit_export,
    &cmd_audit_stats,
    &cmd_audit,
    &cmd_doctor,
    &cmd_stop,
    &cmd_restart,
    &cmd_completions,
    &cmd_version,
    &cmd_help,
    NULL,
};

/* docs/KNOWN-GAPS.md, "Commands", has the same list. */
const char *const later_commands[] = {
    "rotate-master",
    "secrets update",
    "secrets attach-group",
    "secrets detach-group",
    "secrets import",
    "import",
    "oauth setup",
    "oauth login",
    "credential delete",
    "credential enable",
    "credential disable",
    "provider list",
    "provider install",
    "provider enable",
    "provider disable",
    "provider remove",
    "capability delete",
    "capability bind",
    "capability unbind",
    "capability bindings",
    "capability approve",
    "capability pending",
    "markdown",
    "md",
    "capability markdown",
    "capability md",
    "setup agent-access",
    "setup systemd",
    "setup launchd",
    "setup undo",
    "policy check",
    "policy reload",
    "policy test",
    "policy explain",
    "policy list",
    "policy new",
    "policy learn",
    "agent allow",
    "agent deny",
    "agent list",
    "token mint",
    "token list",
    "token revoke",
    "run",
    "audit prune",
    "audit report",
    "approvals",
    "approve",
    "deny",
    "backup",
    "restore",
    "mcp",
    NULL,
};

/* How many words of argv the name takes when argv begins with it; 0: it does not. */
static int
match_name(struct str name, int argc, char *const *argv)
{
	struct str first, second;
	bool two = str_cut(name, ' ', &first, &second);

	if (!two)
		first = name;
	if (argc < 1 || !str_eq_cstr(first, argv[0]))
		return 0;
	if (!two)
		return 1;
	return argc >= 2 && str_eq_cstr(second, argv[1]) ? 2 : 0;
}

static int
match_command(const struct command *c, int argc, char *const *argv)
{
	struct str rest = str_of(c->alias);
	int n = match_name(str_of(c->name), argc, argv);

	while (n == 0 && rest.len > 0) {
		struct str one, after;
		if (!str_cut(rest, '|', &one, &after)) {
			one = rest;
			after = (struct str){NULL, 0};
		}
		n = match_name(one, argc, argv);
		rest = after;
	}
	return n;
}

const struct command *
command_find(int argc, char *const *argv, int *used)
{
	const struct command *best = NULL;

	*used = 0;
	for (size_t i = 0; commands[i] != NULL; i++) {
		int n = match_command(commands[i], argc, argv);
		if (n > *used) {
			best = commands[i];
			*used = n;
		}
	}
	return best;
}

static bool
begins_with_word(const char *name, const char *word)
{
	size_t n = strlen(word);

	return strncmp(name, word, n) == 0 && name[n] == ' ';
}

bool
command_is_group(const char *word)
{
	for (size_t i = 0; commands[i] != NULL; i++) {
		if (begins_with_word(commands[i]->name, word))
			return true;
	}
	for (size_t i = 0; later_commands[i] != NULL; i++) {
		if (begins_with_word(later_commands[i], word))
			return true;
	}
	return false;
}

const char *
command_later(int argc, char *const *argv)
{
	for (size_t i = 0; later_commands[i] != NULL; i++) {
		if (match_name(str_of(later_commands[i]), argc, argv) > 0)
			return later_commands[i];
	}
	if (argc < 1 || !command_is_group(argv[0]))
		return NULL;
	for (size_t i = 0; commands[i] != NULL; i++) {
		if (begins_with_word(commands[i]->name, argv[0]))
			return NULL;
	}
	return argv[0];
}
