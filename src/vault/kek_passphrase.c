/* SPDX-License-Identifier: Apache-2.0 */
#include "vault/kek_passphrase.h"

#include <sodium.h>
#include <string.h>

#define META_KEY "passphrase_kdf"
#define ENCODED_LEN (1u + PASSPHRASE_SALT_LEN + 16u)
#define VERSION 1u /* Argon2id, version 1.3, one lane */
#define PASSES_MAX 64u
#define MEMORY_MAX (4096ull * 1024 * 1024)

_Static_assert(PASSPHRASE_SALT_LEN == crypto_pwhash_argon2id_SALTBYTES, "salt size");

enum av_err
passphrase_kdf_make(struct str cost, struct passphrase_kdf *out, struct fault *f)
{
	static const struct {
		const char *name;
		uint64_t passes, memory;
	} costs[] = {
	    {"moderate", crypto_pwhash_argon2id_OPSLIMIT_MODERATE,
	        crypto_pwhash_argon2id_MEMLIMIT_MODERATE},
	    {"interactive", crypto_pwhash_argon2id_OPSLIMIT_INTERACTIVE,
	        crypto_pwhash_argon2id_MEMLIMIT_INTERACTIVE},
	    {"sensitive", crypto_pwhash_argon2id_OPSLIMIT_SENSITIVE,
	        crypto_pwhash_argon2id_MEMLIMIT_SENSITIVE},
	};
	for (size_t i = 0; i < sizeof(costs) / sizeof(costs[0]); i++) {
		if (cost.len > 0 && !str_eq_cstr(cost, costs[i].name))
			continue;
		randombytes_buf(out->salt, sizeof(out->salt));
		out->passes = costs[i].passes;
		out->memory = costs[i].memory;
		return AV_OK;
	}
	return fault_set(
	    f, AV_EUSAGE, "cost_unknown", "", "the cost is interactive, moderate or sensitive");
}

static void
put_u64(uint8_t *to, uint64_t v)
{
	for (size_t i = 0; i < 8; i++)
		to[i] = (uint8_t)(v >> (8 * i));
}

static uint64_t
get_u64(const uint8_t *from)
{
	uint64_t v = 0;
	for (size_t i = 0; i < 8; i++)
		v |= (uint64_t)from[i] << (8 * i);
	return v;
}

enum av_err
passphrase_kdf_put(struct store *s, const struct passphrase_kdf *k)
{
	uint8_t b[ENCODED_LEN];
	b[0] = VERSION;
	memcpy(b + 1, k->salt, sizeof(k->salt));
	put_u64(b + 1 + PASSPHRASE_SALT_LEN, k->passes);
	put_u64(b + 9 + PASSPHRASE_SALT_LEN, k->memory);
	return store_meta_put(s, META_KEY, (struct str){(const char *)b, sizeof(b)});
}

enum av_err
passphrase_kdf_get(struct store *s, struct passphrase_kdf *out)
{
	struct buf b;
	buf_init(&b, 256);
	enum av_err e = store_meta_get(s, META_KEY, &b);
	if (e == AV_OK && (b.len != ENCODED_LEN || b.data[0] != VERSION))
		e = AV_ECORRUPT;
	if (e == AV_OK) {
		memcpy(out->salt, b.data + 1, sizeof(out->salt));
		out->passes = get_u64(b.data + 1 + PASSPHRASE_SALT_LEN);
		out->memory = get_u64(b.data + 9 + PASSPHRASE_SALT_LEN);
		if (out->passes < crypto_pwhash_argon2id_OPSLIMIT_MIN || out->passes > PASSES_MAX ||
		    out->memory < crypto_pwhash_argon2id_MEMLIMIT_MIN || out->memory > MEMORY_MAX)
			e = AV_ECORRUPT;
	}
	buf_clear(&b);
	return e == AV_ENOTFOUND ? AV_ECORRUPT : e;
}

enum av_err
passphrase_check(struct str passphrase, struct fault *f)
{
	if (passphrase.len == 0)
		return fault_set(f, AV_EUSAGE, "passphrase_empty",
		    "Type it, pipe it in, or give --passphrase", "the passphrase is empty");
	if (passphrase.len > PASSPHRASE_MAX)
		return fault_set(f, AV_EUSAGE, "passphrase_too_long", "",
		    "a passphrase is at most %u bytes", PASSPHRASE_MAX);
	return AV_OK;
}

enum av_err
passphrase_derive(
    const struct passphrase_kdf *k, const uint8_t *passphrase, size_t len, uint8_t out[KEK_LEN])
{
	if (crypto_pwhash_argon2id(out, KEK_LEN, (const char *)passphrase, len, k->salt, k->passes,
	        (size_t)k->memory, crypto_pwhash_argon2id_ALG_ARGON2ID13) != 0)
		return AV_ENOMEM;
	return AV_OK;
}
