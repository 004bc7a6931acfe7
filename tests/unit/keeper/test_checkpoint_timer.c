/* SPDX-License-Identifier: Apache-2.0 */
/* A checkpoint a minute while rows come, none while nothing happens. */
#include "house.h"

#include "audit/checkpoint.h"
#include "keeper/checkpoint_timer.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>

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
	struct stat st;
	house_store_key(h);
	assert_int_equal(store_begin(h->k.vault->store), AV_OK);
	assert_int_equal(checkpoint_add(h->k.vault, &h->k.log), AV_OK);
	store_rollback(h->k.vault->store);
	audit_log_settle(&h->k.log, false);
	snprintf(path, sizeof(path), "%s/checkpoints.log", h->dir);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_size, 0);
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

static void
assert_broken(struct house *h, const char *problem)
{
	char text[64];
	assert_int_equal(house_op(h, "audit.verify", "{}", ""), AV_OK);
	snprintf(text, sizeof(text), "\"problem\":\"%s\"", problem);
	assert_non_null(strstr(h->json, text));
}

static void
test_file_that_was_made_anew_is_missed(void **state)
{
	struct house *h = *state;
	char path[160];
	house_store_key(h);
	snprintf(path, sizeof(path), "%s/checkpoints.log", h->dir);
	checkpoint_make(&h->k);
	checkpoint_make(&h->k);
	assert_int_equal(unlink(path), 0);
	assert_broken(h, "checkpoints_log_missing");
	checkpoint_make(&h->k);
	assert_broken(h, "checkpoints_log_missing");
	house_stop(h);
	house_start(h);
	checkpoint_make(&h->k);
	assert_broken(h, "checkpoints_log_missing");
	/* A line that cannot be read stands for no file. */
	assert_int_equal(unlink(path), 0);
	int fd = open(path, O_WRONLY | O_CREAT, 0600);
	assert_int_equal(write(fd, "torn\n", 5), 5);
	close(fd);
	assert_broken(h, "checkpoints_log_missing");
}

/* Writes line number `at` over with `with`; with NULL the line is taken out. */
static void
edit_line(const char *path, int at, const char *with)
{
	char lines[8][CHECKPOINT_LINE_MAX];
	int n = 0;
	FILE *f = fopen(path, "r");
	while (n < 8 && fgets(lines[n], sizeof(lines[n]), f) != NULL)
		n++;
	fclose(f);
	f = fopen(path, "w");
	for (int i = 0; i < n; i++)
		if (i != at)
			fputs(lines[i], f);
		else if (with != NULL)
			fputs(with, f);
	fclose(f);
}

static void
test_line_taken_out_is_missed_and_a_torn_one_is_not(void **state)
{
	struct house *h = *state;
	char path[160];
	house_store_key(h);
	snprintf(path, sizeof(path), "%s/checkpoints.log", h->dir);
	for (int i = 0; i < 5; i++)
		checkpoint_make(&h->k);
	assert_logged(h, 5, 5);
	edit_line(path, 2, "aivault-checkpoint-1 id=3 r\n");
	assert_logged(h, 5, 4);
	edit_line(path, 2, NULL);
	assert_broken(h, "checkpoints_log_gap");
	edit_line(path, 0, NULL);
	assert_broken(h, "checkpoints_log_missing");
	edit_line(path, 0, NULL);
	edit_line(path, 1, NULL);
	assert_broken(h, "checkpoints_log_missing");
}

static void
test_last_line_taken_out_is_missed(void **state)
{
	struct house *h = *state;
	char path[160];
	house_store_key(h);
	snprintf(path, sizeof(path), "%s/checkpoints.log", h->dir);
	for (int i = 0; i < 3; i++)
		checkpoint_make(&h->k);
	edit_line(path, 2, NULL);
	assert_broken(h, "checkpoints_log_gap");
	/* Lost in a crash, it is written again. */
	house_stop(h);
	house_start(h);
	assert_logged(h, 3, 2);
	checkpoint_make(&h->k);
	assert_logged(h, 4, 4);
}

static void
test_line_that_differs_from_its_row_is_checked_for_itself(void **state)
{
	struct house *h = *state;
	char path[160], line[CHECKPOINT_LINE_MAX];
	house_store_key(h);
	snprintf(path, sizeof(path), "%s/checkpoints.log", h->dir);
	for (int i = 0; i < 3; i++)
		checkpoint_make(&h->k);
	struct checkpoint forged = {.id = 2, .event_id = 1, .ts_ms = 1};
	checkpoint_line_format(&forged, line);
	edit_line(path, 1, line);
	assert_broken(h, "checkpoints_log");
	/* The row's own are no better for a line that is like them. */
	assert_int_equal(unlink(path), 0);
	house_tamper(h, "UPDATE checkpoints SET ts_ms = 1 WHERE id = 2");
	assert_broken(h, "checkpoint");
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
	    cmocka_unit_test_setup_teardown(
	        test_file_that_was_made_anew_is_missed, house_open, house_close),
	    cmocka_unit_test_setup_teardown(
	        test_line_taken_out_is_missed_and_a_torn_one_is_not, house_open, house_close),
	    cmocka_unit_test_setup_teardown(
	        test_last_line_taken_out_is_missed, house_open, house_close),
	    cmocka_unit_test_setup_teardown(
	        test_line_that_differs_from_its_row_is_checked_for_itself, house_open, house_close),
	};
	if (box_init() != AV_OK)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
