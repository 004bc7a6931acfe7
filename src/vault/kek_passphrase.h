/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kek_passphrase.h - the vault's key from a passphrase: Argon2id (RFC 9106, by libsodium).
 *
 * Salt and cost are stored in the vault and are no secret; the passphrase is stored nowhere, so that
 * the key is there only after somebody typed it. Deriving takes about a second and much memory on
 * purpose: never in a loop that serves others (keeper/derivation.h).
 */
#ifndef AV_VAULT_KEK_PASSPHRASE_H
#define AV_VAULT_KEK_PASSPHRASE_H

#include "vault/kek.h"
#include "vault/store.h"

#define PASSPHRASE_PROVIDER "passphrase"
#define PASSPHRASE_MAX 1024u
#define PASSPHRASE_SALT_LEN 16u

struct passphrase_kdf {
	uint8_t salt[PASSPHRASE_SALT_LEN];
	uint64_t passes;
	uint64_t memory; /* bytes */
};

/* A fresh salt. `cost` is one of libsodium's: "interactive" (64 MiB), "moderate" (256 MiB; also for
 * ""), "sensitive" (1 GiB). AV_EUSAGE: none of these. */
enum av_err passphrase_kdf_make(
    struct str cost, struct passphrase_kdf *out, struct fault *f) AV_MUST_USE;
/* In the meta table, key "passphrase_kdf". */
enum av_err passphrase_kdf_put(struct store *s, const struct passphrase_kdf *k) AV_MUST_USE;
/* AV_ECORRUPT: not there, malformed, or a cost that nobody asks for (over 64 passes or 4 GiB). */
enum av_err passphrase_kdf_get(struct store *s, struct passphrase_kdf *out) AV_MUST_USE;
/* AV_EUSAGE: empty or over PASSPHRASE_MAX. */
enum av_err passphrase_check(struct str passphrase, struct fault *f) AV_MUST_USE;
/* AV_ENOMEM: the system does not give the memory. Touches nothing but its arguments: any thread. */
enum av_err passphrase_derive(const struct passphrase_kdf *k, const uint8_t *passphrase, size_t len,
    uint8_t out[KEK_LEN]) AV_MUST_USE;

#endif
