/* SPDX-License-Identifier: Apache-2.0 */
#include "vault/box.h"

#include <sodium.h>

_Static_assert(BOX_KEY_LEN == crypto_aead_xchacha20poly1305_ietf_KEYBYTES, "key size");
_Static_assert(BOX_NONCE_LEN == crypto_aead_xchacha20poly1305_ietf_NPUBBYTES, "nonce size");
_Static_assert(BOX_TAG_LEN == crypto_aead_xchacha20poly1305_ietf_ABYTES, "tag size");

enum av_err
box_init(void)
{
	return sodium_init() < 0 ? AV_ESYS : AV_OK;
}

enum av_err
box_seal(
    const uint8_t key[BOX_KEY_LEN], struct str aad, const void *plain, size_t len, struct buf *out)
{
	uint8_t *at = NULL;
	enum av_err e = buf_reserve(out, len + BOX_OVERHEAD, &at);
	if (e != AV_OK)
		return e;
	randombytes_buf(at, BOX_NONCE_LEN);
	unsigned long long n = 0;
	if (crypto_aead_xchacha20poly1305_ietf_encrypt(at + BOX_NONCE_LEN, &n, plain, len,
	        (const unsigned char *)aad.p, aad.len, NULL, at, key) != 0)
		return AV_ESYS;
	buf_commit(out, BOX_NONCE_LEN + (size_t)n);
	return AV_OK;
}

enum av_err
box_open(const uint8_t key[BOX_KEY_LEN], struct str aad, struct str sealed, uint8_t *plain)
{
	if (sealed.len < BOX_OVERHEAD)
		return AV_EFORMAT;
	const unsigned char *in = (const unsigned char *)sealed.p;
	unsigned long long n = 0;
	if (crypto_aead_xchacha20poly1305_ietf_decrypt(plain, &n, NULL, in + BOX_NONCE_LEN,
	        sealed.len - BOX_NONCE_LEN, (const unsigned char *)aad.p, aad.len, in, key) != 0)
		return AV_ECORRUPT;
	return AV_OK;
}
