/* SPDX-License-Identifier: Apache-2.0 */
/* What envelopes may take of memory: a share a user, a limit for all. */
#include "broker/held.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define MIB (1024u * 1024u)

static void
assert_refused(struct held *h, const struct held *first, size_t bytes, const char *reason)
{
	struct fault f = {0};
	size_t before = h->bytes;

	assert_int_equal(held_set(h, first, bytes, &f), AV_ERATE);
	assert_string_equal(f.reason, reason);
	assert_true(f.remedy[0] != '\0');
	assert_int_equal(h->bytes, before);
}

static void
test_a_user_has_a_share_and_gets_it_back(void **state)
{
	struct held *first = NULL;
	struct held a = {0}, b = {0}, other = {0};
	struct fault f = {0};

	(void)state;
	held_begin(&a, &first, 1000);
	held_begin(&b, &first, 1000);
	held_begin(&other, &first, 1001);
	assert_int_equal(held_set(&a, first, 40u * MIB, &f), AV_OK);
	assert_refused(&b, first, 24u * MIB + 1, "caller_memory_limit");
	assert_int_equal(held_set(&b, first, 24u * MIB, &f), AV_OK);
	assert_int_equal(held_set(&other, first, HELD_MAX_CALLER, &f), AV_OK);
	/* It may change what it has itself. */
	assert_int_equal(held_set(&b, first, 1, &f), AV_OK);
	assert_refused(&b, first, SIZE_MAX, "caller_memory_limit");
	held_end(&a);
	assert_int_equal(held_set(&b, first, HELD_MAX_CALLER, &f), AV_OK);
	held_end(&other);
	held_end(&b);
	assert_null(first);
	held_end(&b); /* again is fine */
}

static void
test_all_users_together_have_a_limit(void **state)
{
	static struct held many[HELD_MAX_ALL / HELD_MAX_CALLER + 1];
	struct held *first = NULL;
	struct fault f = {0};
	size_t last = sizeof(many) / sizeof(many[0]) - 1;

	(void)state;
	for (size_t i = 0; i <= last; i++)
		held_begin(&many[i], &first, (uint32_t)i);
	for (size_t i = 0; i < last; i++)
		assert_int_equal(held_set(&many[i], first, HELD_MAX_CALLER, &f), AV_OK);
	assert_refused(&many[last], first, 1, "memory_limit");
	/* From the middle of the list. */
	held_end(&many[3]);
	assert_int_equal(held_set(&many[last], first, HELD_MAX_CALLER, &f), AV_OK);
	for (size_t i = 0; i <= last; i++)
		held_end(&many[i]);
	assert_null(first);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_a_user_has_a_share_and_gets_it_back),
	    cmocka_unit_test(test_all_users_together_have_a_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
