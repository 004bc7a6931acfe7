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
/* Walks every row in the order of ids. `first_id`: where the chain begins, 1 but for a log in memory
 * whose oldest rows are gone: then the first one's prev_hash is taken at its word. AV_OK also when rows
 * are bad: see the report. */
enum av_err chain_verify(struct store *s, int64_t first_id, struct chain_report *out) AV_MUST_USE;

#endif
