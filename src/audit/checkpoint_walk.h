/* SPDX-License-Identifier: Apache-2.0 */
/*
 * checkpoint_walk.h - every checkpoint, of the database and of checkpoints.log, checked against a key and
 * against its row; some at a time, so that others have their turn. Needs no secret.
 */
#ifndef AV_AUDIT_CHECKPOINT_WALK_H
#define AV_AUDIT_CHECKPOINT_WALK_H

#include "audit/checkpoint.h"

struct checkpoint_report {
	uint64_t count; /* in the database */
	uint64_t logged; /* in checkpoints.log */
	uint64_t torn; /* lines of it that cannot be read: half written in a crash, or damaged */
	int64_t signed_id; /* the last row that one of them stands on */
	int64_t first_bad_id;
	/* NULL, "checkpoint" or "checkpoints_log" (a signature, or a row that is another one now),
	 * "missing_tail" (a row past the end), "checkpoints_log_missing" (the file, or its beginning),
	 * "checkpoints_log_gap" (a line). Lines that the log still means to write are not missed, nor
	 * what may have stood where lines cannot be read. */
	const char *problem;
};

struct checkpoint_walk;

/* What is there now is walked, and nothing that comes later. */
enum av_err checkpoint_walk_new(const struct audit_log *l, const uint8_t pk[VAULT_PUBLIC_KEY_LEN],
    struct checkpoint_walk **out) AV_MUST_USE;
/* At most `count` (1 or more) further, two signatures each. AV_OK also when something is bad: see the
 * report, which is whole when *over is set. */
enum av_err checkpoint_walk_on(struct checkpoint_walk *w, size_t count, bool *over) AV_MUST_USE;
const struct checkpoint_report *checkpoint_walk_report(const struct checkpoint_walk *w);
void checkpoint_walk_free(struct checkpoint_walk *w); /* NULL: nothing */

#endif
