/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vault_files.h - what can be wrong with the files of a vault, seen from outside: kinds, modes, owners,
 * room on their file system, scripts that nobody loads. Changes nothing and reads no file.
 */
#ifndef AV_CLI_VAULT_FILES_H
#define AV_CLI_VAULT_FILES_H

#include "base/paths.h"
#include "cli/findings.h"

#define VAULT_FILES_ROOM_MIN (64ull * 1024u * 1024u) /* bytes; less is a problem */

/* `key_file` NULL: the vault has none. A file that is not there is no finding. */
void vault_files_check(struct findings *r, const struct paths *p, const char *key_file);

#endif
