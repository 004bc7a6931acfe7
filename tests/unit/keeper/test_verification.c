/* SPDX-License-Identifier: Apache-2.0 */
/* A log is verified in slices: what is written in between raises no alarm, what is taken away does. */
#include "house.h"

#include "audit/checkpoint.h"
#include "keeper/verification.h"

#define ROWS 1500 /* three slices */

static void
fill(struct house *h)
{
	struct audit_event e;
	house_store_key(h);
	audit_event_init(&e, "invoke.deny", "agent");
	assert_int_equal(store_begin(h->k.vault->store), AV_OK);
	for (int i = 0; i < ROWS; i++)
		assert_int_equal(audit_append(&h->k.log, &e), AV_OK);
	assert_int_equal(store_commit(h->k.vault->store), AV_OK);
	audit_log_settle(&h->k.log, true);
}

static struct verification *
begin(struct house *h)
{
	uint8_t pk[VAULT_PUBLIC_KEY_LEN];
	struct verification *v = NULL;
	assert_int_equal(vault_public_key(h->k.vault, pk), AV_OK);
	assert_int_equal(verification_new(&h->k, pk, &v), AV_OK);
	return v;
}

static void
finish(struct verification *v, struct chain_report *chain, struct checkpoint_report *points)
{
	while (!verification_is_over(v))
		verification_go_on(v);
	assert_int_equal(verification_result(v, chain, points), AV_OK);
	verification_free(v);
}

static void
sql(struct house *h, const char *text)
{
	sqlite3_stmt *st = NULL;
	assert_int_equal(store_stmt(h->k.vault->store, text, &st), AV_OK);
	assert_int_equal(store_run(st), AV_OK);
}

static void
test_what_is_written_meanwhile_is_the_next_ones(void **state)
{
	struct house *h = *state;
	struct audit_event e;
	struct chain_report chain;
	struct checkpoint_report points;
	unsigned slices = 0;
	fill(h);
	audit_event_init(&e, "vault.lock", "operator");
	assert_int_equal(keeper_note_signed(&h->k, &e), AV_OK);
	int64_t last = h->k.log.kept_id;
	struct verification *v = begin(h);
	while (!verification_is_over(v)) {
		verification_go_on(v);
		/* A row, a checkpoint on it, and its line in checkpoints.log. */
		assert_int_equal(keeper_note_signed(&h->k, &e), AV_OK);
		slices++;
	}
	assert_true(slices >= 4);
	finish(v, &chain, &points);
	assert_null(chain.problem);
	assert_int_equal(chain.rows, last);
	assert_null(points.problem);
	assert_int_equal(points.signed_id, last);
	assert_int_equal(points.count, points.logged);
	finish(begin(h), &chain, &points);
	assert_null(chain.problem);
	assert_null(points.problem);
	assert_int_equal(chain.rows, last + slices);
}

static void
test_row_that_is_not_committed_is_not_walked(void **state)
{
	struct house *h = *state;
	struct audit_event e;
	struct chain_report chain;
	struct checkpoint_report points;
	fill(h);
	struct verification *v = begin(h);
	uint64_t last = (uint64_t)h->k.log.kept_id;
	audit_event_init(&e, "invoke.deny", "agent");
	assert_int_equal(store_begin(h->k.vault->store), AV_OK);
	assert_int_equal(audit_append(&h->k.log, &e), AV_OK);
	finish(v, &chain, &points);
	store_rollback(h->k.vault->store);
	audit_log_settle(&h->k.log, false);
	assert_null(chain.problem);
	assert_int_equal(chain.rows, last);
}

static void
test_rows_taken_away_ahead_of_the_walk_are_missed(void **state)
{
	static const struct {
		const char *sql;
		int64_t bad;
	} cuts[] = {
	    {"DELETE FROM audit_events WHERE id = 1200", 1201},
	    {"DELETE FROM audit_events WHERE id > 1400", 0},
	};
	struct house *h = *state;
	struct chain_report chain;
	struct checkpoint_report points;
	fill(h);
	for (size_t i = 0; i < 2; i++) {
		struct verification *v = begin(h);
		int64_t after = h->k.log.kept_id + 1;
		verification_go_on(v);
		sql(h, "SAVEPOINT whole");
		sql(h, cuts[i].sql);
		finish(v, &chain, &points);
		sql(h, "ROLLBACK TO whole");
		sql(h, "RELEASE whole");
		assert_string_equal(chain.problem, "gap");
		assert_int_equal(chain.first_bad_id, cuts[i].bad != 0 ? cuts[i].bad : after);
	}
}

static void
test_line_taken_away_ahead_of_the_walk_is_missed(void **state)
{
	struct house *h = *state;
	struct audit_event e;
	struct chain_report chain;
	struct checkpoint_report points;
	fill(h);
	audit_event_init(&e, "vault.lock", "operator");
	for (int i = 0; i < 3; i++)
		assert_int_equal(keeper_note_signed(&h->k, &e), AV_OK);
	assert_int_equal(truncate(h->k.log.checkpoints_path, 0), 0);
	finish(begin(h), &chain, &points);
	assert_null(chain.problem);
	assert_string_equal(points.problem, "checkpoints_log_missing");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(
	        test_what_is_written_meanwhile_is_the_next_ones, house_open, house_close),
	    cmocka_unit_test_setup_teardown(
	        test_row_that_is_not_committed_is_not_walked, house_open, house_close),
	    cmocka_unit_test_setup_teardown(
	        test_rows_taken_away_ahead_of_the_walk_are_missed, house_open, house_close),
	    cmocka_unit_test_setup_teardown(
	        test_line_taken_away_ahead_of_the_walk_is_missed, house_open, house_close),
	};
	if (box_init() != AV_OK)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
