/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/child.h"
#include "daemon/options.h"
#include "daemon/restarts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define PARSE(o, f, ...)                                                                      \
	options_parse(o, (int)(sizeof((char *[]){"aivaultd", __VA_ARGS__}) / sizeof(char *)), \
	    (char *[]){"aivaultd", __VA_ARGS__}, f)

static void
test_flags_and_what_the_broker_gets(void **state)
{
	struct options o;
	struct fault f;

	(void)state;
	assert_int_equal(PARSE(&o, &f, "--socket", "/x/a.sock", "--idle-exit=30m", "--ready-fd",
	                     "3", "--idle-timeout", "5m", "--max-connections=10", "--foreground"),
	    AV_OK);
	assert_string_equal(o.agent_socket, "/x/a.sock");
	assert_int_equal(o.idle_exit_s, 1800);
	assert_int_equal(o.ready_fd, 3);
	const char *const *args = limits_args(&o.limits, ROLE_BROKER);
	assert_string_equal(args[0], "--max-connections");
	assert_string_equal(args[1], "10");
	assert_string_equal(args[2], "--max-per-caller");
	assert_string_equal(args[3], "64");
	assert_string_equal(args[6], "--idle-timeout");
	assert_string_equal(args[7], "300");
	assert_null(args[8]);
}

static void
test_wrong_flags_are_refused(void **state)
{
	struct options o;
	struct fault f;

	(void)state;
	assert_int_equal(PARSE(&o, &f, "--socket", "relative"), AV_EUSAGE);
	assert_int_equal(PARSE(&o, &f, "--socket"), AV_EUSAGE);
	assert_int_equal(PARSE(&o, &f, "--ready-fd", "1"), AV_EUSAGE);
	assert_int_equal(PARSE(&o, &f, "--max-connections", "0"), AV_EUSAGE);
	assert_int_equal(PARSE(&o, &f, "--idle-timeout", "0"), AV_EUSAGE);
	assert_int_equal(PARSE(&o, &f, "--frob"), AV_EUSAGE);
	assert_int_equal(PARSE(&o, &f, "--listen", "127.0.0.1:1"), AV_ENOTSUP);
	assert_int_equal(PARSE(&o, &f, "--once"), AV_ENOTSUP);
}

static void
test_modes_are_octal(void **state)
{
	mode_t m = 0;

	(void)state;
	assert_int_equal(options_parse_mode("660", &m), AV_OK);
	assert_int_equal(m, 0660);
	assert_int_equal(options_parse_mode("0o750", &m), AV_OK);
	assert_int_equal(m, 0750);
	assert_int_equal(options_parse_mode("0600", &m), AV_OK);
	assert_int_equal(m, 0600);
	assert_int_equal(options_parse_mode("9", &m), AV_EFORMAT);
	assert_int_equal(options_parse_mode("0888", &m), AV_EFORMAT);
	assert_int_equal(options_parse_mode("4777", &m), AV_ELIMIT);
	assert_int_equal(options_parse_mode("", &m), AV_EFORMAT);
}

static bool
has(char **env, const char *entry)
{
	for (; *env != NULL; env++) {
		if (strcmp(*env, entry) == 0)
			return true;
	}
	return false;
}

static bool
has_name(char **env, const char *name)
{
	for (; *env != NULL; env++) {
		if (strncmp(*env, name, strlen(name)) == 0)
			return true;
	}
	return false;
}

static void
test_only_the_keeper_gets_key_variables_and_nobody_gets_others(void **state)
{
	static const enum role others[] = {ROLE_JUDGE, ROLE_BROKER};
	char **env;

	(void)state;
	assert_int_equal(setenv("AIVAULT_KEY", "k", 1), 0);
	assert_int_equal(setenv("SSLKEYLOGFILE", "/x", 1), 0);
	assert_int_equal(setenv("OPENSSL_CONF", "/x", 1), 0);
	assert_int_equal(setenv("LD_PRELOAD_X", "/x", 1), 0);
	assert_int_equal(setenv("HTTPS_PROXY", "http://x", 1), 0);
	env = child_environment(ROLE_KEEPER);
	assert_non_null(env);
	assert_true(has(env, "AIVAULT_KEY=k"));
	assert_true(has(env, "PATH=/usr/bin:/bin"));
	assert_true(has(env, "LANG=C.UTF-8"));
	assert_false(has_name(env, "SSLKEYLOGFILE="));
	child_environment_free(env);
	for (size_t i = 0; i < 2; i++) {
		env = child_environment(others[i]);
		assert_non_null(env);
		assert_false(has_name(env, "AIVAULT_KEY="));
		assert_false(has_name(env, "SSLKEYLOGFILE="));
		assert_false(has_name(env, "OPENSSL_CONF="));
		assert_false(has_name(env, "LD_PRELOAD_X="));
		assert_false(has_name(env, "HTTPS_PROXY="));
		child_environment_free(env);
	}
}

static void
test_the_eleventh_restart_in_a_minute_is_refused(void **state)
{
	struct restarts r = {{0}, 0};

	(void)state;
	for (uint64_t i = 0; i < RESTARTS_MAX; i++)
		assert_true(restarts_take(&r, 1000 + i));
	assert_false(restarts_take(&r, 1000 + RESTARTS_WINDOW_MS - 1));
	assert_true(restarts_take(&r, 1000 + RESTARTS_WINDOW_MS));
	/* The second of the old ones is still inside the window. */
	assert_false(restarts_take(&r, 1000 + RESTARTS_WINDOW_MS));
}

static void
test_a_release_build_refuses_development_switches(void **state)
{
	struct fault f;

	(void)state;
	assert_int_equal(unsetenv("AIVAULT_DEV_RESOLVE"), 0);
	assert_int_equal(options_check_switches(&f), AV_OK);
	assert_int_equal(setenv("AIVAULT_DEV_RESOLVE", " ", 1), 0);
	assert_int_equal(options_check_switches(&f), AV_OK);
	assert_int_equal(setenv("AIVAULT_DEV_RESOLVE", "0", 1), 0);
#ifdef AV_DEV
	assert_int_equal(options_check_switches(&f), AV_OK);
#else
	assert_int_equal(options_check_switches(&f), AV_EINVAL);
	assert_string_equal(f.message, "AIVAULT_DEV_RESOLVE is disabled in release builds");
#endif
	assert_int_equal(unsetenv("AIVAULT_DEV_RESOLVE"), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_flags_and_what_the_broker_gets),
	    cmocka_unit_test(test_wrong_flags_are_refused),
	    cmocka_unit_test(test_modes_are_octal),
	    cmocka_unit_test(test_only_the_keeper_gets_key_variables_and_nobody_gets_others),
	    cmocka_unit_test(test_the_eleventh_restart_in_a_minute_is_refused),
	    cmocka_unit_test(test_a_release_build_refuses_development_switches),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
