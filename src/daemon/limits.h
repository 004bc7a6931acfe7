/* SPDX-License-Identifier: Apache-2.0 */
/*
 * limits.h - the limits of broker and judge that an operator may set: by flags, or in limits.conf,
 * which is read at the start and at every SIGHUP. A flag stands above the file, the file above the
 * default.
 *
 * The file: a line `name = number` each, named as the flags without their dashes; times in seconds;
 * `#` begins a comment. It must be a regular file of ours (or root's) that nobody else can write, of
 * at most LIMITS_FILE_MAX bytes. One wrong line, and none of it counts.
 */
#ifndef AV_DAEMON_LIMITS_H
#define AV_DAEMON_LIMITS_H

#include "base/err.h"
#include "base/str.h"
#include "daemon/child.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LIMITS_COUNT 6u
#define LIMITS_FILE_MAX 4096u

struct limits {
	bool by_flag[LIMITS_COUNT];
	uint64_t values[LIMITS_COUNT];
	char texts[LIMITS_COUNT][24];
	const char *args[2 * LIMITS_COUNT + 1]; /* of limits_args() */
};

/* The defaults. */
void limits_init(struct limits *l);
/* "--max-connections"; NULL from LIMITS_COUNT on. */
const char *limits_flag(size_t i);
/* From the command line. AV_EUSAGE, with the name and the range in *f. */
enum av_err limits_give(struct limits *l, size_t i, const char *text, struct fault *f) AV_MUST_USE;
/* What no flag gave comes from the file; where there is none, from the defaults. On error *l is as it
 * was: AV_EINVAL, and *f names the line, the limit and what to do. */
enum av_err limits_read(struct limits *l, const char *path, struct fault *f) AV_MUST_USE;
/* Those of one process, for its command line: NULL-terminated, valid until the next call. */
const char *const *limits_args(struct limits *l, enum role role);
/* Those of the broker as lines `--name value\n` in a pipe whose reading end is *fd. */
enum av_err limits_pipe(struct limits *l, int *fd) AV_MUST_USE;
/* Whether a process was started with the same as it would be now. */
bool limits_same(const struct limits *a, const struct limits *b, enum role role);

#endif
