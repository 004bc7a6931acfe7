/* SPDX-License-Identifier: Apache-2.0 */
/*
 * counters.h - what calls have used up, over restarts.
 *
 * A window slides on the wall clock, in sixty steps (at least a second each); a step counts until
 * the whole of it has left the window, so a limit is never passed, only kept a step longer. The
 * space of a counter is policy, key and window. Works in the caller's transaction.
 */
#ifndef AV_KEEPER_COUNTERS_H
#define AV_KEEPER_COUNTERS_H

#include "vault/store.h"
#include "wire/counts.h"

/* Checks all of them first, then counts all: a call that is denied is not charged. AV_ERATE with
 * *retry_after in seconds. AV_EINVAL: a window or an amount out of range. */
enum av_err counters_charge(struct store *s, const struct charge *charges, size_t count,
    int64_t now_ms, uint32_t *retry_after, struct fault *f) AV_MUST_USE;
/* What is counted now. */
enum av_err counters_get(
    struct store *s, const struct charge *c, int64_t now_ms, uint64_t *out) AV_MUST_USE;
/* Calls `each` for every counter that holds something now, with its steps. An error of `each` ends it. */
enum av_err counters_each(struct store *s, int64_t now_ms,
    enum av_err (*each)(void *ctx, const struct counts_fill *m), void *ctx) AV_MUST_USE;

#endif
