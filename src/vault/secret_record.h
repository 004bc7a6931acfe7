/* SPDX-License-Identifier: Apache-2.0 */
/*
 * secret_record.h - what is known of a stored secret, and its ciphertext.
 *
 * A value is sealed under a data key of its own (random, new with every value), the data key under
 * the KEK. The additional data of both is "aivault:secret:3" and then, each with its length, id,
 * scope kind, workspace, group, pinned provider and value version: a ciphertext moved to another
 * row, scope, pin or version does not open. lastUsedAt is not kept here: the audit log knows it.
 */
#ifndef AV_VAULT_SECRET_RECORD_H
#define AV_VAULT_SECRET_RECORD_H

#include "vault/row.h"
#include "vault/scope.h"

#include "reach/manifest.h"

#define SECRET_NAME_MAX 128u
#define SECRET_MAX_ALIASES 16u
#define SECRET_AAD_VERSION 3u
#define UUID_LEN 36u

struct secret;
struct secret_pool;

struct secret_record {
	char id[UUID_LEN + 1];
	char *name;
	struct string_list aliases;
	struct scope scope;
	char *pinned; /* provider, "" = none */
	uint32_t aad_version;
	uint64_t value_version;
	int64_t created_ms;
	int64_t updated_ms;
	int64_t revoked_ms; /* 0 = in force */
	struct fault fault; /* err AV_OK: usable; else why this one row is out of use (I10) */
	struct secret *value; /* decrypted, while the record is loaded; see secret_record_value */
};

void secret_record_clear(struct secret_record *r);
/* A random UUID (RFC 9562, version 4). */
void uuid_make(char out[UUID_LEN + 1]);
bool uuid_is_valid(struct str s);
/* AV_EUSAGE: empty, too long, control bytes, not UTF-8. `s` is trimmed already. */
enum av_err secret_name_check(struct str s, struct fault *f) AV_MUST_USE;
/* AV_EUSAGE: empty, over 64 KiB, a NUL in it. Looks at the bytes and keeps nothing. */
enum av_err secret_value_check(struct str value, struct fault *f) AV_MUST_USE;

/* Writes the row. The record's fields are set; version and dates are the caller's business. */
enum av_err secret_record_put(
    struct store *s, const struct kek *k, const struct secret_record *r) AV_MUST_USE;
/* A faulty row becomes a record with `fault` set, not an error. */
enum av_err secret_record_decode(const struct row *row, struct secret_record *out) AV_MUST_USE;

/* Seals `value` under a fresh data key and writes both; the row must be there. */
enum av_err secret_record_seal(struct store *s, const struct kek *k, struct secret_pool *pool,
    const struct secret_record *r, struct str value) AV_MUST_USE;
/* Deletes the sealed value; the row stays (revoked). */
enum av_err secret_record_erase(struct store *s, const struct secret_record *r) AV_MUST_USE;
/* Reads and opens: AV_ECORRUPT with a message that names the secret; AV_ELIMIT: the pool is full.
 * The record keeps and owns *out. */
enum av_err secret_record_value(struct store *s, const struct kek *k, struct secret_pool *pool,
    struct secret_record *r, const struct secret **out, struct fault *f) AV_MUST_USE;
void secret_record_forget(struct secret_record *r); /* wipes the decrypted value */

#endif
