/* SPDX-License-Identifier: Apache-2.0 */
/* limits.conf: what counts, and what changes nothing. */
#include "base/io.h"
#include "daemon/limits.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static char dir[] = "/tmp/aivault-limits-XXXXXX";
static char path[64];

static int
set_up(void **state)
{
	(void)state;
	if (mkdtemp(dir) == NULL)
		return -1;
	(void)snprintf(path, sizeof(path), "%s/limits.conf", dir);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	(void)unlink(path);
	return rmdir(dir);
}

static void
put(const char *text, size_t len, mode_t mode)
{
	FILE *f;

	(void)unlink(path);
	f = fopen(path, "w");
	assert_non_null(f);
	assert_int_equal(fwrite(text, 1, len, f), len);
	assert_int_equal(fclose(f), 0);
	assert_int_equal(chmod(path, mode), 0);
}

static void
test_file_stands_above_defaults_and_below_flags(void **state)
{
	static const char text[] = "# of this machine\n\n  max-connections = 2000 # many\r\n"
	                           "max-per-caller=5\nidle-timeout = 10m";
	struct limits l;
	struct fault f = {0};

	(void)state;
	limits_init(&l);
	assert_int_equal(limits_give(&l, 1, "7", &f), AV_OK);
	put(text, sizeof(text) - 1, 0600);
	assert_int_equal(limits_read(&l, path, &f), AV_OK);
	assert_int_equal(l.values[0], 2000);
	assert_int_equal(l.values[1], 7);
	assert_int_equal(l.values[2], 600);
	assert_int_equal(l.values[3], 600);
	/* What has gone from the file is the default again; so is all when the file has gone. */
	put("idle-timeout = 9\n", 17, 0644);
	assert_int_equal(limits_read(&l, path, &f), AV_OK);
	assert_int_equal(l.values[0], 1024);
	assert_int_equal(l.values[3], 9);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(limits_read(&l, path, &f), AV_OK);
	assert_int_equal(l.values[1], 7);
	assert_int_equal(l.values[3], 300);
}

static void
test_wrong_line_is_named_and_changes_nothing(void **state)
{
	static const struct {
		const char *text;
		const char *said;
	} wrong[] = {
	    {"idle-timeout = 5\nmax-per-caller = 0\n",
	        "line 2: max-per-caller takes a number from "
	        "1 to 65536"},
	    {"max-connections = 65537", "line 1: max-connections takes a number from 1 to 65536"},
	    {"first-byte-timeout = soon", "first-byte-timeout takes a number from 1 to 86400"},
	    {"idle-timeout =", "idle-timeout takes a number"},
	    {"idle-timeout = -1", "idle-timeout takes a number"},
	    {"idle-timeout = 5\nidle-timeout = 6", "line 2: idle-timeout is there twice"},
	    {"max-connection = 5", "line 1: there is no limit of that name"},
	    {"check-ms = 101", "line 1: check-ms takes a number from 1 to 100"},
	    {"check-memory-bytes = 1048575",
	        "check-memory-bytes takes a number from 1048576 to 67108864"},
	    {"--idle-timeout = 5", "line 1: there is no limit of that name"},
	    {"idle-timeout 5", "line 1: not `name = number`"},
	};
	struct limits l, before;
	struct fault f;

	(void)state;
	limits_init(&l);
	before = l;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		memset(&f, 0, sizeof(f));
		put(wrong[i].text, strlen(wrong[i].text), 0600);
		assert_int_equal(limits_read(&l, path, &f), AV_EINVAL);
		assert_non_null(strstr(f.message, wrong[i].said));
		assert_non_null(strstr(f.message, path));
		assert_true(f.remedy[0] != '\0');
		assert_memory_equal(&l, &before, sizeof(l));
	}
}

static void
test_file_that_is_not_the_owners_alone_is_refused(void **state)
{
	static char big[LIMITS_FILE_MAX + 1];
	struct limits l;
	struct fault f = {0};

	(void)state;
	limits_init(&l);
	put("idle-timeout = 5", 16, 0620);
	assert_int_equal(limits_read(&l, path, &f), AV_EINVAL);
	assert_non_null(strstr(f.message, "written by others"));
	memset(big, '\n', sizeof(big));
	put(big, sizeof(big), 0600);
	assert_int_equal(limits_read(&l, path, &f), AV_EINVAL);
	assert_non_null(strstr(f.message, "more than 4096 bytes"));
	put(big, sizeof(big) - 1, 0600);
	assert_int_equal(limits_read(&l, path, &f), AV_OK);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(symlink("/dev/null", path), 0);
	assert_int_equal(limits_read(&l, path, &f), AV_EINVAL);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(limits_read(&l, path, &f), AV_EINVAL);
}

static void
test_pipe_holds_those_of_the_broker_and_ends(void **state)
{
	struct limits l;
	struct fault f = {0};
	struct buf text;
	bool again = false;
	size_t n = 1;
	int fd = -1;

	(void)state;
	limits_init(&l);
	assert_int_equal(limits_give(&l, 0, "65536", &f), AV_OK);
	assert_int_equal(limits_pipe(&l, &fd), AV_OK);
	buf_init(&text, 1024);
	while (n > 0)
		assert_int_equal(io_read_some(fd, &text, 512, &n, &again), AV_OK);
	io_close(&fd);
	assert_string_equal(buf_cstr(&text),
	    "--max-connections 65536\n--max-per-caller 64\n"
	    "--first-byte-timeout 600\n--idle-timeout 300\n");
	buf_clear(&text);
}

static void
test_judge_has_its_own(void **state)
{
	struct limits l, before;
	struct fault f = {0};
	const char *const *args;

	(void)state;
	limits_init(&l);
	before = l;
	args = limits_args(&l, ROLE_JUDGE);
	assert_string_equal(args[0], "--check-ms");
	assert_string_equal(args[1], "5");
	assert_string_equal(args[2], "--check-memory-bytes");
	assert_string_equal(args[3], "8388608");
	assert_null(args[4]);
	put("max-connections = 3\n", 20, 0600);
	assert_int_equal(limits_read(&l, path, &f), AV_OK);
	assert_true(limits_same(&l, &before, ROLE_JUDGE));
	assert_false(limits_same(&l, &before, ROLE_BROKER));
	put("check-ms = 9\n", 13, 0600);
	assert_int_equal(limits_read(&l, path, &f), AV_OK);
	assert_false(limits_same(&l, &before, ROLE_JUDGE));
	assert_true(limits_same(&l, &before, ROLE_BROKER));
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_file_stands_above_defaults_and_below_flags),
	    cmocka_unit_test(test_wrong_line_is_named_and_changes_nothing),
	    cmocka_unit_test(test_file_that_is_not_the_owners_alone_is_refused),
	    cmocka_unit_test(test_pipe_holds_those_of_the_broker_and_ends),
	    cmocka_unit_test(test_judge_has_its_own),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
