/* SPDX-License-Identifier: Apache-2.0 */
/*
 * spawn.h - starts a program with exactly the argument vector, environment and descriptors given.
 *
 * posix_spawn; no shell, no PATH search, signals at their defaults. Descriptors listed are placed
 * at 3, 4, 5 ... in the child; nothing else of ours is inherited (all are close-on-exec).
 */
#ifndef AV_BASE_SPAWN_H
#define AV_BASE_SPAWN_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct spawn {
	const char *path; /* absolute */
	char *const *argv; /* NULL-terminated */
	char *const *envp; /* NULL-terminated; the whole environment */
	const int *fds; /* placed at 3.. */
	size_t fd_count; /* at most 8 */
	bool new_session; /* setsid */
	bool null_stdio; /* 0 and 1 become /dev/null (2 is kept unless null_stderr) */
	bool null_stderr;
};

enum av_err spawn_start(const struct spawn *s, pid_t *out) AV_MUST_USE;
/* Absolute path of the running program's directory; AV_ELIMIT if it does not fit. */
enum av_err spawn_self_dir(char *out, size_t out_len) AV_MUST_USE;
/* Where `name` of our programs is: beside us, or in ../libexec, ../libexec/aivault (installed:
 * bindir and libexecdir). Checks that it is executable. */
enum av_err spawn_find_program(const char *name, char *out, size_t out_len) AV_MUST_USE;

#endif
