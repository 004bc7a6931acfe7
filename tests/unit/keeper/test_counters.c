/* SPDX-License-Identifier: Apache-2.0 */
/* Limits: never passed, sliding, all or none, apart from each other. */
#include "house.h"

#include "keeper/counters.h"

#define MINUTE 60000

static enum av_err
take(struct house *h, const struct charge *c, size_t n, int64_t now, uint32_t *retry)
{
	uint32_t none = 0;
	return counters_charge(
	    h->k.vault->store, c, n, now, retry != NULL ? retry : &none, &h->fault);
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
	struct charge c = {STR_LIT("rate_limit"), STR_LIT("k"), 1, 3, 60};
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
	struct charge c[2] = {
	    {STR_LIT("a"), STR_LIT("k"), 1, 100, 60}, {STR_LIT("b"), STR_LIT("k"), 1, 0, 60}};
	uint64_t n = 9;
	assert_int_equal(take(h, c, 2, MINUTE, NULL), AV_ERATE);
	assert_int_equal(counters_get(h->k.vault->store, &c[0], MINUTE, &n), AV_OK);
	assert_int_equal(n, 0);
}

static void
test_counters_do_not_share(void **state)
{
	struct house *h = *state;
	struct charge a = {STR_LIT("p"), STR_LIT("1:x"), 1, 1, 60};
	struct charge b = {STR_LIT("p"), STR_LIT("1:y"), 1, 1, 60};
	struct charge c = {STR_LIT("p1"), STR_LIT(":x"), 1, 1, 60};
	struct charge d = {STR_LIT("p"), STR_LIT("1:x"), 1, 1, 3600};
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
	struct charge c = {STR_LIT("budget"), STR_LIT("k"), 60, 100, 60};
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
	struct charge c = {STR_LIT("p"), STR_LIT("k"), 1, 1, 60};
	struct charge both[] = {c, c};
	assert_int_equal(take(h, both, 2, MINUTE, NULL), AV_ERATE);
	assert_int_equal(take(h, both, 1, MINUTE, NULL), AV_OK);
}

static void
test_clock_that_goes_back_forgets_nothing_and_locks_nobody_out(void **state)
{
	struct house *h = *state;
	struct charge c = {STR_LIT("p"), STR_LIT("k"), 1, 2, 60};
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
	struct charge c = {STR_LIT("p"), STR_LIT("k"), 1, 1000, 60};
	for (int i = 0; i < 200; i++)
		assert_int_equal(take(h, &c, 1, (int64_t)i * 1000 + MINUTE, NULL), AV_OK);
	assert_true(house_count(h, "SELECT COUNT(*) FROM counters") <= 62);
}

struct heard {
	size_t counters;
	uint64_t sum; /* of the counter that is looked for */
	size_t steps;
	const char *key;
	uint32_t window_s;
};

static enum av_err
hear(void *ctx, const struct counts_fill *m)
{
	struct heard *h = ctx;
	h->counters++;
	if (!str_eq_cstr(m->key, h->key) || m->window_s != h->window_s)
		return AV_OK;
	h->steps = m->step_count;
	for (size_t i = 0; i < m->step_count; i++)
		h->sum += m->steps[i].n;
	return AV_OK;
}

static void
test_every_counter_is_told_with_what_it_holds_now(void **state)
{
	struct house *h = *state;
	int64_t now = 100 * (int64_t)MINUTE;
	struct charge a = {STR_LIT("rate_limit"), STR_LIT("c|rate_limit|set|1:x"), 1, 100, 60};
	struct charge b = {STR_LIT("rate_limit"), STR_LIT("c|rate_limit|set|1:x"), 5, 100, 3600};
	struct charge gone = {STR_LIT("p"), STR_LIT("gone"), 1, 100, 60};
	struct heard minute = {.key = "c|rate_limit|set|1:x", .window_s = 60};
	struct heard hour = {.key = "c|rate_limit|set|1:x", .window_s = 3600};
	assert_int_equal(take(h, &gone, 1, now - 62000, NULL), AV_OK);
	assert_int_equal(take(h, &a, 1, now - 59000, NULL), AV_OK);
	assert_int_equal(take(h, &a, 1, now, NULL), AV_OK);
	assert_int_equal(take(h, &b, 1, now, NULL), AV_OK);
	assert_int_equal(counters_each(h->k.vault->store, now, hear, &minute), AV_OK);
	assert_int_equal(minute.counters, 2);
	assert_int_equal(minute.sum, 2);
	assert_int_equal(minute.steps, 2);
	assert_int_equal(counters_each(h->k.vault->store, now, hear, &hour), AV_OK);
	assert_int_equal(hour.sum, 5);
	/* Its first step has left the minute. */
	minute.sum = 0;
	assert_int_equal(counters_each(h->k.vault->store, now + 2000, hear, &minute), AV_OK);
	assert_int_equal(minute.sum, 1);
}

static void
test_row_that_names_no_counter_is_passed_over(void **state)
{
	struct house *h = *state;
	struct charge c = {STR_LIT("p"), STR_LIT("k"), 2, 100, 60};
	struct heard heard = {.key = "k", .window_s = 60};
	house_tamper(h,
	    "INSERT INTO counters VALUES('9:p:1:k:60', 60000, 1), ('', 60000, 1), "
	    "('1:p:1:k:x', 60000, 1), ('1:p:99999:k:60', 60000, 1)");
	assert_int_equal(take(h, &c, 1, MINUTE, NULL), AV_OK);
	assert_int_equal(counters_each(h->k.vault->store, MINUTE, hear, &heard), AV_OK);
	assert_int_equal(heard.counters, 1);
	assert_int_equal(heard.sum, 2);
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
	    COUNTER_TEST(test_every_counter_is_told_with_what_it_holds_now),
	    COUNTER_TEST(test_row_that_names_no_counter_is_passed_over),
	};
	if (box_init() != AV_OK)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
