/* SPDX-License-Identifier: Apache-2.0 */
#include "vault/kek.h"

#include "vault/box.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

struct kek {
	uint8_t *raw;
	bool locked;
	char id[KEK_ID_LEN + 1];
};

static const struct kek_provider providers[] = {
    {"file", kek_file_create, kek_file_load},
};

enum av_err
kek_new(const uint8_t raw[KEK_LEN], struct kek **out)
{
	struct kek *k = calloc(1, sizeof(*k));
	if (k == NULL)
		return AV_ENOMEM;
	k->raw = sodium_malloc(KEK_LEN);
	if (k->raw == NULL) {
		free(k);
		return AV_ENOMEM;
	}
	k->locked = sodium_mlock(k->raw, KEK_LEN) == 0;
	memcpy(k->raw, raw, KEK_LEN);
	uint8_t digest[crypto_hash_sha256_BYTES];
	crypto_hash_sha256(digest, raw, KEK_LEN);
	hex_encode(digest, sizeof(digest), k->id);
	sodium_mprotect_readonly(k->raw);
	*out = k;
	return AV_OK;
}

void
kek_free(struct kek *k)
{
	if (k == NULL)
		return;
	sodium_free(k->raw);
	free(k);
}

const char *
kek_id(const struct kek *k)
{
	return k->id;
}

bool
kek_is_locked(const struct kek *k)
{
	return k->locked;
}

enum av_err
kek_seal(const struct kek *k, struct str aad, const void *plain, size_t len, struct buf *out)
{
	return box_seal(k->raw, aad, plain, len, out);
}

enum av_err
kek_open(const struct kek *k, struct str aad, struct str sealed, uint8_t *plain)
{
	return box_open(k->raw, aad, sealed, plain);
}

void
kek_subkey(const struct kek *k, enum kek_purpose purpose, uint8_t out[KEK_LEN])
{
	_Static_assert(KEK_LEN == crypto_kdf_KEYBYTES, "key size");
	static const char context[crypto_kdf_CONTEXTBYTES + 1] = "aivault1";
	crypto_kdf_derive_from_key(out, KEK_LEN, (uint64_t)purpose, context, k->raw);
}

const struct kek_provider *
kek_provider_find(struct str type)
{
	for (size_t i = 0; i < sizeof(providers) / sizeof(providers[0]); i++)
		if (str_eq_cstr(type, providers[i].type))
			return &providers[i];
	return NULL;
}
