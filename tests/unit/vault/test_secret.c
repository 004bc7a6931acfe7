/* SPDX-License-Identifier: Apache-2.0 */
/* Secret memory: locked, separate, wiped, bounded. */
#include "vault/box.h"
#include "vault/secret.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void
test_i2_freed_secret_is_wiped(void **state)
{
	struct secret_pool *p = NULL;
	struct secret *s = NULL;
	(void)state;
	assert_int_equal(secret_pool_new(4096, &p), AV_OK);
	assert_int_equal(secret_copy(p, "canary-canary-canary", 20, &s), AV_OK);
	const uint8_t *where = secret_view(s);
	assert_memory_equal(where, "canary-canary-canary", 20);
	secret_free(s);
	/* The pool still owns the memory. */
	for (size_t i = 0; i < 20; i++)
		assert_int_equal(where[i], 0);
	secret_pool_free(p);
}

static void
test_secrets_do_not_overlap(void **state)
{
	struct secret_pool *p = NULL;
	struct secret *a = NULL, *b = NULL, *c = NULL;
	(void)state;
	assert_int_equal(secret_pool_new(1024, &p), AV_OK);
	assert_int_equal(secret_new(p, 100, &a), AV_OK);
	assert_int_equal(secret_new(p, 64, &b), AV_OK);
	memset(secret_bytes(a), 'a', 100);
	memset(secret_bytes(b), 'b', 64);
	secret_free(a);
	assert_int_equal(secret_new(p, 65, &c), AV_OK);
	memset(secret_bytes(c), 'c', 65);
	for (size_t i = 0; i < 64; i++)
		assert_int_equal(secret_view(b)[i], 'b');
	secret_free(b);
	secret_free(c);
	secret_pool_free(p);
}

static void
test_full_pool_says_so_and_works_again(void **state)
{
	struct secret_pool *p = NULL;
	struct secret *a = NULL, *b = NULL;
	(void)state;
	assert_int_equal(secret_pool_new(512, &p), AV_OK);
	assert_int_equal(secret_new(p, 400, &a), AV_OK);
	assert_int_equal(secret_new(p, 400, &b), AV_ELIMIT);
	secret_free(a);
	assert_int_equal(secret_new(p, 400, &b), AV_OK);
	secret_free(b);
	secret_pool_free(p);
}

static void
test_comparing_looks_at_length_and_bytes(void **state)
{
	struct secret_pool *p = NULL;
	struct secret *a = NULL, *b = NULL, *c = NULL;
	(void)state;
	assert_int_equal(secret_pool_new(1024, &p), AV_OK);
	assert_int_equal(secret_copy(p, "one", 3, &a), AV_OK);
	assert_int_equal(secret_copy(p, "one", 3, &b), AV_OK);
	assert_int_equal(secret_copy(p, "one!", 4, &c), AV_OK);
	assert_true(secret_eq(a, b));
	assert_false(secret_eq(a, c));
	secret_free(a);
	secret_free(b);
	secret_free(c);
	secret_pool_free(p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_i2_freed_secret_is_wiped),
	    cmocka_unit_test(test_secrets_do_not_overlap),
	    cmocka_unit_test(test_full_pool_says_so_and_works_again),
	    cmocka_unit_test(test_comparing_looks_at_length_and_bytes),
	};
	if (box_init() != AV_OK)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
