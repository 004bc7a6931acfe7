/* SPDX-License-Identifier: Apache-2.0 */
/* Limits: never passed, sliding, all or none, apart from each other. */
#include "house.h"

#include "keeper/counters.h"

#define MINUTE 60000

static enum av_err
take(struct house *h, const struct charge *c, size_t n, int64_t now, uint32_t *retry)
{
	uint32_t none = 0;
	return counters_charge(h->k.vault->store, c, n, now, retry != NULL ? retry : &none, &h->fault);
}

static int
open_with_vault(void **state)
{
	if (house_open(state) != 0)
		return -1;
	return house_op(*state, "init", "{}", "") == AV_OK ? 0 : -1;
}

static void
test_limit_is_never_passed_and_slides(void **state)
{
	struct house *h = *state;
	struct charge c = { STR_LIT("rate_limit"), STR_LIT("k"), 1, 3, 60 };
	int64_t now = 100 * MINUTE;
	uint32_t retry = 0;
	for (int i = 0; i < 3; i++)
		assert_int_equal(take(h, &c, 1, now + i * 10000, NULL), AV_OK);
	assert_int_equal(take(h, &c, 1, now + 30000, &retry), AV_ERATE);
	/* The first leaves a minute after its step of a second. */
	assert_int_equal(retry, 31);
	assert_int_equal(take(h, &c, 1, now + 60999, NULL), AV_ERATE);
	assert_int_equal(take(h, &c, 1, now + 61000, NULL), AV_OK);
	assert_int_equal(take(h, &c, 1, now + 61001, NULL), AV_ERATE);
}

static void
test_denied_call_takes_nothing_of_any_charge(void **state)
{
	struct house *h = *state;
	struct charge c[2] = { { STR_LIT("a"), STR_LIT("k"), 1, 100, 60 },
		{ STR_LIT("b"), STR_LIT("k"), 1, 0, 60 } };
	uint64_t n = 9;
	assert_int_equal(take(h, c, 2, MINUTE, NULL), AV_ERATE);
	assert_int_equal(counters_get(h->k.vault->store, &c[0], MINUTE, &n), AV_OK);
	assert_int_equal(n, 0);
}

static void
test_counters_do_not_share(void **state)
{
	struct house *h = *state;
	struct charge a = { STR_LIT("p"), STR_LIT("1:x"), 1, 1, 60 };
	struct charge b = { STR_LIT("p"), STR_LIT("1:y"), 1, 1, 60 };
	struct charge c = { STR_LIT("p1"), STR_LIT(":x"), 1, 1, 60 };
	struct charge d = { STR_LIT("p"), STR_LIT("1:x"), 1, 1, 3600 };
	assert_int_equal(take(h, &a, 1, MINUTE, NULL), AV_OK);
	assert_int_equal(take(h, &b, 1, MINUTE, NULL), AV_OK);
	assert_int_equal(take(h, &c, 1, MINUTE, NULL), AV_OK);
	assert_int_equal(take(h, &d, 1, MINUTE, NULL), AV_OK);
	assert_int_equal(take(h, &a, 1, MINUTE, NULL), AV_ERATE);
}

static void
test_amounts_add_up_without_overflow(void **state)
{
	struct house *h = *state;
	struct charge c = { STR_LIT("budget"), STR_LIT("k"), 60, 100, 60 };
	assert_int_equal(take(h, &c, 1, MINUTE, NULL), AV_OK);
	assert_int_equal(take(h, &c, 1, MINUTE, NULL), AV_ERATE);
	c.n = 40;
	assert_int_equal(take(h, &c, 1, MINUTE, NULL), AV_OK);
	c.n = UINT64_MAX;
	assert_int_equal(take(h, &c, 1, MINUTE, NULL), AV_EINVAL);
	c.n = 1;
	c.window_s = 0;
	assert_int_equal(take(h, &c, 1, MINUTE, NULL), AV_EINVAL);
}

static void
test_charges_of_one_call_on_one_counter_add_up(void **state)
{
	struct house *h = *state;
	struct charge c = { STR_LIT("p"), STR_LIT("k"), 1, 1, 60 };
	struct charge both[] = { c, c };
	assert_int_equal(take(h, both, 2, MINUTE, NULL), AV_ERATE);
	assert_int_equal(take(h, both, 1, MINUTE, NULL), AV_OK);
}

static void
test_clock_that_goes_back_forgets_nothing_and_locks_nobody_out(void **state)
{
	struct house *h = *state;
	struct charge c = { STR_LIT("p"), STR_LIT("k"), 1, 2, 60 };
	int64_t then = 1000000 * (int64_t)MINUTE, now = 1000 * (int64_t)MINUTE;
	uint32_t retry = 0;
	assert_int_equal(take(h, &c, 1, then, NULL), AV_OK);
	assert_int_equal(take(h, &c, 1, now, NULL), AV_OK);
	assert_int_equal(take(h, &c, 1, now, &retry), AV_ERATE);
	assert_in_range(retry, 1, 61);
	assert_int_equal(take(h, &c, 1, now + (int64_t)retry * 1000, NULL), AV_OK);
}

static void
test_old_steps_are_cleared_away(void **state)
{
	struct house *h = *state;
	struct charge c = { STR_LIT("p"), STR_LIT("k"), 1, 1000, 60 };
	for (int i = 0; i < 200; i++)
		assert_int_equal(take(h, &c, 1, (int64_t)i * 1000 + MINUTE, NULL), AV_OK);
	assert_true(house_count(h, "SELECT COUNT(*) FROM counters") <= 62);
}

int
main(void)
{
#define COUNTER_TEST(t) cmocka_unit_test_setup_teardown(t, open_with_vault, house_close)
	const struct CMUnitTest tests[] = {
		COUNTER_TEST(test_limit_is_never_passed_and_slides),
		COUNTER_TEST(test_denied_call_takes_nothing_of_any_charge),
		COUNTER_TEST(test_counters_do_not_share),
		COUNTER_TEST(test_amounts_add_up_without_overflow),
		COUNTER_TEST(test_charges_of_one_call_on_one_counter_add_up),
		COUNTER_TEST(test_clock_that_goes_back_forgets_nothing_and_locks_nobody_out),
		COUNTER_TEST(test_old_steps_are_cleared_away),
	};
	if (box_init() != AV_OK)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
