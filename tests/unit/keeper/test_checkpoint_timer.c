/* SPDX-License-Identifier: Apache-2.0 */
/* A checkpoint a minute while rows come, none while nothing happens. */
#include "house.h"

#include "audit/checkpoint.h"
#include "keeper/checkpoint_timer.h"

#include <sys/stat.h>

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

static void
assert_logged(struct house *h, unsigned checkpoints, unsigned lines)
{
	char text[64];
	assert_int_equal(house_op(h, "audit.verify", "{}", ""), AV_OK);
	assert_non_null(strstr(h->json, "\"ok\":true"));
	snprintf(text, sizeof(text), "\"checkpoints\":%u,", checkpoints);
	assert_non_null(strstr(h->json, text));
	snprintf(text, sizeof(text), "\"checkpointsLogged\":%u,", lines);
	assert_non_null(strstr(h->json, text));
}

static void
test_lines_that_could_not_be_written_come_with_the_next_one(void **state)
{
	struct house *h = *state;
	char path[160];
	struct stat st;
	house_store_key(h);
	snprintf(path, sizeof(path), "%s/checkpoints.log", h->dir);
	checkpoint_make(&h->k);
	assert_logged(h, 1, 1);
	/* A directory in its place: nobody can write that, root neither. */
	char aside[176];
	snprintf(aside, sizeof(aside), "%s.aside", path);
	assert_int_equal(rename(path, aside), 0);
	assert_int_equal(mkdir(path, 0700), 0);
	checkpoint_make(&h->k);
	checkpoint_make(&h->k);
	assert_int_equal(rmdir(path), 0);
	assert_int_equal(rename(aside, path), 0);
	assert_logged(h, 3, 1);
	checkpoint_make(&h->k);
	assert_logged(h, 4, 4);
	checkpoint_make(&h->k);
	assert_logged(h, 5, 5);
	/* Lines that were lost before the start too: here the last one and a half. */
	assert_int_equal(stat(path, &st), 0);
	house_stop(h);
	assert_int_equal(truncate(path, st.st_size * 7 / 10), 0);
	house_start(h);
	checkpoint_make(&h->k);
	assert_logged(h, 6, 6);
}

static void
test_many_missing_lines_come_in_parts(void **state)
{
	struct house *h = *state;
	char path[160];
	house_store_key(h);
	snprintf(path, sizeof(path), "%s/checkpoints.log", h->dir);
	assert_int_equal(mkdir(path, 0700), 0);
	for (int i = 0; i < 99; i++)
		checkpoint_make(&h->k);
	assert_int_equal(rmdir(path), 0);
	checkpoint_make(&h->k);
	assert_logged(h, 100, 64);
	checkpoint_make(&h->k);
	assert_logged(h, 101, 101);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(
	        test_row_is_signed_within_a_minute_and_idle_time_is_not, house_open, house_close),
	    cmocka_unit_test_setup_teardown(
	        test_checkpoint_that_does_not_commit_is_not_logged, house_open, house_close),
	    cmocka_unit_test_setup_teardown(
	        test_lines_that_could_not_be_written_come_with_the_next_one, house_open,
	        house_close),
	    cmocka_unit_test_setup_teardown(
	        test_many_missing_lines_come_in_parts, house_open, house_close),
	};
	if (box_init() != AV_OK)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
