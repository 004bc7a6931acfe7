/* SPDX-License-Identifier: Apache-2.0 */
#include "base/paths.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *const variables[] = {"AIVAULT_DIR", "AIVAULTD_SOCKET", "AIVAULTD_SHARED_SOCKET"};

static int
clean_environment(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof variables / sizeof variables[0]; i++)
		(void)unsetenv(variables[i]);
	return setenv("HOME", "/home/owner", 1);
}

static void
test_everything_is_below_home_by_default(void **state)
{
	struct paths p;

	(void)state;
	assert_int_equal(paths_find(&p, NULL), AV_OK);
	assert_false(p.has_dir_override);
	assert_string_equal(p.root, "/home/owner/.aivault/data/vault");
	assert_string_equal(p.database, "/home/owner/.aivault/data/vault/vault.db");
	assert_string_equal(p.key_file, "/home/owner/.aivault/keys/kek.key");
	assert_string_equal(p.agent_socket, "/home/owner/.aivault/run/aivaultd.sock");
	assert_string_equal(p.operator_socket, "/home/owner/.aivault/run/operator.sock");
#ifdef __linux__
	assert_string_equal(p.shared_socket, "/var/run/aivault/aivaultd.sock");
#endif
	assert_false(p.shared_overridden);
	assert_string_equal(p.explicit_socket, "");
}

static void
test_aivault_dir_moves_all_of_it(void **state)
{
	struct paths p;

	(void)state;
	assert_int_equal(setenv("AIVAULT_DIR", "  /srv/v//\n", 1), 0);
	assert_int_equal(paths_find(&p, NULL), AV_OK);
	assert_true(p.has_dir_override);
	assert_string_equal(p.root, "/srv/v");
	assert_string_equal(p.database, "/srv/v/vault.db");
	assert_string_equal(p.key_file, "/srv/v/kek.key");
	assert_string_equal(p.agent_socket, "/srv/v/run/aivaultd.sock");
	assert_string_equal(p.operator_socket, "/srv/v/run/operator.sock");
}

static void
test_a_blank_aivault_dir_is_unset(void **state)
{
	struct paths p;

	(void)state;
	assert_int_equal(setenv("AIVAULT_DIR", " \t ", 1), 0);
	assert_int_equal(paths_find(&p, NULL), AV_OK);
	assert_false(p.has_dir_override);
	assert_string_equal(p.root, "/home/owner/.aivault/data/vault");
}

static void
test_a_relative_aivault_dir_becomes_absolute(void **state)
{
	char cwd[1024];
	struct paths p;

	(void)state;
	assert_non_null(getcwd(cwd, sizeof cwd));
	assert_int_equal(chdir("/"), 0);
	assert_int_equal(setenv("AIVAULT_DIR", "vault/here", 1), 0);
	assert_int_equal(chdir("/tmp"), 0);
	assert_int_equal(paths_find(&p, NULL), AV_OK);
	assert_int_equal(chdir(cwd), 0);
	assert_string_equal(p.root, "/tmp/vault/here");
}

static void
test_sockets_can_be_named(void **state)
{
	struct paths p;

	(void)state;
	assert_int_equal(setenv("AIVAULTD_SOCKET", " /run/x.sock ", 1), 0);
	assert_int_equal(setenv("AIVAULTD_SHARED_SOCKET", "/run/shared.sock", 1), 0);
	assert_int_equal(paths_find(&p, NULL), AV_OK);
	assert_string_equal(p.explicit_socket, "/run/x.sock");
	assert_string_equal(p.shared_socket, "/run/shared.sock");
	assert_true(p.shared_overridden);
}

static void
test_without_home_the_password_database_is_asked(void **state)
{
	struct paths p;
	struct fault f;

	(void)state;
	assert_int_equal(unsetenv("HOME"), 0);
	if (paths_find(&p, &f) == AV_OK) {
		assert_int_equal(p.root[0], '/');
		assert_non_null(strstr(p.root, "/.aivault/data/vault"));
	} else {
		assert_string_equal(f.reason, "no_home");
	}
}

static void
test_a_socket_path_longer_than_the_kernel_takes_is_refused(void **state)
{
	char dir[200];
	struct fault f;
	struct paths p;
	size_t fits = 107 - strlen("/run/aivaultd.sock");

	(void)state;
	memset(dir, 'd', sizeof dir);
	dir[0] = '/';
#ifdef __linux__
	dir[fits] = '\0';
	assert_int_equal(setenv("AIVAULT_DIR", dir, 1), 0);
	assert_int_equal(paths_find(&p, &f), AV_OK);
	dir[fits] = 'd';
#endif
	dir[fits + 1] = '\0';
	assert_int_equal(setenv("AIVAULT_DIR", dir, 1), 0);
	assert_int_equal(paths_find(&p, &f), AV_ELIMIT);
	assert_string_equal(f.reason, "path_too_long");
	assert_non_null(strstr(f.message, "bytes"));
	assert_true(strlen(f.remedy) > 0);
}

static void
test_a_path_that_does_not_fit_is_refused(void **state)
{
	char dir[PATHS_MAX + 10];
	struct fault f;
	struct paths p;

	(void)state;
	memset(dir, 'd', sizeof dir);
	dir[0] = '/';
	dir[sizeof dir - 1] = '\0';
	assert_int_equal(setenv("AIVAULT_DIR", dir, 1), 0);
	assert_int_equal(paths_find(&p, &f), AV_ELIMIT);
	assert_int_equal(unsetenv("AIVAULT_DIR"), 0);
	assert_int_equal(setenv("AIVAULTD_SOCKET", dir, 1), 0);
	assert_int_equal(paths_find(&p, &f), AV_ELIMIT);
}

static void
test_the_operator_socket_stands_beside_the_agents(void **state)
{
	char out[64];

	(void)state;
	assert_int_equal(paths_operator_beside("/run/a/x.sock", out, sizeof out), AV_OK);
	assert_string_equal(out, "/run/a/operator.sock");
	assert_int_equal(paths_operator_beside("x.sock", out, sizeof out), AV_OK);
	assert_string_equal(out, "operator.sock");
	assert_int_equal(paths_operator_beside("/x.sock", out, sizeof out), AV_OK);
	assert_string_equal(out, "/operator.sock");
	assert_int_equal(paths_operator_beside("/run/a/x.sock", out, 20), AV_ELIMIT);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup(test_everything_is_below_home_by_default, clean_environment),
	    cmocka_unit_test_setup(test_aivault_dir_moves_all_of_it, clean_environment),
	    cmocka_unit_test_setup(test_a_blank_aivault_dir_is_unset, clean_environment),
	    cmocka_unit_test_setup(test_a_relative_aivault_dir_becomes_absolute, clean_environment),
	    cmocka_unit_test_setup(test_sockets_can_be_named, clean_environment),
	    cmocka_unit_test_setup(
	        test_without_home_the_password_database_is_asked, clean_environment),
	    cmocka_unit_test_setup(
	        test_a_socket_path_longer_than_the_kernel_takes_is_refused, clean_environment),
	    cmocka_unit_test_setup(test_a_path_that_does_not_fit_is_refused, clean_environment),
	    cmocka_unit_test_setup(
	        test_the_operator_socket_stands_beside_the_agents, clean_environment),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
