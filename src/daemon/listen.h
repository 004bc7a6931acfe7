/* SPDX-License-Identifier: Apache-2.0 */
/*
 * listen.h - the sockets' directory, the lock in it, and the two listening sockets.
 *
 * Owns the descriptors and the socket files that it made; removes only those. One daemon a
 * directory: `aivaultd.lock` holds the pid of the one that runs and stays when it ends.
 */
#ifndef AV_DAEMON_LISTEN_H
#define AV_DAEMON_LISTEN_H

#include "daemon/options.h"

struct listen {
	int lock_fd; /* -1: not held */
	int agent_fd;
	int operator_fd;
	bool agent_made;
	bool operator_made;
	char agent_path[PATHS_MAX];
	char operator_path[PATHS_MAX];
};

void listen_init(struct listen *l);
/* Makes the directory (mode as the options say) and takes the lock. Waits where the holder is
 * stopping; AV_EEXISTS, naming its pid, where it runs. */
enum av_err listen_lock(struct listen *l, const struct options *o, struct fault *f) AV_MUST_USE;
/* Removes stale socket files and binds both sockets. */
enum av_err listen_open(struct listen *l, const struct options *o, struct fault *f) AV_MUST_USE;
/* Removes the socket files and marks the lock as `stopping`, so that the next daemon waits. */
void listen_withdraw(struct listen *l);
/* Closes all; the lock goes last. */
void listen_clear(struct listen *l);

#endif
