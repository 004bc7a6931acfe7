/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/counter_table.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
/* cmocka wants the four above first */
#include <cmocka.h>

#define T0 1700000000000

static void
charge(struct counter_table *t, const char *key, uint64_t n, uint32_t window_s, int64_t now)
{
	struct charge c = {.key = str_of(key), .n = n, .window_s = window_s};
	counter_table_charge(t, &c, 1, now);
}

static void
test_window_slides(void **state)
{
	(void)state;
	struct counter_table *t = counter_table_new();
	struct str k = STR_LIT("k");
	assert_int_equal(counter_table_sum(t, k, 60, T0), 0);
	charge(t, "k", 3, 60, T0);
	charge(t, "k", 2, 60, T0 + 30000);
	assert_int_equal(counter_table_sum(t, k, 60, T0 + 30000), 5);
	assert_int_equal(counter_table_sum(t, k, 60, T0 + 59000), 5);
	assert_int_equal(counter_table_sum(t, k, 60, T0 + 61000), 2);
	assert_int_equal(counter_table_sum(t, k, 60, T0 + 91000), 0);
	charge(t, "k", 1, 60, T0 + 1000000);
	assert_int_equal(counter_table_sum(t, k, 60, T0 + 1000000), 1);
	counter_table_free(t);
}

static void
test_never_more_than_the_limit_in_any_window(void **state)
{
	(void)state;
	struct counter_table *t = counter_table_new();
	static int64_t taken[100000];
	size_t n = 0, first = 0;
	srand(7);
	int64_t now = T0 + 123;
	for (int i = 0; i < 20000; i++) {
		now += rand() % 900;
		if (counter_table_sum(t, STR_LIT("k"), 10, now) >= 7) {
			continue;
		}
		charge(t, "k", 1, 10, now);
		taken[n++] = now;
		while (taken[first] <= now - 10000) {
			first++;
		}
		assert_true(n - first <= 7);
	}
	assert_true(n > 1000);
	counter_table_free(t);
}

static void
test_wait_is_long_enough_and_not_for_ever(void **state)
{
	(void)state;
	struct counter_table *t = counter_table_new();
	struct str k = STR_LIT("k");
	charge(t, "k", 1, 60, T0 + 500);
	charge(t, "k", 1, 60, T0 + 20500);
	uint32_t wait = counter_table_wait(t, k, 60, 1, T0 + 30000);
	assert_in_range(wait, 30, 32);
	assert_int_equal(counter_table_sum(t, k, 60, T0 + 30000 + (int64_t)wait * 1000), 1);
	wait = counter_table_wait(t, k, 60, 2, T0 + 30000);
	assert_in_range(wait, 50, 52);
	assert_int_equal(counter_table_sum(t, k, 60, T0 + 30000 + (int64_t)wait * 1000), 0);
	counter_table_free(t);
}

static void
test_clock_that_goes_back_forgets_nothing(void **state)
{
	(void)state;
	struct counter_table *t = counter_table_new();
	charge(t, "k", 4, 60, T0);
	assert_int_equal(counter_table_sum(t, STR_LIT("k"), 60, T0 - 30000), 4);
	charge(t, "k", 1, 60, T0 - 30000);
	assert_int_equal(counter_table_sum(t, STR_LIT("k"), 60, T0), 5);
	assert_int_equal(counter_table_sum(t, STR_LIT("k"), 60, -5), 5);
	counter_table_free(t);
}

static void
test_clock_put_back_far_keeps_nothing_longer_than_its_window(void **state)
{
	(void)state;
	struct counter_table *t = counter_table_new();
	struct str k = STR_LIT("k");
	int64_t now = T0 - 400 * 86400000LL;
	charge(t, "k", 3, 60, T0 - 20000);
	charge(t, "k", 4, 60, T0);
	assert_int_equal(counter_table_sum(t, k, 60, now), 7);
	assert_in_range(counter_table_wait(t, k, 60, 1, now), 60, 62);
	charge(t, "k", 1, 60, now + 30000);
	assert_int_equal(counter_table_sum(t, k, 60, now + 59000), 8);
	assert_int_equal(counter_table_sum(t, k, 60, now + 61000), 1);
	charge(t, "far", UINT32_MAX, 60, T0 - 1000);
	charge(t, "far", 2, 60, T0);
	charge(t, "far", 2, 60, now);
	assert_int_equal(counter_table_sum(t, STR_LIT("far"), 60, now), UINT32_MAX);
	counter_table_free(t);
}

/* An old step of the keeper's is no clock that was put back. */
static void
test_fill_after_a_charge_takes_nothing_out_of_the_window(void **state)
{
	(void)state;
	static const struct counts_fill m = {
	    .key = STR_LIT("k"), .window_s = 60, .steps = {{T0 - 120000, 2}}, .step_count = 1};
	struct counter_table *t = counter_table_new();
	charge(t, "k", 1, 60, T0);
	counter_table_fill(t, &m);
	assert_int_equal(counter_table_sum(t, STR_LIT("k"), 60, T0 + 59000), 3);
	counter_table_free(t);
}

