/* SPDX-License-Identifier: Apache-2.0 */
/*
 * paths.h - where things are (docs/PROTOCOL.md, "Where things are"): one set of rules for the
 * command line, the supervisor and the keeper. Reads the environment; makes nothing.
 */
#ifndef AV_BASE_PATHS_H
#define AV_BASE_PATHS_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>

#define PATHS_MAX 1024

struct paths {
	bool has_dir_override; /* AIVAULT_DIR is set (trimmed, not blank) */
	char root[PATHS_MAX]; /* $AIVAULT_DIR, else ~/.aivault/data/vault */
	char database[PATHS_MAX]; /* root/vault.db */
	char key_file[PATHS_MAX]; /* $AIVAULT_DIR/kek.key, else ~/.aivault/keys/kek.key */
	char limits_file[PATHS_MAX]; /* $AIVAULT_DIR/limits.conf, else ~/.aivault/limits.conf */
	char capabilities_dir[PATHS_MAX]; /* beside it: the operator's scripts */
	char policies_dir[PATHS_MAX];
	char
	    agent_socket[PATHS_MAX]; /* per-user: run/aivaultd.sock in $AIVAULT_DIR or ~/.aivault */
	char operator_socket[PATHS_MAX]; /* operator.sock beside it */
	char shared_socket[PATHS_MAX]; /* AIVAULTD_SHARED_SOCKET, else the well-known path */
	bool shared_overridden;
	char explicit_socket[PATHS_MAX]; /* AIVAULTD_SOCKET (trimmed), or "" */
};

/* AV_ELIMIT: a path does not fit, or a socket path is longer than sun_path (the message says the
 * limit); AV_ENOTFOUND: no home directory can be found. HOME first, then the password database. */
enum av_err paths_find(struct paths *out, struct fault *f) AV_MUST_USE;
/* "dir/x.sock" -> "dir/operator.sock" */
enum av_err paths_operator_beside(const char *agent_socket, char *out, size_t out_len) AV_MUST_USE;

#endif
