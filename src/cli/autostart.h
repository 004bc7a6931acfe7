/* SPDX-License-Identifier: Apache-2.0 */
/*
 * autostart.h - starts an aivaultd for one socket, exactly one however many ask at once.
 *
 * The lock is a file beside the socket; whoever has it may start. Waiting is done by the kernel:
 * on the lock, then on the pipe on which the daemon says that it is ready or why it is not.
 */
#ifndef AV_CLI_AUTOSTART_H
#define AV_CLI_AUTOSTART_H

#include "base/err.h"

struct autostart {
	int lock_fd;
};

enum av_err autostart_lock(
    struct autostart *a, const char *agent_socket, struct fault *f) AV_MUST_USE;
/* Returns when the daemon is ready. Otherwise *f carries the daemon's own message. */
enum av_err autostart_run(
    struct autostart *a, const char *agent_socket, struct fault *f) AV_MUST_USE;
void autostart_clear(struct autostart *a);
/* Ours, without what counts only for a daemon that its operator starts; says so where it was there.
 * Whoever asks for a call must not turn the log off by it. */
char **autostart_environment(void);
/* "code: message" as the daemon wrote it, into *f. */
enum av_err autostart_fault(const char *text, struct fault *f);

#endif
