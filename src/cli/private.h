/* SPDX-License-Identifier: Apache-2.0 */
/*
 * private.h - AIVAULTD_DISABLE=1: a daemon of this command's own, with no socket on disk.
 *
 * It holds the vault's lock, so it fails where a daemon runs, naming that one; it never makes a vault.
 * It ends when its life line is closed, also when that happens because we have died.
 */
#ifndef AV_CLI_PRIVATE_H
#define AV_CLI_PRIVATE_H

#include "base/err.h"

#include <stdbool.h>
#include <sys/types.h>

struct private_daemon {
	int life_fd;
	pid_t pid; /* 0: none */
};

bool private_is_wanted(void);
/* Starts one. *agent_fd and *operator_fd: connections to it, the caller's. */
enum av_err private_start(
    struct private_daemon *p, int *agent_fd, int *operator_fd, struct fault *f) AV_MUST_USE;
/* Ends it and waits for that; its connections must be closed. Nothing for a zeroed one. */
void private_end(struct private_daemon *p);

#endif
