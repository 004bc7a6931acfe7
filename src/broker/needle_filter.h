/* SPDX-License-Identifier: Apache-2.0 */
/*
 * needle_filter.h - where in a piece of data one of several needles may stand.
 *
 * A window as long as the shortest needle moves over the data; the hash of its last three bytes
 * tells how far it may move on without passing a needle's beginning (Wu and Manber, "A fast
 * algorithm for multi-pattern searching", 1994). Most bytes are never looked at. It says where to
 * look closer, and never leaves a place out; whether a needle is there is for the caller to compare.
 */
#ifndef AV_BROKER_NEEDLE_FILTER_H
#define AV_BROKER_NEEDLE_FILTER_H

#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NEEDLE_FILTER_BITS 12
#define NEEDLE_FILTER_MIN 3u /* a needle is at least this long */
#define NEEDLE_FILTER_MAX 255u /* longest window: a move fits into a byte */

/* Tells of the needles' bytes: wipe it. */
struct needle_filter {
	size_t window;
	uint8_t moves[1u << NEEDLE_FILTER_BITS];
};

/* For needles of which the shortest has `shortest` bytes (NEEDLE_FILTER_MIN or more). */
void needle_filter_init(struct needle_filter *nf, size_t shortest);
void needle_filter_add(struct needle_filter *nf, struct str needle);
/* From *at on: the next place where a needle may begin, in *at. False: there is none. */
bool needle_filter_next(const struct needle_filter *nf, const uint8_t *in, size_t len, size_t *at);

#endif
