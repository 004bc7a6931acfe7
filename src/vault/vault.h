/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vault.h - the open vault: store, key, and what the deciding rows say, loaded once.
 *
 * The keeper is the only writer, so the loaded rows are the truth until its next change; every
 * change ends in vault_commit(), which loads them anew. A fault in one row takes that row out of
 * use (I10). A wrong or missing key, or rows that were removed or put back, take the whole vault out
 * of use: `fault` says why, and whoever wants to use the vault looks at it first.
 * The fields are for reading; only vault.c and vault_load.c change them.
 */
#ifndef AV_VAULT_VAULT_H
#define AV_VAULT_VAULT_H

#include "vault/credential.h"
#include "vault/policy_params.h"
#include "vault/kek_passphrase.h"
#include "vault/secret_record.h"

#define VAULT_WHERE_MAX 1024u
#define VAULT_PUBLIC_KEY_LEN 32u
#define VAULT_SIGNATURE_LEN 64u

/* A capability made on the command line; approved by the act. */
struct custom_capability {
	char *id;
	char *provider;
	struct capability capability;
	struct fault fault;
};

struct vault {
	struct store *store;
	struct kek *kek; /* NULL: locked or no fitting key */
	struct secret_pool *pool;
	const struct builtin *builtin; /* borrows */
	char provider_type[32];
	char key_where[VAULT_WHERE_MAX]; /* for the file provider: its path */
	char kek_id[KEK_ID_LEN + 1];
	int64_t created_ms;
	uint64_t generation;
	bool locked; /* a passphrase is needed; until then the rows below are read but unverified */
	struct passphrase_kdf kdf; /* of the passphrase provider */
	struct fault fault;
	struct secret_record *secrets; /* sorted by name, then scope */
	size_t secret_count;
	struct credential *credentials;
	size_t credential_count;
	struct custom_capability *capabilities;
	size_t capability_count;
	struct policy_params *policies; /* one a capability */
	size_t policy_count;
	struct string_list disabled; /* "capability:<id>" */
};

/* AV_ENOVAULT: there is none. A key that does not fit is no error here: see `fault`. */
enum av_err vault_open(
    const char *path, const struct builtin *b, struct vault **out, struct fault *f) AV_MUST_USE;
/* Makes database and key (an existing, well-formed key file is used and never overwritten) and
 * leaves the transaction open: append the audit row, then vault_commit(). `provider` is "file". */
enum av_err vault_create(const char *path, const char *provider, const char *where,
    const struct builtin *b, struct vault **out, struct fault *f) AV_MUST_USE;
/* The same for the passphrase provider; `key` is what passphrase_derive() made with `kdf`, copied. */
enum av_err vault_create_passphrase(const char *path, const struct passphrase_kdf *kdf,
    const uint8_t key[KEK_LEN], const struct builtin *b, struct vault **out,
    struct fault *f) AV_MUST_USE;
void vault_close(struct vault *v); /* wipes; NULL is fine */

/* A change: vault_begin(), row_put()s, vault_seal(), an audit row, vault_commit(). */
enum av_err vault_begin(struct vault *v, struct fault *f) AV_MUST_USE;
/* Generation and digest; `note` gets "generation=N digest=HEX" for the audit row. */
#define VAULT_NOTE_MAX 128u
enum av_err vault_seal(struct vault *v, char note[VAULT_NOTE_MAX], struct fault *f) AV_MUST_USE;
enum av_err vault_commit(struct vault *v, struct fault *f) AV_MUST_USE;
void vault_rollback(struct vault *v);

/* A locked vault takes its key (copied) and reads every row again, now verified: what is wrong with
 * them is in `fault`. AV_EKEY, reason "wrong_passphrase": it is another key; nothing changed. */
enum av_err vault_unlock(struct vault *v, const uint8_t key[KEK_LEN], struct fault *f) AV_MUST_USE;
/* Wipes key and decrypted values. Only for the passphrase provider: others have their key at hand. */
void vault_lock(struct vault *v);
bool vault_has_passphrase(const struct vault *v); /* locked or not */

/* Lookups; NULL where there is none. By name: only secrets in force, of exactly that scope. */
struct secret_record *vault_secret(const struct vault *v, struct str id);
struct secret_record *vault_secret_named(
    const struct vault *v, struct str name, const struct scope *scope);
const struct credential *vault_credential(const struct vault *v, struct str id);
const struct custom_capability *vault_custom_capability(const struct vault *v, struct str id);
bool vault_capability_is_disabled(const struct vault *v, struct str id);
/* What `capability policy set` stored for it, maybe with a fault; NULL: nothing. */
const struct policy_params *vault_policy(const struct vault *v, struct str capability);

enum av_err vault_capability_put(
    struct vault *v, const char *provider, const struct capability *c) AV_MUST_USE;
enum av_err vault_capability_set_disabled(
    struct vault *v, struct str id, bool disabled) AV_MUST_USE;

/* Gives back decrypted values: before a lock, and when the pool is full. */
void vault_forget_values(struct vault *v);
bool vault_memory_is_locked(const struct vault *v);
/* Ed25519 with the audit key. AV_ELOCKED without the KEK. */
enum av_err vault_sign(
    struct vault *v, struct str bytes, uint8_t sig[VAULT_SIGNATURE_LEN]) AV_MUST_USE;
enum av_err vault_public_key(struct vault *v, uint8_t out[VAULT_PUBLIC_KEY_LEN]) AV_MUST_USE;

/* vault_load.c: reads every deciding row; without the key (locked) they pass unverified. */
enum av_err vault_load(struct vault *v) AV_MUST_USE;
void vault_unload(struct vault *v);

#endif
