/* SPDX-License-Identifier: Apache-2.0 */
/* Input: a key file. It holds 32 bytes in base64 or hex and nothing else, or it is refused; the
 * refusal shows none of it. */
#include "vault/kek.h"

#include "scratch.h"

#include <sodium.h>
#include <string.h>

#define MUST(x)                  \
	do {                     \
		if (!(x))        \
			abort(); \
	} while (0)

/* The same key by sodium's readers, for the length that is left without blanks at the ends. */
static void
check_key(struct str s, const struct kek *k)
{
	uint8_t raw[KEK_LEN], digest[crypto_hash_sha256_BYTES];
	char id[KEK_ID_LEN + 1];
	size_t n = 0;

	while (s.len > 0 && strchr(" \t\r\n", s.p[s.len - 1]) != NULL)
		s.len--;
	while (s.len > 0 && strchr(" \t", s.p[0]) != NULL) {
		s.p++;
		s.len--;
	}
	if (s.len == 2 * KEK_LEN)
		MUST(sodium_hex2bin(raw, sizeof(raw), s.p, s.len, NULL, &n, NULL) == 0);
	else
		MUST(sodium_base642bin(raw, sizeof(raw), s.p, s.len, NULL, &n, NULL,
		         sodium_base64_VARIANT_ORIGINAL) == 0);
	MUST(n == KEK_LEN);
	crypto_hash_sha256(digest, raw, sizeof(raw));
	sodium_bin2hex(id, sizeof(id), digest, sizeof(digest));
	MUST(strcmp(id, kek_id(k)) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fault f = {0};
	struct kek *k = NULL;

	if (size > 1024 || sodium_init() < 0)
		return 0;
	if (kek_file_load(scratch_file(data, size), &k, &f) == AV_OK) {
		check_key((struct str){(const char *)data, size}, k);
		kek_free(k);
	} else {
		MUST(k == NULL && f.err == AV_EKEY && strcmp(f.reason, "key_malformed") == 0);
	}
	return 0;
}
