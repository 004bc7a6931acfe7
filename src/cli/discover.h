/* SPDX-License-Identifier: Apache-2.0 */
/*
 * discover.h - finds the daemon's sockets, starts a daemon where that is allowed, connects.
 *
 * The order is AIVAULTD_SOCKET, the per-user socket, the shared one. What is connected has been
 * checked: its process runs as the owner of the socket's directory, or as root. A daemon is started
 * only for the per-user socket or an explicit one, under an exclusive lock, never under sudo and
 * never where a shared socket's directory exists that is not ours. With AIVAULTD_DISABLE set it is a
 * private one, whatever else runs (private.h).
 */
#ifndef AV_CLI_DISCOVER_H
#define AV_CLI_DISCOVER_H

#include "base/err.h"
#include "base/paths.h"
#include "cli/private.h"

#include <stdbool.h>

enum socket_kind { SOCKET_AGENT, SOCKET_OPERATOR };

struct found {
	int fd; /* connected */
	bool may_create; /* this is a place where a vault may be made */
	bool started; /* the daemon was started for this call */
	const char *why_not; /* none may be started here: why, and what to do; NULL: one may be */
	const char *remedy;
	char agent_socket[PATHS_MAX]; /* "" where it is private */
	struct private_daemon private;
};

enum find_flags {
	FIND_START = 1, /* start a daemon where that is allowed */
};

/* AV_EUNAVAIL: nobody answers and none could be started; *f says why and what to do. */
enum av_err discover(
    enum socket_kind kind, unsigned flags, struct found *out, struct fault *f) AV_MUST_USE;
/* Closes the connection; a private daemon ends with it. Also after a failure, and twice. */
void discover_close(struct found *f);
/* Connects to one path and checks the peer. AV_ENOTFOUND: nobody listens there; AV_EOPERATOR: not
 * allowed to, or a stranger serves it. */
enum av_err discover_connect(const char *path, int *fd, struct fault *f) AV_MUST_USE;

/* What discover() will do, without connecting; split out so that the rules can be tested. */
struct discover_env {
	const struct paths *paths;
	bool under_sudo; /* SUDO_UID is set */
	bool autostart_on; /* AIVAULTD_AUTOSTART */
	bool shared_dir_exists;
	bool shared_dir_is_ours;
};
struct discover_plan {
	const char *first; /* agent socket to try */
	const char *second; /* then this one, or NULL */
	bool may_start; /* on `first` */
	const char *why_not; /* reason and remedy where it may not */
	const char *remedy;
};
void discover_make_plan(const struct discover_env *env, struct discover_plan *out);

#endif
