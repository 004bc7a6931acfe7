/* SPDX-License-Identifier: Apache-2.0 */
/*
 * completions.h - scripts that complete aivault's command line, made from the table of commands.
 */
#ifndef AV_CLI_COMPLETIONS_H
#define AV_CLI_COMPLETIONS_H

#include "cli/command.h"

void completions_bash(void);
void completions_zsh(void);
void completions_fish(void);

/* What an option's value may be: words with blanks between; "": anything. */
const char *completions_values(const struct command *c, const struct option *o);
bool completions_is_file(const struct option *o);
/* Words that may follow the command's name, besides options; "": none that are known. */
const char *completions_arguments(const struct command *c);
/* The values of --output. */
const char *completions_output(const struct command *c);
/* Every first word once, in the table's order; every second word of the group. */
void completions_first_words(const char *before, const char *after);
void completions_second_words(const char *group, const char *before, const char *after);
/* The command that the group's name is too ("audit"); NULL: none. */
const struct command *completions_command(const char *word);
/* The next group's name from commands[*at] on, each once; false: there is no more. */
bool completions_next_group(size_t *at, char *word, size_t word_len);

#endif
