/* SPDX-License-Identifier: Apache-2.0 */
/*
 * scrub.h - takes known secret values out of what goes back to an agent.
 *
 * Every byte that belongs to an occurrence of a needle becomes '*', so that lengths stay what they
 * were and a Content-Length stays true. Occurrences are found across the borders of pieces, also
 * where they overlap. Only bytes that may be the start of an occurrence are held back, until the
 * next piece decides or the end comes. One Knuth-Morris-Pratt automaton a needle; the middle of a
 * large piece, where none can be half-way, is searched for all needles at once (needle_filter.h).
 *
 * Owns copies of the needles; scrub_clear() wipes them and whatever is held back.
 */
#ifndef AV_BROKER_SCRUB_H
#define AV_BROKER_SCRUB_H

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"
#include "broker/needle_filter.h"

#include <stdbool.h>
#include <stdint.h>

#define SCRUB_MIN_NEEDLE 8u /* shorter values would star out ordinary text */
#define SCRUB_MAX_NEEDLES 1024u
#define SCRUB_MAX_NEEDLE (1024u * 1024u)

struct scrub_needle {
	uint8_t *bytes; /* behind the last of fail, in the same block */
	uint32_t
	    *fail; /* fail[i]: longest proper border of the first i + 1 bytes; once it is built */
	size_t len;
	size_t state; /* bytes matched so far */
	bool body_only;
	bool built;
};

struct scrub {
	struct scrub_needle *needles;
	size_t count, room;
	struct needle_filter *filter; /* made when first needed, dropped when a needle comes */
	struct buf held; /* starred already where a match has ended */
	uint64_t hits;
};

void scrub_init(struct scrub *s);
void scrub_clear(struct scrub *s);
/* Copies the needle. One shorter than SCRUB_MIN_NEEDLE or known already is left out silently. */
enum av_err scrub_add(struct scrub *s, struct str needle) AV_MUST_USE;
/* A text that is to be taken out of bodies, not out of headers; of any length from 1. */
enum av_err scrub_add_block(struct scrub *s, struct str text) AV_MUST_USE;
/* Appends to `out` what is sure by now. */
enum av_err scrub_feed(struct scrub *s, const uint8_t *in, size_t len, struct buf *out) AV_MUST_USE;
/* Appends what was held back; the stream is over. */
enum av_err scrub_end(struct scrub *s, struct buf *out) AV_MUST_USE;
/* One whole text, apart from the stream and its blocks: the result replaces what is in `out`. */
enum av_err scrub_text(struct scrub *s, struct str text, struct buf *out) AV_MUST_USE;
/* Whether a header's name, which has lost its case, holds a needle in any case. */
bool scrub_in_name(const struct scrub *s, struct str name);

#endif
