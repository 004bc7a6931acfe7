/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/child.h"

#include "base/io.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

/* What a child said before it was ready is kept: there it can be looked at. */
static void
hear(struct child *c, int *writer)
{
	int ends[2];

	child_init(c, ROLE_JUDGE);
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(io_set_nonblock(ends[0], true), AV_OK);
	c->error_fd = ends[0];
	*writer = ends[1];
}

static void
test_what_a_child_says_is_shown_as_text(void **state)
{
	static const char said[] = "a\tb\n\033[2J\r\x9b\x7f\0z";
	struct child c;
	int writer;

	(void)state;
	hear(&c, &writer);
	assert_int_equal(write(writer, said, sizeof(said) - 1), sizeof(said) - 1);
	child_read_errors(&c);
	assert_int_equal(c.kept.len, sizeof(said) - 1);
	assert_memory_equal(c.kept.data, "a\tb\n?[2J????z", c.kept.len);
	io_close(&writer);
	child_clear(&c);
}

static void
test_a_child_that_never_stops_writing_is_left_after_a_pipe_full(void **state)
{
	char text[4096];
	struct child c;
	int writer, go[2];
	unsigned char begun = 0;

	(void)state;
	hear(&c, &writer);
	assert_int_equal(pipe(go), 0);
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		memset(text, 'x', sizeof(text));
		while (write(writer, text, sizeof(text)) > 0)
			if (begun == 0 && write(go[1], &begun, 1) == 1)
				begun = 1;
		_exit(0);
	}
	assert_int_equal(read(go[0], &begun, 1), 1);
	/* Without an end to it this would not return, and pass on all that is more than is kept. */
	int console = dup(STDERR_FILENO), null = open("/dev/null", O_WRONLY);
	assert_true(console >= 0 && dup2(null, STDERR_FILENO) >= 0);
	child_read_errors(&c);
	assert_true(dup2(console, STDERR_FILENO) >= 0);
	io_close(&console);
	io_close(&null);
	assert_true(c.kept.len > 0 && c.kept.len <= 64 * 1024);
	assert_true(c.error_fd >= 0);
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	io_close(&writer);
	io_close(&go[0]);
	io_close(&go[1]);
	child_clear(&c);
}

static void
test_the_last_words_of_a_child_are_its_fault(void **state)
{
	static const char said[] = "aivault-policy[12]: info: begins\n"
	                           "aivault-policy[12]: error: vault_unavailable: no room\n";
	struct child c;
	struct fault f = {0};
	int writer;

	(void)state;
	hear(&c, &writer);
	c.pid = 12;
	assert_int_equal(write(writer, said, sizeof(said) - 1), sizeof(said) - 1);
	io_close(&writer);
	child_ended(&c, 0);
	assert_int_equal(c.error_fd, -1);
	assert_int_not_equal(child_fault(&c, &f), AV_OK);
	assert_string_equal(f.message, "no room");
	child_clear(&c);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_what_a_child_says_is_shown_as_text),
	    cmocka_unit_test(test_a_child_that_never_stops_writing_is_left_after_a_pipe_full),
	    cmocka_unit_test(test_the_last_words_of_a_child_are_its_fault),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
