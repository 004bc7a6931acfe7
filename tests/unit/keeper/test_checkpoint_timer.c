/* SPDX-License-Identifier: Apache-2.0 */
/* A checkpoint a minute while rows come, none while nothing happens. */
#include "house.h"

#include "audit/checkpoint.h"
#include "keeper/checkpoint_timer.h"

static void
test_row_is_signed_within_a_minute_and_idle_time_is_not(void **state)
{
	struct house *h = *state;
	uint64_t now = clock_mono_ms();
	assert_int_equal(checkpoint_due_ms(&h->k, now), -1);
	house_store_key(h);
	now = clock_mono_ms();
	int due = checkpoint_due_ms(&h->k, now);
	assert_true(due > 0 && due <= (int)CHECKPOINT_WAIT_MS);
	assert_int_equal(checkpoint_due_ms(&h->k, now + CHECKPOINT_WAIT_MS), 0);
	checkpoint_make(&h->k);
	assert_int_equal(h->k.log.signed_id, h->k.log.kept_id);
	assert_int_equal(checkpoint_due_ms(&h->k, now + 10 * CHECKPOINT_WAIT_MS), -1);
	assert_int_equal(house_op(h, "audit.verify", "{}", ""), AV_OK);
	assert_non_null(strstr(h->json, "\"ok\":true"));
	assert_non_null(strstr(h->json, "\"checkpointsLogged\":1,"));
}

static void
test_checkpoint_that_does_not_commit_is_not_logged(void **state)
{
	struct house *h = *state;
	char path[160];
	house_store_key(h);
	assert_int_equal(store_begin(h->k.vault->store), AV_OK);
	assert_int_equal(checkpoint_add(h->k.vault, &h->k.log), AV_OK);
	store_rollback(h->k.vault->store);
	audit_log_settle(&h->k.log, false);
	snprintf(path, sizeof(path), "%s/checkpoints.log", h->dir);
	assert_int_equal(access(path, F_OK), -1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_row_is_signed_within_a_minute_and_idle_time_is_not,
		    house_open, house_close),
		cmocka_unit_test_setup_teardown(test_checkpoint_that_does_not_commit_is_not_logged,
		    house_open, house_close),
	};
	if (box_init() != AV_OK)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
