/* SPDX-License-Identifier: Apache-2.0 */
/* Sealing: the published vector, and what must not open. */
#include "vault/box.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* draft-irtf-cfrg-xchacha-03, appendix A.3.1. */
static const char vector_plain[] =
    "Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, "
    "sunscreen would be it.";
static const char vector_aad[] = "50515253c0c1c2c3c4c5c6c7";
static const char vector_key[] = "808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f";
static const char vector_nonce[] = "404142434445464748494a4b4c4d4e4f5051525354555657";
static const char vector_sealed[] =
    "bd6d179d3e83d43b9576579493c0e939572a1700252bfaccbed2902c21396cbb731c7f1b0b4aa6440bf3a82f4eda7e"
    "39"
    "ae64c6708c54c216cb96b72e1213b4522f8c9ba40db5d945b11b69b982c1bb9e3f3fac2bc369488f76b2383565d3ff"
    "f9"
    "21f9664c97637da9768812f615c68b13b52ec0875924c1c7987947deafd8780acf49";

static size_t
unhex(const char *hex, uint8_t *out)
{
	size_t n = strlen(hex) / 2;
	assert_int_equal(hex_decode(str_of(hex), out, n), AV_OK);
	return n;
}

static void
test_published_vector_opens(void **state)
{
	uint8_t key[32], aad[12], sealed[256], plain[256];
	(void)state;
	unhex(vector_key, key);
	unhex(vector_aad, aad);
	size_t n = unhex(vector_nonce, sealed);
	n += unhex(vector_sealed, sealed + n);
	struct str s = {(const char *)sealed, n};
	assert_int_equal(
	    box_open(key, (struct str){(const char *)aad, sizeof(aad)}, s, plain), AV_OK);
	assert_int_equal(n - BOX_OVERHEAD, sizeof(vector_plain) - 1);
	assert_memory_equal(plain, vector_plain, sizeof(vector_plain) - 1);
}

static void
test_what_was_sealed_opens_and_nothing_else_does(void **state)
{
	uint8_t key[32] = {1}, other[32] = {2}, plain[64];
	struct buf b;
	(void)state;
	buf_init(&b, 4096);
	assert_int_equal(box_seal(key, STR_LIT("aad"), "hello", 5, &b), AV_OK);
	assert_int_equal(b.len, 5 + BOX_OVERHEAD);
	struct str s = {(const char *)b.data, b.len};
	assert_int_equal(box_open(key, STR_LIT("aad"), s, plain), AV_OK);
	assert_memory_equal(plain, "hello", 5);
	assert_int_equal(box_open(other, STR_LIT("aad"), s, plain), AV_ECORRUPT);
	assert_int_equal(box_open(key, STR_LIT("aae"), s, plain), AV_ECORRUPT);
	for (size_t i = 0; i < b.len; i++) {
		b.data[i] ^= 1;
		assert_int_equal(box_open(key, STR_LIT("aad"), s, plain), AV_ECORRUPT);
		b.data[i] ^= 1;
	}
	assert_int_equal(
	    box_open(key, STR_LIT("aad"), (struct str){s.p, BOX_OVERHEAD - 1}, plain), AV_EFORMAT);
	buf_clear(&b);
}

static void
test_two_seals_of_the_same_differ(void **state)
{
	uint8_t key[32] = {1};
	struct buf a, b;
	(void)state;
	buf_init(&a, 256);
	buf_init(&b, 256);
	assert_int_equal(box_seal(key, STR_LIT(""), "same", 4, &a), AV_OK);
	assert_int_equal(box_seal(key, STR_LIT(""), "same", 4, &b), AV_OK);
	assert_memory_not_equal(a.data, b.data, a.len);
	buf_clear(&a);
	buf_clear(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_published_vector_opens),
	    cmocka_unit_test(test_what_was_sealed_opens_and_nothing_else_does),
	    cmocka_unit_test(test_two_seals_of_the_same_differ),
	};
	if (box_init() != AV_OK)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
