/* SPDX-License-Identifier: Apache-2.0 */
/*
 * denials.h - rows of denials, few enough that nobody can fill the disk with them.
 *
 * Denials of one caller that are equal in capability, method and reason are a run. Of a run the first
 * DENIALS_EACH in DENIALS_RUN_MS are rows of their own; the rest is held in memory as a number and
 * written as one row that counts them, at the latest DENIALS_HOLD_MS after the first of them, before
 * an audit query, and at the end. A written row is never changed: the chain holds. A caller with more
 * than DENIALS_RUNS_EACH runs has its further ones run together by reason, then altogether.
 * A keeper that is killed loses at most the numbers of the last DENIALS_HOLD_MS; a denial has let
 * nothing out.
 */
#ifndef AV_KEEPER_DENIALS_H
#define AV_KEEPER_DENIALS_H

#include "audit/log.h"

#include <stdbool.h>

#define DENIALS_EACH 8u
#define DENIALS_RUN_MS 60000u
#define DENIALS_HOLD_MS 10000u
#define DENIALS_RUNS_EACH 16u
#define DENIALS_RUNS 64u

struct denials;

struct denials *denials_new(void); /* NULL: out of memory */
void denials_free(struct denials *d);

/* Writes or counts `e`. now_ms: monotonic. In the caller's transaction, like the next. */
enum av_err denials_append(struct denials *d, struct audit_log *l, const struct audit_event *e,
    uint64_t now_ms) AV_MUST_USE;
/* Writes what has been held long enough; with `all` everything that is held. */
enum av_err denials_flush(
    struct denials *d, struct audit_log *l, uint64_t now_ms, bool all) AV_MUST_USE;
/* After the transaction: what was not committed was not counted either. */
void denials_settle(struct denials *d, bool committed);
/* Milliseconds until the next flush has something to write; -1: nothing is held. */
int denials_due_ms(const struct denials *d, uint64_t now_ms);

#endif
