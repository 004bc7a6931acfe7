/* SPDX-License-Identifier: Apache-2.0 */
/*
 * row.h - the rows that decide something, and what proves that nobody but us wrote them.
 *
 * Each row carries a MAC over its table, id, version and body: an edited row is known by name and
 * can be disabled alone. One digest over every row's MAC and the generation counter, kept in meta,
 * tells of rows deleted, added, swapped or put back to an older version. Both are BLAKE2b-256, keyed
 * by subkeys of the KEK. A change of rows, row_seal() and the audit row are one transaction.
 */
#ifndef AV_VAULT_ROW_H
#define AV_VAULT_ROW_H

#include "vault/kek.h"
#include "vault/store.h"

#define ROW_MAC_LEN 32u
#define ROW_BODY_MAX (256u * 1024u)

enum row_table {
	ROW_SECRET = 0,
	ROW_CREDENTIAL,
	ROW_CAPABILITY,
	ROW_DISABLED,
	ROW_POLICY,
	ROW_GRANT,
	ROW_BINDING,
	ROW_SCRIPT,
	ROW_TOKEN,
	ROW_TABLE_COUNT
};
const char *row_table_name(enum row_table t);

struct row {
	struct str id;
	uint64_t version;
	struct str body;
	bool genuine; /* the MAC fits */
};

/* Inserts, or replaces and counts the version up. */
enum av_err row_put(struct store *s, const struct kek *k, enum row_table t, struct str id,
    struct str body) AV_MUST_USE;
/* AV_OK also where there is none. */
enum av_err row_delete(struct store *s, enum row_table t, struct str id) AV_MUST_USE;

/* What fn returns but AV_OK ends the walk. The row borrows from the statement. */
typedef enum av_err (*row_fn)(void *ctx, const struct row *r);
enum av_err row_each(
    struct store *s, const struct kek *k, enum row_table t, row_fn fn, void *ctx) AV_MUST_USE;

/* Counts the generation up and stores the digest; both go into the audit row. */
enum av_err row_seal(struct store *s, const struct kek *k, uint64_t *generation,
    uint8_t digest[ROW_MAC_LEN]) AV_MUST_USE;
/* AV_ECORRUPT: the stored digest does not fit the rows; *f says so. */
enum av_err row_verify(
    struct store *s, const struct kek *k, uint64_t *generation, struct fault *f) AV_MUST_USE;

#endif
