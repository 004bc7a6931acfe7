/* SPDX-License-Identifier: Apache-2.0 */
#include "base/buf.h"
#include "base/io.h"
#include "base/log.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Standard error goes into a pipe while `say` runs; what came out is in *got. */
static void
capture(void (*say)(void), struct buf *got)
{
	int pipe_fds[2], saved = dup(STDERR_FILENO);
	bool again;
	size_t n;

	assert_true(saved >= 0);
	assert_int_equal(pipe(pipe_fds), 0);
	assert_true(dup2(pipe_fds[1], STDERR_FILENO) >= 0);
	io_close(&pipe_fds[1]);
	say();
	assert_true(dup2(saved, STDERR_FILENO) >= 0);
	io_close(&saved);
	do {
		assert_int_equal(io_read_some(pipe_fds[0], got, 65536, &n, &again), AV_OK);
	} while (n > 0);
	io_close(&pipe_fds[0]);
}

static void
say_plain(void)
{
	log_open("aivault-test", LOG_LEVEL_WARN);
	log_warn("the %s is %d", "answer", 42);
}

static void
test_a_line_names_program_pid_and_level(void **state)
{
	char want[128];
	struct buf got;

	(void)state;
	buf_init(&got, 65536);
	capture(say_plain, &got);
	(void)snprintf(
	    want, sizeof want, "aivault-test[%ld]: warning: the answer is 42\n", (long)getpid());
	assert_string_equal(buf_cstr(&got), want);
	buf_clear(&got);
}

static void
say_quiet(void)
{
	log_open("t", LOG_LEVEL_WARN);
	log_info("not this");
	log_debug("nor this");
	log_error("this");
}

static void
test_what_is_below_the_level_is_not_written(void **state)
{
	struct buf got;

	(void)state;
	buf_init(&got, 65536);
	capture(say_quiet, &got);
	assert_null(strstr(buf_cstr(&got), "not this"));
	assert_null(strstr(buf_cstr(&got), "nor this"));
	assert_non_null(strstr(buf_cstr(&got), ": error: this\n"));
	buf_clear(&got);
}

static void
say_hostile(void)
{
	log_open("t", LOG_LEVEL_WARN);
	log_warn("%s", "a\nt[1]: error: forged\r\x1b[2J\x7f\xc3\xa9");
}

static void
test_hostile_text_cannot_forge_a_line_or_reach_the_terminal(void **state)
{
	struct buf got;

	(void)state;
	buf_init(&got, 65536);
	capture(say_hostile, &got);
	assert_non_null(
	    strstr(buf_cstr(&got), "a\\x0at[1]: error: forged\\x0d\\x1b[2J\\x7f\\xc3\\xa9\n"));
	for (size_t i = 0; i + 1 < got.len; i++)
		assert_in_range(got.data[i], 0x20, 0x7e);
	buf_clear(&got);
}

static void
say_long(void)
{
	static char text[5000];

	memset(text, '\x01', sizeof text - 1);
	log_open("t", LOG_LEVEL_WARN);
	log_warn("%s", text);
	memset(text, 'x', sizeof text - 1);
	log_warn("%s", text);
}

static void
test_a_line_is_cut_at_1024_bytes_and_still_ends(void **state)
{
	struct buf got;
	const char *first_end;

	(void)state;
	buf_init(&got, 65536);
	capture(say_long, &got);
	assert_non_null(buf_cstr(&got));
	first_end = memchr(got.data, '\n', got.len);
	assert_non_null(first_end);
	assert_in_range((size_t)(first_end + 1 - (const char *)got.data), 1000, 1024);
	assert_int_equal(got.len - (size_t)(first_end + 1 - (const char *)got.data), 1024);
	assert_int_equal(got.data[got.len - 1], '\n');
	buf_clear(&got);
}

static void
say_with_errno(void)
{
	errno = ENOENT;
	log_open("t", LOG_LEVEL_WARN);
	log_warn("x");
	if (errno != ENOENT)
		log_warn("errno was changed");
}

static void
test_logging_leaves_errno_alone(void **state)
{
	struct buf got;

	(void)state;
	buf_init(&got, 65536);
	capture(say_with_errno, &got);
	assert_null(strstr(buf_cstr(&got), "errno was changed"));
	buf_clear(&got);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_a_line_names_program_pid_and_level),
	    cmocka_unit_test(test_what_is_below_the_level_is_not_written),
	    cmocka_unit_test(test_hostile_text_cannot_forge_a_line_or_reach_the_terminal),
	    cmocka_unit_test(test_a_line_is_cut_at_1024_bytes_and_still_ends),
	    cmocka_unit_test(test_logging_leaves_errno_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
