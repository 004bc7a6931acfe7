/* SPDX-License-Identifier: Apache-2.0 */
/* checkpoints.log: one form a line, appended only, a crash in a line is no end. */
#include "audit/checkpoint_log.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

struct seen {
	size_t count;
	int64_t last;
};

/* All lines there are. */
static enum av_err
read_all(const char *path, struct seen *seen, uint64_t *torn)
{
	struct checkpoint_reader r;
	struct checkpoint c;
	enum checkpoint_line what = CHECKPOINT_LINE;
	enum av_err e = checkpoint_reader_open(&r, path);
	*seen = (struct seen){0, 0};
	*torn = 0;
	while (e == AV_OK && what != CHECKPOINT_END) {
		e = checkpoint_reader_next(&r, &c, &what);
		if (e == AV_OK && what == CHECKPOINT_LINE) {
			seen->count++;
			seen->last = c.id;
		}
		*torn += what == CHECKPOINT_TORN;
	}
	checkpoint_reader_close(&r);
	return e;
}

static struct checkpoint
sample(int64_t id)
{
	struct checkpoint c = {.id = id, .event_id = 1000 * id, .ts_ms = 1700000000000};
	memset(c.hash, 0xab, sizeof(c.hash));
	memset(c.signature, 0x12, sizeof(c.signature));
	return c;
}

static void
put(const char *path, const char *text, int flags)
{
	int fd = open(path, O_WRONLY | O_CREAT | flags, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
}

static void
test_line_reads_back_and_has_one_form(void **state)
{
	struct checkpoint c = sample(7), back;
	char line[CHECKPOINT_LINE_MAX];
	(void)state;
	checkpoint_line_format(&c, line);
	size_t n = strlen(line);
	assert_int_equal(line[n - 1], '\n');
	assert_int_equal(checkpoint_line_parse((struct str){line, n - 1}, &back), AV_OK);
	assert_memory_equal(&c, &back, sizeof(c));
	assert_int_equal(checkpoint_line_parse((struct str){line, n}, &back), AV_EFORMAT);
	for (size_t cut = 0; cut < n - 1; cut++)
		assert_int_equal(checkpoint_line_parse((struct str){line, cut}, &back), AV_EFORMAT);
	char *hash = strstr(line, "hash=ab");
	hash[5] = 'A';
	assert_int_equal(checkpoint_line_parse((struct str){line, n - 1}, &back), AV_EFORMAT);
}

static void
test_appending_keeps_what_stands_and_passes_a_torn_line(void **state)
{
	char dir[] = "/tmp/aivault-points-XXXXXX", path[CHECKPOINT_LOG_PATH_MAX], db[64], prey[64];
	struct seen seen = {0, 0};
	struct stat st;
	uint64_t torn = 0;
	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(db, sizeof(db), "%s/vault.db", dir);
	snprintf(prey, sizeof(prey), "%s/prey", dir);
	assert_int_equal(checkpoint_log_path(db, path, sizeof(path)), AV_OK);
	assert_int_equal(read_all(path, &seen, &torn), AV_ENOTFOUND);
	for (int64_t id = 1; id <= 2; id++) {
		struct checkpoint c = sample(id);
		assert_int_equal(checkpoint_log_append(path, &c, true), AV_OK);
	}
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	put(path, "aivault-checkpoint-1 id=3 ro", O_APPEND);
	struct checkpoint c = sample(4);
	assert_int_equal(checkpoint_log_append(path, &c, true), AV_OK);
	assert_int_equal(read_all(path, &seen, &torn), AV_OK);
	assert_int_equal(seen.count, 3);
	assert_int_equal(seen.last, 4);
	assert_int_equal(torn, 1);
	/* A link is not followed, neither to write nor to read. */
	assert_int_equal(unlink(path), 0);
	put(prey, "", 0);
	assert_int_equal(symlink(prey, path), 0);
	assert_int_equal(checkpoint_log_append(path, &c, true), AV_ESYS);
	assert_int_equal(read_all(path, &seen, &torn), AV_ESYS);
	assert_int_equal(stat(prey, &st), 0);
	assert_int_equal(st.st_size, 0);
	unlink(path);
	unlink(prey);
	assert_int_equal(rmdir(dir), 0);
}

static void
test_reading_ends_where_the_file_ended_when_it_was_opened(void **state)
{
	char dir[] = "/tmp/aivault-points-XXXXXX", path[CHECKPOINT_LOG_PATH_MAX], db[64];
	struct checkpoint_reader r;
	struct checkpoint one = sample(1), two = sample(2), c;
	enum checkpoint_line what;
	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(db, sizeof(db), "%s/vault.db", dir);
	assert_int_equal(checkpoint_log_path(db, path, sizeof(path)), AV_OK);
	assert_int_equal(checkpoint_log_append(path, &one, true), AV_OK);
	assert_int_equal(checkpoint_reader_open(&r, path), AV_OK);
	assert_int_equal(checkpoint_log_append(path, &two, true), AV_OK);
	assert_int_equal(checkpoint_reader_next(&r, &c, &what), AV_OK);
	assert_int_equal(what, CHECKPOINT_LINE);
	assert_int_equal(c.id, 1);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(checkpoint_reader_next(&r, &c, &what), AV_OK);
		assert_int_equal(what, CHECKPOINT_END);
	}
	checkpoint_reader_close(&r);
	unlink(path);
	assert_int_equal(rmdir(dir), 0);
}

