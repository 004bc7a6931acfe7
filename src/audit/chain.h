/* SPDX-License-Identifier: Apache-2.0 */
/*
 * chain.h - the hash chain over audit rows.
 *
 * hash = BLAKE2b-256(prev_hash || canonical bytes). Canonical bytes: the row's columns from id to
 * repeats, in the table's order, numbers as i64 little endian (absent: -1), texts with their u32
 * length before them. The first row's prev_hash is 32 zero bytes. No key: keyed checkpoints make a
 * chain that was written anew show.
 */
#ifndef AV_AUDIT_CHAIN_H
#define AV_AUDIT_CHAIN_H

#include "audit/event.h"
#include "vault/store.h"

#define CHAIN_HASH_LEN 32u

/* `e` as it is stored: escaped and cut. */
enum av_err chain_hash(const uint8_t prev[CHAIN_HASH_LEN], int64_t id, const struct audit_event *e,
    uint8_t out[CHAIN_HASH_LEN]) AV_MUST_USE;

struct chain_report {
	uint64_t rows;
	int64_t first_bad_id; /* 0: none */
	const char *problem; /* "hash", "link", "gap", or NULL */
};

/* A walk over every row in the order of ids, some at a time, so that others have their turn. */
struct chain_walk {
	struct chain_report report;
	bool over; /* at the end, or at the first row that is bad */
	int64_t first_id;
	int64_t last_id; /* as of the beginning: what comes later is the next walk's */
	int64_t at_id; /* the row walked last */
	uint8_t prev[CHAIN_HASH_LEN];
};
/* `first_id`: where the chain begins, 1 but for a log in memory whose oldest rows are gone: then the first
 * one's prev_hash is taken at its word. */
enum av_err chain_walk_begin(struct chain_walk *w, struct store *s, int64_t first_id) AV_MUST_USE;
/* At most `rows` (1 or more) further. AV_OK also when rows are bad: see the report. */
enum av_err chain_walk_on(struct chain_walk *w, struct store *s, int64_t rows) AV_MUST_USE;

#endif
