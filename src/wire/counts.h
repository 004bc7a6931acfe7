/* SPDX-License-Identifier: Apache-2.0 */
/*
 * counts.h - what the judge is told for its working copy of the counters. One way, no answers, and no
 * field that can carry secret bytes (I1). The frame types go on from judge.h.
 *
 * Keeper -> judge, for a new judge and for a new broker: COUNTS_CLEAR, then a COUNTS_FILL for each
 * counter that holds something. What the judge had counted itself is forgotten by that: what of it
 * came to something is in the keeper's counts, or is counted by the keeper alone.
 * Keeper or broker -> judge: COUNTS_REFUND, a call that the judge allowed was not let through.
 */
#ifndef AV_WIRE_COUNTS_H
#define AV_WIRE_COUNTS_H

#include "wire/judge.h"

#define COUNTS_MAX_STEPS 64u

enum counts_message {
	COUNTS_CLEAR = 4,
	COUNTS_FILL = 5,
	COUNTS_REFUND = 6,
};

struct counts_step {
	int64_t at_ms; /* wall clock, when the step began */
	uint64_t n;
};
struct counts_fill {
	struct str key; /* as in struct charge; borrows */
	uint32_t window_s;
	struct counts_step steps[COUNTS_MAX_STEPS]; /* oldest first */
	size_t step_count;
};
struct counts_refund {
	struct charge *charges; /* the array is owned when decoded */
	size_t charge_count;
};

enum av_err counts_fill_encode(const struct counts_fill *m, struct buf *out) AV_MUST_USE;
enum av_err counts_fill_decode(const struct frame *f, struct counts_fill *out) AV_MUST_USE;
enum av_err counts_clear_encode(struct buf *out) AV_MUST_USE;
enum av_err counts_clear_decode(const struct frame *f) AV_MUST_USE;
enum av_err counts_refund_encode(const struct counts_refund *m, struct buf *out) AV_MUST_USE;
enum av_err counts_refund_decode(const struct frame *f, struct counts_refund *out) AV_MUST_USE;
void counts_refund_clear(struct counts_refund *m);

#endif
