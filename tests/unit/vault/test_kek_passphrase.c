/* SPDX-License-Identifier: Apache-2.0 */
#include "vault/box.h"
#include "vault/kek_passphrase.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <sodium.h>

static const uint8_t words[] = "correct horse";

/* The least that libsodium takes: these tests are about other things. */
static struct passphrase_kdf
cheap(void)
{
	struct passphrase_kdf k;
	assert_int_equal(passphrase_kdf_make(STR_LIT("interactive"), &k, NULL), AV_OK);
	k.passes = crypto_pwhash_argon2id_OPSLIMIT_MIN;
	k.memory = crypto_pwhash_argon2id_MEMLIMIT_MIN;
	return k;
}

static void
test_cost_is_moderate_unless_another_is_named(void **state)
{
	struct passphrase_kdf k, other;
	struct fault f = {0};
	(void)state;
	assert_int_equal(passphrase_kdf_make(STR_LIT(""), &k, &f), AV_OK);
	assert_true(k.passes == crypto_pwhash_argon2id_OPSLIMIT_MODERATE);
	assert_true(k.memory == crypto_pwhash_argon2id_MEMLIMIT_MODERATE);
	assert_int_equal(passphrase_kdf_make(STR_LIT("sensitive"), &other, &f), AV_OK);
	assert_true(other.memory == crypto_pwhash_argon2id_MEMLIMIT_SENSITIVE);
	assert_memory_not_equal(k.salt, other.salt, sizeof(k.salt));
	assert_int_equal(passphrase_kdf_make(STR_LIT("cheap"), &k, &f), AV_EUSAGE);
}

static void
test_same_words_and_salt_are_the_same_key_and_nothing_else_is(void **state)
{
	struct passphrase_kdf k = cheap();
	uint8_t a[KEK_LEN], b[KEK_LEN];
	(void)state;
	assert_int_equal(passphrase_derive(&k, words, sizeof(words) - 1, a), AV_OK);
	assert_int_equal(passphrase_derive(&k, words, sizeof(words) - 1, b), AV_OK);
	assert_memory_equal(a, b, KEK_LEN);
	assert_int_equal(passphrase_derive(&k, words, sizeof(words) - 2, b), AV_OK);
	assert_memory_not_equal(a, b, KEK_LEN);
	k.salt[0] ^= 1;
	assert_int_equal(passphrase_derive(&k, words, sizeof(words) - 1, b), AV_OK);
	assert_memory_not_equal(a, b, KEK_LEN);
	k.salt[0] ^= 1;
	k.passes++;
	assert_int_equal(passphrase_derive(&k, words, sizeof(words) - 1, b), AV_OK);
	assert_memory_not_equal(a, b, KEK_LEN);
}

static void
test_passphrase_is_neither_empty_nor_long(void **state)
{
	char text[PASSPHRASE_MAX + 1];
	struct fault f;
	(void)state;
	memset(text, 'x', sizeof(text));
	assert_int_equal(passphrase_check(STR_LIT(""), &f), AV_EUSAGE);
	assert_int_equal(passphrase_check((struct str){text, PASSPHRASE_MAX}, &f), AV_OK);
	assert_int_equal(passphrase_check((struct str){text, PASSPHRASE_MAX + 1}, &f), AV_EUSAGE);
}

static void
test_stored_cost_is_read_back_and_absurd_ones_are_refused(void **state)
{
	char dir[] = "/tmp/aivault-kdf-XXXXXX", path[64], side[80];
	struct passphrase_kdf k = cheap(), back;
	struct store *s = NULL;
	struct fault f;
	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/vault.db", dir);
	assert_int_equal(store_create(path, &s, &f), AV_OK);
	assert_int_equal(passphrase_kdf_get(s, &back), AV_ECORRUPT);
	assert_int_equal(passphrase_kdf_put(s, &k), AV_OK);
	assert_int_equal(passphrase_kdf_get(s, &back), AV_OK);
	assert_memory_equal(k.salt, back.salt, sizeof(k.salt));
	assert_true(k.passes == back.passes && k.memory == back.memory);
	k.memory = 1ull << 40;
	assert_int_equal(passphrase_kdf_put(s, &k), AV_OK);
	assert_int_equal(passphrase_kdf_get(s, &back), AV_ECORRUPT);
	k = cheap();
	k.passes = 1000;
	assert_int_equal(passphrase_kdf_put(s, &k), AV_OK);
	assert_int_equal(passphrase_kdf_get(s, &back), AV_ECORRUPT);
	assert_int_equal(store_meta_put(s, "passphrase_kdf", STR_LIT("short")), AV_OK);
	assert_int_equal(passphrase_kdf_get(s, &back), AV_ECORRUPT);
	store_close(s);
	unlink(path);
	for (size_t i = 0; i < 2; i++) {
		snprintf(side, sizeof(side), "%s%s", path, i == 0 ? "-wal" : "-shm");
		unlink(side);
	}
	assert_int_equal(rmdir(dir), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_cost_is_moderate_unless_another_is_named),
	    cmocka_unit_test(test_same_words_and_salt_are_the_same_key_and_nothing_else_is),
	    cmocka_unit_test(test_passphrase_is_neither_empty_nor_long),
	    cmocka_unit_test(test_stored_cost_is_read_back_and_absurd_ones_are_refused),
	};
	if (box_init() != AV_OK)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
