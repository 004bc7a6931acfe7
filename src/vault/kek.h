/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kek.h - the key that wraps all others, and where it comes from.
 *
 * The 32 bytes live in guarded, locked, read-only memory and never leave it: what is done with them
 * is done here. A provider says how the key is made and loaded; each is one file, kek_<type>.c, and
 * one row in kek_provider_find().
 */
#ifndef AV_VAULT_KEK_H
#define AV_VAULT_KEK_H

#include "base/buf.h"
#include "base/str.h"

#include <stdbool.h>

#define KEK_LEN 32u
#define KEK_ID_LEN 64u /* sha256 of the key, lower-case hex */

struct kek;

/* Copies `raw`; the caller wipes its own. */
enum av_err kek_new(const uint8_t raw[KEK_LEN], struct kek **out) AV_MUST_USE;
void kek_free(struct kek *k);
const char *kek_id(const struct kek *k);
bool kek_is_locked(const struct kek *k); /* in memory: the lock really holds */

/* box_seal and box_open under the key. */
enum av_err kek_seal(const struct kek *k, struct str aad, const void *plain, size_t len,
    struct buf *out) AV_MUST_USE;
enum av_err kek_open(
    const struct kek *k, struct str aad, struct str sealed, uint8_t *plain) AV_MUST_USE;
/* A key for one purpose (crypto_kdf, context "aivault1"); `purpose` numbers are in kek_purpose. */
enum kek_purpose { KEK_FOR_ROWS = 1, KEK_FOR_DIGEST = 2 };
void kek_subkey(const struct kek *k, enum kek_purpose purpose, uint8_t out[KEK_LEN]);

struct kek_provider {
	const char *type; /* as in meta and on the command line */
	/* Makes a key where none is and stores it at `where`. AV_EEXISTS: something is there. */
	enum av_err (*create)(const char *where, struct kek **out, struct fault *f);
	/* AV_EKEY with a message that names `where`. */
	enum av_err (*load)(const char *where, struct kek **out, struct fault *f);
};
const struct kek_provider *kek_provider_find(struct str type); /* NULL: not known */

/* kek_file.c: base64 (or hex) of 32 bytes in a regular file, mode 0600, owned by this user. */
enum av_err kek_file_create(const char *path, struct kek **out, struct fault *f) AV_MUST_USE;
enum av_err kek_file_load(const char *path, struct kek **out, struct fault *f) AV_MUST_USE;

#endif
