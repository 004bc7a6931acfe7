/* SPDX-License-Identifier: Apache-2.0 */
/*
 * checkpoint_log.h - checkpoints.log: the signed checkpoints once more, outside the database, so that
 * rows cut off its end show. Best copied to another machine.
 *
 * One line a checkpoint, only ever appended to:
 *   aivault-checkpoint-1 id=N row=N ts=MS hash=HEX(32 bytes) sig=HEX(64 bytes)
 * `row` is the audit row that the checkpoint stands on, `hash` that row's. Signed is what
 * checkpoint.h says; the id is not.
 */
#ifndef AV_AUDIT_CHECKPOINT_LOG_H
#define AV_AUDIT_CHECKPOINT_LOG_H

#include "base/err.h"
#include "base/str.h"

#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#define CHECKPOINT_HASH_LEN 32u
#define CHECKPOINT_SIG_LEN 64u
#define CHECKPOINT_LOG_PATH_MAX 1100u
#define CHECKPOINT_LINE_MAX 400u

struct checkpoint {
	int64_t id;
	int64_t event_id;
	int64_t ts_ms;
	uint8_t hash[CHECKPOINT_HASH_LEN];
	uint8_t signature[CHECKPOINT_SIG_LEN];
};

/* "dir/vault.db" -> "dir/checkpoints.log". AV_ELIMIT. */
enum av_err checkpoint_log_path(const char *database, char *out, size_t room) AV_MUST_USE;
/* One line with its '\n', NUL-terminated. */
void checkpoint_line_format(const struct checkpoint *c, char out[CHECKPOINT_LINE_MAX]);
/* `line` without its '\n'. AV_EFORMAT: anything but what checkpoint_line_format() writes. */
enum av_err checkpoint_line_parse(struct str line, struct checkpoint *out) AV_MUST_USE;
/* Appends; makes the file (0600) where there is none, never follows a link. What a crash left of a
 * line is ended first. `sync`: this line and those before it are on the disk afterwards. */
enum av_err checkpoint_log_append(
    const char *path, const struct checkpoint *c, bool sync) AV_MUST_USE;
/* The id of the last whole line; 0 where there is none. AV_ENOTFOUND: no file. AV_EFORMAT: that line is
 * something else. */
enum av_err checkpoint_log_last(const char *path, int64_t *id) AV_MUST_USE;

/* The file's lines from the first to the last that was there when it was opened. */
struct checkpoint_reader {
	FILE *f; /* NULL: closed */
	off_t left; /* bytes not read yet */
};
enum checkpoint_line { CHECKPOINT_LINE, CHECKPOINT_TORN, CHECKPOINT_END };
/* AV_ENOTFOUND: no file. The reader is closed then, and has no lines. */
enum av_err checkpoint_reader_open(struct checkpoint_reader *r, const char *path) AV_MUST_USE;
/* *out is filled for CHECKPOINT_LINE; a torn one is half written or damaged. */
enum av_err checkpoint_reader_next(
    struct checkpoint_reader *r, struct checkpoint *out, enum checkpoint_line *what) AV_MUST_USE;
void checkpoint_reader_close(struct checkpoint_reader *r);

#endif
