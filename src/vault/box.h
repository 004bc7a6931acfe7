/* SPDX-License-Identifier: Apache-2.0 */
/*
 * box.h - sealing bytes: XChaCha20-Poly1305 (draft-irtf-cfrg-xchacha, by libsodium).
 *
 * A sealed blob is nonce (24 random bytes), ciphertext, tag (16). The additional data is not stored:
 * opening needs the same. Knows nothing of what it seals.
 */
#ifndef AV_VAULT_BOX_H
#define AV_VAULT_BOX_H

#include "base/buf.h"
#include "base/str.h"

#define BOX_KEY_LEN 32u
#define BOX_NONCE_LEN 24u
#define BOX_TAG_LEN 16u
#define BOX_OVERHEAD (BOX_NONCE_LEN + BOX_TAG_LEN)

/* Once a process, before anything else of this layer. AV_ESYS: no random source. */
enum av_err box_init(void) AV_MUST_USE;
/* Appends len + BOX_OVERHEAD bytes to `out`. */
enum av_err box_seal(const uint8_t key[BOX_KEY_LEN], struct str aad, const void *plain, size_t len,
    struct buf *out) AV_MUST_USE;
/* `plain` has room for sealed.len - BOX_OVERHEAD bytes, which is what is written.
 * AV_EFORMAT: too short to be a blob; AV_ECORRUPT: key, additional data or blob do not fit. */
enum av_err box_open(
    const uint8_t key[BOX_KEY_LEN], struct str aad, struct str sealed, uint8_t *plain) AV_MUST_USE;

#endif
