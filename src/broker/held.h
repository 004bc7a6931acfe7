/* SPDX-License-Identifier: Apache-2.0 */
/*
 * held.h - the memory that envelopes take: their text while it comes, their bodies until they are sent.
 *
 * Everything else streams through buffers of a fixed size. One user has HELD_MAX_CALLER bytes, all
 * users together HELD_MAX_ALL; what would pass either is refused, and nothing that is held already
 * is disturbed.
 */
#ifndef AV_BROKER_HELD_H
#define AV_BROKER_HELD_H

#include "base/err.h"

#include <stddef.h>
#include <stdint.h>

#define HELD_MAX_CALLER (64u * 1024u * 1024u)
#define HELD_MAX_ALL (512u * 1024u * 1024u)

/* All zero: not begun. Does not own the memory that it counts. */
struct held {
	struct held *next;
	struct held **link;
	uint32_t uid;
	size_t bytes;
};

/* Puts it, with 0 bytes, into the list at *first (the broker's). */
void held_begin(struct held *h, struct held **first, uint32_t uid);
/* From now on it has `bytes`. AV_ERATE, and it has what it had: caller_memory_limit, memory_limit. */
enum av_err held_set(
    struct held *h, const struct held *first, size_t bytes, struct fault *f) AV_MUST_USE;
void held_end(struct held *h); /* not begun is fine */

#endif
