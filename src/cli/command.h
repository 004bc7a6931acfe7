/* SPDX-License-Identifier: Apache-2.0 */
/*
 * command.h - the table of subcommands. A command is one const struct in its own cmd_<name>.c; its
 * help, its man page's synopsis and its completions all come from it.
 */
#ifndef AV_CLI_COMMAND_H
#define AV_CLI_COMMAND_H

#include "cli/args.h"

#include <stddef.h>
#include <stdio.h>

struct command {
	const char *name; /* "status", "secrets create": one or two words */
	const char *alias; /* "" or other names, separated by a blank: whole names, '|' between */
	const char *arguments; /* "ID [OPTIONS]" */
	const char *about; /* one line */
	const char *details; /* more lines, or NULL */
	const struct option *options;
	size_t min_positional;
	size_t max_positional;
	int (*run)(struct args *a); /* returns the exit code; has printed its one message */
};

/* Ends with NULL. */
extern const struct command *const commands[];
/* What the reference or the contract knows and this version does not: name, then NULL at the end. */
extern const char *const later_commands[];

/* The command that argv[0..argc) begins with; *used: how many words its name took. NULL: none. */
const struct command *command_find(int argc, char *const *argv, int *used);
/* Does a two-word command begin with `word`? */
bool command_is_group(const char *word);
/* "secrets update" when argv begins with one of later_commands, "token" when it begins with a group
 * that has no others; NULL otherwise. */
const char *command_later(int argc, char *const *argv);
/* "not_supported" for what command_later() gave. Returns 1. */
int later_failure(const char *name);

void help_overview(FILE *to);
void help_command(const struct command *c, FILE *to);
/* All commands of a group. */
void help_group(const char *word, FILE *to);

/* `aivault: invalid_request: ...` with a pointer to the command's help. Returns 2. */
int usage_fault(const struct command *c, const struct fault *f);

extern const struct command cmd_status, cmd_init, cmd_unlock, cmd_lock, cmd_secrets_create,
    cmd_secrets_list, cmd_secrets_rotate, cmd_secrets_delete, cmd_credential_create,
    cmd_credential_list, cmd_capability_create, cmd_capability_list, cmd_capability_describe,
    cmd_capability_enable, cmd_capability_disable, cmd_capability_policy, cmd_invoke, cmd_json,
    cmd_audit, cmd_audit_verify, cmd_audit_export, cmd_audit_stats, cmd_doctor, cmd_stop,
    cmd_restart, cmd_completions, cmd_version, cmd_help;

#endif