static void
expect_last(const char *path, enum av_err want, int64_t id)
{
	int64_t got = -1;
	assert_int_equal(checkpoint_log_last(path, &got), want);
	if (want == AV_OK)
		assert_int_equal(got, id);
}

static void
test_last_line_is_found_at_the_end_of_a_long_file(void **state)
{
	char dir[] = "/tmp/aivault-points-XXXXXX", path[CHECKPOINT_LOG_PATH_MAX], db[64];
	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(db, sizeof(db), "%s/vault.db", dir);
	assert_int_equal(checkpoint_log_path(db, path, sizeof(path)), AV_OK);
	expect_last(path, AV_ENOTFOUND, 0);
	put(path, "", 0);
	expect_last(path, AV_OK, 0);
	for (int64_t id = 1; id <= 20; id++) {
		struct checkpoint c = sample(id);
		assert_int_equal(checkpoint_log_append(path, &c, true), AV_OK);
		expect_last(path, AV_OK, id);
	}
	put(path, "aivault-checkpoint-1 id=21 ro", O_APPEND);
	expect_last(path, AV_OK, 20);
	put(path, "\n", O_APPEND);
	expect_last(path, AV_EFORMAT, 0);
	put(path, "half of the first line", O_TRUNC);
	expect_last(path, AV_OK, 0);
	unlink(path);
	assert_int_equal(rmdir(dir), 0);
}

static void
test_zeroes_of_a_crash_cost_one_line_only(void **state)
{
	char dir[] = "/tmp/aivault-points-XXXXXX", path[CHECKPOINT_LOG_PATH_MAX], db[64];
	const char zeroes[9000] = {0};
	struct seen seen = {0, 0};
	struct checkpoint c = sample(1);
	uint64_t torn = 0;
	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(db, sizeof(db), "%s/vault.db", dir);
	assert_int_equal(checkpoint_log_path(db, path, sizeof(path)), AV_OK);
	for (size_t n = 1; n <= sizeof(zeroes); n += sizeof(zeroes) - 1) {
		assert_int_equal(checkpoint_log_append(path, &c, true), AV_OK);
		int fd = open(path, O_WRONLY | O_APPEND);
		assert_int_equal(write(fd, zeroes, n), (ssize_t)n);
		close(fd);
		expect_last(path, AV_OK, 1);
		assert_int_equal(checkpoint_log_append(path, &c, true), AV_OK);
	}
	assert_int_equal(read_all(path, &seen, &torn), AV_OK);
	assert_int_equal(seen.count, 4);
	assert_int_equal(torn, 2);
	unlink(path);
	assert_int_equal(rmdir(dir), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_line_reads_back_and_has_one_form),
	    cmocka_unit_test(test_reading_ends_where_the_file_ended_when_it_was_opened),
	    cmocka_unit_test(test_last_line_is_found_at_the_end_of_a_long_file),
	    cmocka_unit_test(test_zeroes_of_a_crash_cost_one_line_only),
	    cmocka_unit_test(test_appending_keeps_what_stands_and_passes_a_torn_line),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
