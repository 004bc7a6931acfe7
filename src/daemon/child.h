/* SPDX-License-Identifier: Apache-2.0 */
/*
 * child.h - one process that the supervisor started: its pid, control socket and error text.
 *
 * Owns the two descriptors. What a child writes on standard error comes through a pipe: while it
 * starts it is kept, because its last line is the reason when it does not; later it is passed on.
 */
#ifndef AV_DAEMON_CHILD_H
#define AV_DAEMON_CHILD_H

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

#include <stdbool.h>
#include <sys/types.h>

enum role { ROLE_KEEPER, ROLE_JUDGE, ROLE_BROKER, ROLE_COUNT };

struct child {
	enum role role;
	pid_t pid; /* 0: not running */
	int control_fd; /* non-blocking, -1: closed */
	int error_fd; /* non-blocking, -1: closed */
	int status; /* of the last one that ended, as from waitpid */
	bool ready; /* said CONTROL_READY */
	bool busy; /* said CONTROL_BUSY last */
	struct buf kept; /* standard error until ready */
};

const char *role_name(enum role r); /* "keeper" */

void child_init(struct child *c, enum role role);
/* `args` are appended to the program's name; NULL-terminated, may be NULL. */
enum av_err child_start(struct child *c, const char *const *args, struct fault *f) AV_MUST_USE;
/* One tag, with at most one descriptor (-1: none). False: the child does not listen. */
bool child_tell(struct child *c, unsigned char tag, int fd);
/* Reads tags that wait; n is 0 when there is none, *closed at the end. */
size_t child_read_tags(struct child *c, unsigned char *tags, size_t room, bool *closed);
/* Passes on or keeps what stands in the pipe (64 KiB at most), control bytes and those above 0x7e as '?'. */
void child_read_errors(struct child *c);
/* It works: what was kept goes out, from now on all goes straight out. */
void child_set_ready(struct child *c);
void child_kill(struct child *c);
/* After its end was seen: closes the descriptors. */
void child_ended(struct child *c, int status);
/* Why it did not start: its own last words, or how it ended. Drops what was kept. */
enum av_err child_fault(struct child *c, struct fault *f);
void child_clear(struct child *c);

/* The environment of a child, rebuilt from an allow-list (docs/PROTOCOL.md). Free with
 * child_environment_free(). NULL when out of memory. */
char **child_environment(enum role role);
void child_environment_free(char **env);

#endif