static void
test_same_key_with_another_window_is_another_counter(void **state)
{
	(void)state;
	struct counter_table *t = counter_table_new();
	charge(t, "k", 4, 60, T0);
	charge(t, "k", 9, 3600, T0);
	assert_int_equal(counter_table_sum(t, STR_LIT("k"), 60, T0), 4);
	assert_int_equal(counter_table_sum(t, STR_LIT("k"), 3600, T0), 9);
	assert_int_equal(counter_table_sum(t, STR_LIT("j"), 60, T0), 0);
	counter_table_free(t);
}

static void
test_number_of_counters_is_limited_and_the_oldest_go(void **state)
{
	(void)state;
	struct counter_table *t = counter_table_new();
	char key[32];
	for (unsigned i = 0; i < COUNTER_MAX + 10; i++) {
		snprintf(key, sizeof(key), "k%u", i);
		charge(t, key, 1, 60, T0);
	}
	assert_int_equal(counter_table_sum(t, STR_LIT("k0"), 60, T0), 0);
	assert_int_equal(counter_table_sum(t, str_of(key), 60, T0), 1);
	counter_table_free(t);
}

static void
test_huge_counts_saturate(void **state)
{
	(void)state;
	struct counter_table *t = counter_table_new();
	charge(t, "k", UINT32_MAX, 60, T0);
	charge(t, "k", UINT64_MAX, 60, T0);
	assert_int_equal(counter_table_sum(t, STR_LIT("k"), 60, T0), UINT32_MAX);
	counter_table_free(t);
}

static void
test_refund_gives_back_what_was_charged_and_no_more(void **state)
{
	(void)state;
	struct counter_table *t = counter_table_new();
	struct str k = STR_LIT("k");
	struct charge back[] = {{.key = k, .n = 3, .window_s = 60},
	    {.key = STR_LIT("other"), .n = 1, .window_s = 60}, {.key = k, .n = 1, .window_s = 0}};
	charge(t, "k", 2, 60, T0);
	charge(t, "k", 2, 60, T0 + 5000);
	charge(t, "k", 4, 3600, T0);
	counter_table_refund(t, back, 3);
	assert_int_equal(counter_table_sum(t, k, 60, T0 + 5000), 1);
	assert_int_equal(counter_table_sum(t, k, 3600, T0), 4);
	/* The newest went first: what is left is of T0, and leaves with it. */
	assert_int_equal(counter_table_sum(t, k, 60, T0 + 61000), 0);
	counter_table_refund(t, back, 3);
	counter_table_refund(t, back, 3);
	assert_int_equal(counter_table_sum(t, k, 60, T0 + 5000), 0);
	counter_table_free(t);
}

static void
test_fill_counts_as_if_it_had_been_charged_then(void **state)
{
	(void)state;
	static struct counts_fill m = {.key = STR_LIT("k"),
	    .window_s = 60,
	    .steps = {{T0, 2}, {T0 + 30000, 1}},
	    .step_count = 2};
	struct counter_table *t = counter_table_new();
	struct str k = STR_LIT("k");
	counter_table_fill(t, &m);
	assert_int_equal(counter_table_sum(t, k, 60, T0 + 59000), 3);
	assert_int_equal(counter_table_sum(t, k, 60, T0 + 61000), 1);
	counter_table_clear(t);
	assert_int_equal(counter_table_sum(t, k, 60, T0 + 59000), 0);
	m.window_s = UINT32_MAX;
	counter_table_fill(t, &m);
	m.window_s = 0;
	counter_table_fill(t, &m);
	assert_int_equal(counter_table_sum(t, k, 0, T0), 0);
	charge(t, "k", 1, 60, T0);
	assert_int_equal(counter_table_sum(t, k, 60, T0), 1);
	counter_table_free(t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_window_slides),
	    cmocka_unit_test(test_refund_gives_back_what_was_charged_and_no_more),
	    cmocka_unit_test(test_fill_counts_as_if_it_had_been_charged_then),
	    cmocka_unit_test(test_never_more_than_the_limit_in_any_window),
	    cmocka_unit_test(test_wait_is_long_enough_and_not_for_ever),
	    cmocka_unit_test(test_clock_that_goes_back_forgets_nothing),
	    cmocka_unit_test(test_clock_put_back_far_keeps_nothing_longer_than_its_window),
	    cmocka_unit_test(test_fill_after_a_charge_takes_nothing_out_of_the_window),
	    cmocka_unit_test(test_same_key_with_another_window_is_another_counter),
	    cmocka_unit_test(test_number_of_counters_is_limited_and_the_oldest_go),
	    cmocka_unit_test(test_huge_counts_saturate),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
