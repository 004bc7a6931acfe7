/* SPDX-License-Identifier: Apache-2.0 */
/* Denials: few rows, every one counted, the chain whole. */
#include "house.h"

#include "keeper/denials.h"

#define NOW 1000000u

static int
open_with_vault(void **state)
{
	if (house_open(state) != 0)
		return -1;
	return house_op(*state, "init", "{}", "") == AV_OK ? 0 : -1;
}

static void
begin(struct house *h)
{
	assert_int_equal(store_begin(h->k.vault->store), AV_OK);
}

static void
end(struct house *h, bool keep)
{
	if (keep)
		assert_int_equal(store_commit(h->k.vault->store), AV_OK);
	store_rollback(h->k.vault->store);
	audit_log_settle(&h->k.log, keep);
	denials_settle(h->k.denials, keep);
}

static void
deny(struct house *h, const char *user, const char *capability, const char *path, uint64_t now)
{
	struct audit_event e;
	audit_event_init(&e, "invoke.deny", "agent");
	e.caller_uid = 1000;
	e.caller_user = str_of(user);
	e.capability = str_of(capability);
	e.method = STR_LIT("GET");
	e.path = str_of(path);
	e.reason = STR_LIT("path_not_allowed");
	e.decision = "deny";
	assert_int_equal(denials_append(h->k.denials, &h->k.log, &e, now), AV_OK);
}

static void
flush_all(struct house *h, uint64_t now)
{
	begin(h);
	assert_int_equal(denials_flush(h->k.denials, &h->k.log, now, true), AV_OK);
	end(h, true);
}

static int64_t
rows(struct house *h)
{
	return house_count(h, "SELECT COUNT(*) FROM audit_events WHERE kind = 'invoke.deny'");
}

static int64_t
counted(struct house *h)
{
	return house_count(h, "SELECT SUM(repeats) FROM audit_events WHERE kind = 'invoke.deny'");
}

static void
assert_chain(struct house *h)
{
	assert_int_equal(house_op(h, "audit.verify", "{}", ""), AV_OK);
	assert_non_null(strstr(h->json, "\"ok\":true"));
}

static void
test_equal_denials_become_one_counted_row(void **state)
{
	struct house *h = *state;
	begin(h);
	for (int i = 0; i < 1000; i++)
		deny(h, "user:a", "acme/chat", "/x", NOW);
	end(h, true);
	assert_int_equal(rows(h), DENIALS_EACH);
	flush_all(h, NOW);
	assert_int_equal(rows(h), DENIALS_EACH + 1);
	assert_int_equal(counted(h), 1000);
	flush_all(h, NOW);
	assert_int_equal(counted(h), 1000);
	assert_chain(h);
	assert_int_equal(
	    house_op(h, "audit", "{\"event\":\"invoke.deny\",\"limit\":1}", ""), AV_OK);
	assert_non_null(strstr(h->json, "\"count\":992"));
}

static void
test_held_ones_are_written_after_a_bounded_time(void **state)
{
	struct house *h = *state;
	begin(h);
	assert_int_equal(denials_due_ms(h->k.denials, NOW), -1);
	for (unsigned i = 0; i < DENIALS_EACH + 2; i++)
		deny(h, "user:a", "acme/chat", i % 2 == 0 ? "/x" : "/y", NOW + i);
	assert_int_equal(denials_due_ms(h->k.denials, NOW + DENIALS_EACH), DENIALS_HOLD_MS);
	assert_int_equal(denials_flush(h->k.denials, &h->k.log, NOW + 100, false), AV_OK);
	assert_int_equal(rows(h), DENIALS_EACH);
	uint64_t later = NOW + DENIALS_EACH + DENIALS_HOLD_MS;
	assert_int_equal(denials_due_ms(h->k.denials, later), 0);
	assert_int_equal(denials_flush(h->k.denials, &h->k.log, later, false), AV_OK);
	end(h, true);
	assert_int_equal(counted(h), DENIALS_EACH + 2);
	assert_int_equal(house_count(h,
	                     "SELECT COUNT(*) FROM audit_events WHERE repeats = 2 "
	                     "AND path = '' AND note LIKE '%different paths'"),
	    1);
	assert_chain(h);
}

static void
test_different_callers_do_not_share_a_row(void **state)
{
	struct house *h = *state;
	begin(h);
	for (unsigned i = 0; i < 20; i++) {
		deny(h, "user:a", "acme/chat", "/x", NOW);
		deny(h, "user:b", "acme/chat", "/x", NOW);
	}
	end(h, true);
	flush_all(h, NOW);
	assert_int_equal(rows(h), 2 * (DENIALS_EACH + 1));
	assert_int_equal(house_count(h,
	                     "SELECT SUM(repeats) FROM audit_events WHERE caller_user = "
	                     "'user:b'"),
	    20);
}

static void
test_one_caller_cannot_fill_the_log_by_changing_names(void **state)
{
	struct house *h = *state;
	char name[32];
	begin(h);
	for (unsigned i = 0; i < 5000; i++) {
		snprintf(name, sizeof(name), "acme/n%u", i);
		deny(h, "user:a", name, "/x", NOW + i);
	}
	end(h, true);
	flush_all(h, NOW + 5000);
	assert_int_equal(counted(h), 5000);
	assert_true(rows(h) <= (int64_t)(2 * DENIALS_RUNS_EACH * DENIALS_EACH));
	assert_chain(h);
}

static void
test_what_was_not_committed_is_not_counted(void **state)
{
	struct house *h = *state;
	begin(h);
	for (int i = 0; i < 20; i++)
		deny(h, "user:a", "acme/chat", "/x", NOW);
	end(h, false);
	begin(h);
	for (int i = 0; i < 20; i++)
		deny(h, "user:a", "acme/chat", "/x", NOW);
	end(h, true);
	flush_all(h, NOW);
	assert_int_equal(counted(h), 20);
	assert_int_equal(rows(h), DENIALS_EACH + 1);
	assert_chain(h);
}

static void
test_a_run_starts_anew_after_its_time(void **state)
{
	struct house *h = *state;
	begin(h);
	for (unsigned i = 0; i < DENIALS_EACH + 1; i++)
		deny(h, "user:a", "acme/chat", "/x", NOW);
	deny(h, "user:a", "acme/chat", "/x", NOW + DENIALS_RUN_MS);
	end(h, true);
	/* The eight, the one that was held, and the first of the next run. */
	assert_int_equal(rows(h), DENIALS_EACH + 2);
	assert_int_equal(denials_due_ms(h->k.denials, NOW + DENIALS_RUN_MS), -1);
}

int
main(void)
{
#define DENIAL_TEST(t) cmocka_unit_test_setup_teardown(t, open_with_vault, house_close)
	const struct CMUnitTest tests[] = {
	    DENIAL_TEST(test_equal_denials_become_one_counted_row),
	    DENIAL_TEST(test_held_ones_are_written_after_a_bounded_time),
	    DENIAL_TEST(test_different_callers_do_not_share_a_row),
	    DENIAL_TEST(test_one_caller_cannot_fill_the_log_by_changing_names),
	    DENIAL_TEST(test_what_was_not_committed_is_not_counted),
	    DENIAL_TEST(test_a_run_starts_anew_after_its_time),
	};
	if (box_init() != AV_OK)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
