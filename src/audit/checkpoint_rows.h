/* SPDX-License-Identifier: Apache-2.0 */
/* checkpoint_rows.h - the checkpoints of the database, as they stand there: nothing is verified. */
#ifndef AV_AUDIT_CHECKPOINT_ROWS_H
#define AV_AUDIT_CHECKPOINT_ROWS_H

#include "audit/checkpoint_log.h"
#include "vault/store.h"

/* A walk over those from `first` on, in order, one at a time; store_done() ends it. Where hash or
 * signature has another length it is all zeros, which no signature fits. */
enum av_err checkpoint_rows_begin(struct store *s, int64_t first, sqlite3_stmt **rows) AV_MUST_USE;
enum av_err checkpoint_rows_next(
    sqlite3_stmt *rows, struct checkpoint *out, bool *more) AV_MUST_USE;
/* Calls `each` for all of them; an error of `each` ends it. */
enum av_err checkpoint_rows(struct store *s, int64_t first,
    enum av_err (*each)(void *ctx, const struct checkpoint *c), void *ctx) AV_MUST_USE;
/* The last one's id; 0: there is none. */
enum av_err checkpoint_last_id(struct store *s, int64_t *out) AV_MUST_USE;

#endif
