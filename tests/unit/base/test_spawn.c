/* SPDX-License-Identifier: Apache-2.0 */
/* The program starts itself again with a word in argv: the child then tests what it was given. */
#include "base/io.h"
#include "base/spawn.h"
#include "base/str.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;
static char self[4096];

static int
run(struct spawn *s, const char *word)
{
	char *argv[] = {self, (char *)(uintptr_t)word, NULL};
	int status;
	pid_t pid;

	s->path = self;
	s->argv = argv;
	assert_int_equal(spawn_start(s, &pid), AV_OK);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

static void
test_the_child_gets_exactly_the_environment_given(void **state)
{
	char *envp[] = {(char *)(uintptr_t) "ONLY=this", NULL};
	struct spawn s = {.envp = envp};

	(void)state;
	assert_int_equal(setenv("AIVAULT_KEY", "canary", 1), 0);
	assert_int_equal(run(&s, "env"), 0);
	assert_int_equal(unsetenv("AIVAULT_KEY"), 0);
}

static int
child_env(void)
{
	return environ[0] != NULL && strcmp(environ[0], "ONLY=this") == 0 && environ[1] == NULL ? 0
	                                                                                        : 1;
}

/* The two ends of a pipe are given in reverse, and an end may itself sit at a place that is given
 * out: each must arrive where it was meant to. */
static void
test_descriptors_are_placed_from_three_on(void **state)
{
	char *envp[] = {NULL};
	int a[2], b[2], fds[3];
	struct spawn s = {.envp = envp, .fds = fds, .fd_count = 3};
	char c = 0;

	(void)state;
	assert_int_equal(pipe2(a, O_CLOEXEC), 0);
	assert_int_equal(pipe2(b, O_CLOEXEC), 0);
	fds[0] = b[1];
	fds[1] = a[0];
	fds[2] = a[1];
	assert_int_equal(run(&s, "fds"), 0);
	assert_int_equal(read(b[0], &c, 1), 1);
	assert_int_equal(c, 'b');
	for (size_t i = 0; i < 2; i++) {
		io_close(&a[i]);
		io_close(&b[i]);
	}
}

static int
child_fds(void)
{
	char c = 0;

	if (write(3, "b", 1) != 1 || write(5, "a", 1) != 1 || read(4, &c, 1) != 1 || c != 'a')
		return 1;
	for (int fd = 6; fd < 256; fd++)
		if (fcntl(fd, F_GETFD) >= 0)
			return 2;
	return 0;
}

static void
test_nothing_else_is_inherited(void **state)
{
	char *envp[] = {NULL};
	struct spawn s = {.envp = envp};
	int leak = open("/dev/null", O_RDONLY | O_CLOEXEC);

	(void)state;
	assert_true(leak >= 0);
	assert_int_equal(run(&s, "none"), 0);
	io_close(&leak);
}

static int
child_none(void)
{
	for (int fd = 3; fd < 256; fd++)
		if (fcntl(fd, F_GETFD) >= 0)
			return 1;
	return 0;
}

static void
test_signals_start_at_their_defaults(void **state)
{
	char *envp[] = {NULL};
	struct spawn s = {.envp = envp};
	sigset_t block, old;
	void (*was)(int) = signal(SIGPIPE, SIG_IGN);

	(void)state;
	(void)sigemptyset(&block);
	(void)sigaddset(&block, SIGTERM);
	assert_int_equal(sigprocmask(SIG_BLOCK, &block, &old), 0);
	assert_int_equal(run(&s, "signals"), 0);
	assert_int_equal(sigprocmask(SIG_SETMASK, &old, NULL), 0);
	(void)signal(SIGPIPE, was);
}

static int
child_signals(void)
{
	struct sigaction sa;
	sigset_t mask;

	if (sigaction(SIGPIPE, NULL, &sa) != 0 || sa.sa_handler != SIG_DFL)
		return 1;
	if (sigprocmask(SIG_BLOCK, NULL, &mask) != 0 || sigismember(&mask, SIGTERM))
		return 2;
	return 0;
}

static void
test_a_session_of_its_own_and_null_streams(void **state)
{
	char *envp[] = {NULL};
	struct spawn s = {
	    .envp = envp, .new_session = true, .null_stdio = true, .null_stderr = true};

	(void)state;
	assert_int_equal(run(&s, "session"), 0);
}

static int
child_session(void)
{
	struct stat null_st, st;

	if (getsid(0) != getpid() || stat("/dev/null", &null_st) != 0)
		return 1;
	for (int fd = 0; fd < 3; fd++)
		if (fstat(fd, &st) != 0 || st.st_rdev != null_st.st_rdev)
			return 2;
	return 0;
}

static void
test_what_cannot_start_is_an_error(void **state)
{
	char *argv[] = {self, NULL}, *envp[] = {NULL};
	int fds[9] = {0};
	struct spawn s = {.path = "/nonexistent/x", .argv = argv, .envp = envp};
	pid_t pid;

	(void)state;
	assert_int_equal(spawn_start(&s, &pid), AV_ENOTFOUND);
	s.path = "relative";
	assert_int_equal(spawn_start(&s, &pid), AV_EINVAL);
	s.path = "/etc/passwd";
	assert_int_equal(spawn_start(&s, &pid), AV_ESYS);
	s.path = self;
	s.fds = fds;
	s.fd_count = 9;
	assert_int_equal(spawn_start(&s, &pid), AV_ELIMIT);
	s.fd_count = 1;
	fds[0] = 999;
	assert_int_equal(spawn_start(&s, &pid), AV_ESYS);
}

static void
test_programs_are_found_beside_us(void **state)
{
	char dir[4096], path[4096], tiny[4];

	(void)state;
	assert_int_equal(spawn_self_dir(dir, sizeof dir), AV_OK);
	assert_true(dir[0] == '/' && dir[strlen(dir) - 1] != '/');
	assert_true(str_starts(str_of(self), str_of(dir)));
	assert_int_equal(spawn_self_dir(tiny, sizeof tiny), AV_ELIMIT);
	assert_int_equal(spawn_find_program("test_spawn", path, sizeof path), AV_OK);
	assert_string_equal(path, self);
	assert_int_equal(spawn_find_program("test_spawn", path, 5), AV_ELIMIT);
	assert_int_equal(spawn_find_program("no-such-program", path, sizeof path), AV_ENOTFOUND);
	assert_int_equal(spawn_find_program("../bin/sh", path, sizeof path), AV_EINVAL);
}

int
main(int argc, char **argv)
{
	static const struct {
		const char *word;
		int (*run)(void);
	} children[] = {{"env", child_env}, {"fds", child_fds}, {"none", child_none},
	    {"signals", child_signals}, {"session", child_session}};
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_the_child_gets_exactly_the_environment_given),
	    cmocka_unit_test(test_descriptors_are_placed_from_three_on),
	    cmocka_unit_test(test_nothing_else_is_inherited),
	    cmocka_unit_test(test_signals_start_at_their_defaults),
	    cmocka_unit_test(test_a_session_of_its_own_and_null_streams),
	    cmocka_unit_test(test_what_cannot_start_is_an_error),
	    cmocka_unit_test(test_programs_are_found_beside_us),
	};

	if (argc > 1) {
		for (size_t i = 0; i < sizeof children / sizeof children[0]; i++)
			if (strcmp(argv[1], children[i].word) == 0)
				_exit(children[i].run());
		_exit(99);
	}
	if (realpath(argv[0], self) == NULL)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
