/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/autostart.h"
#include "cli/discover.h"

#include "base/io.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

static struct paths
some_paths(void)
{
	struct paths p;

	memset(&p, 0, sizeof(p));
	(void)snprintf(
	    p.agent_socket, sizeof(p.agent_socket), "/home/a/.aivault/run/aivaultd.sock");
	(void)snprintf(p.shared_socket, sizeof(p.shared_socket), "/var/run/aivault/aivaultd.sock");
	return p;
}

static void
test_order_is_explicit_then_own_then_shared(void **state)
{
	struct paths p = some_paths();
	struct discover_env env = {.paths = &p, .autostart_on = true};
	struct discover_plan plan;

	(void)state;
	discover_make_plan(&env, &plan);
	assert_string_equal(plan.first, p.agent_socket);
	assert_string_equal(plan.second, p.shared_socket);
	assert_true(plan.may_start);

	(void)snprintf(p.explicit_socket, sizeof(p.explicit_socket), "/x/y.sock");
	discover_make_plan(&env, &plan);
	assert_string_equal(plan.first, "/x/y.sock");
	assert_null(plan.second);
	assert_true(plan.may_start);
}

static void
test_a_chosen_vault_is_looked_for_nowhere_else(void **state)
{
	struct paths p = some_paths();
	struct discover_env env = {.paths = &p, .autostart_on = true, .shared_dir_exists = true};
	struct discover_plan plan;

	(void)state;
	p.has_dir_override = true;
	discover_make_plan(&env, &plan);
	assert_null(plan.second);
	assert_true(plan.may_start);
	p.shared_overridden = true;
	discover_make_plan(&env, &plan);
	assert_string_equal(plan.second, p.shared_socket);
	assert_false(plan.may_start);
}

static void
test_nothing_is_started_where_it_is_ruled_out(void **state)
{
	struct paths p = some_paths();
	struct discover_plan plan;
	struct discover_env sudo = {.paths = &p, .autostart_on = true, .under_sudo = true};
	struct discover_env off = {.paths = &p};
	struct discover_env shared = {.paths = &p, .autostart_on = true, .shared_dir_exists = true};

	(void)state;
	discover_make_plan(&sudo, &plan);
	assert_false(plan.may_start);
	assert_non_null(plan.why_not);
	discover_make_plan(&off, &plan);
	assert_false(plan.may_start);
	assert_non_null(strstr(plan.why_not, "autostart is disabled"));
	discover_make_plan(&shared, &plan);
	assert_false(plan.may_start);
	shared.shared_dir_is_ours = true;
	discover_make_plan(&shared, &plan);
	assert_true(plan.may_start);
	/* An explicit socket that is the shared one is not ours to start. */
	(void)snprintf(p.explicit_socket, sizeof(p.explicit_socket), "%s", p.shared_socket);
	discover_make_plan(&shared, &plan);
	assert_false(plan.may_start);
}

static void
test_nobody_there_is_told_from_a_listener(void **state)
{
	char dir[] = "/tmp/aivault-test-XXXXXX";
	struct sockaddr_un sun = {.sun_family = AF_UNIX};
	struct fault f;
	int fd, listener;

	(void)state;
	assert_non_null(mkdtemp(dir));
	(void)snprintf(sun.sun_path, sizeof(sun.sun_path), "%s/s", dir);
	assert_int_equal(discover_connect(sun.sun_path, &fd, &f), AV_ENOTFOUND);
	assert_int_equal(fd, -1);
	listener = socket(AF_UNIX, SOCK_STREAM, 0);
	assert_true(listener >= 0);
	assert_int_equal(bind(listener, (const struct sockaddr *)&sun, sizeof(sun)), 0);
	assert_int_equal(listen(listener, 1), 0);
	assert_int_equal(discover_connect(sun.sun_path, &fd, &f), AV_OK);
	io_close(&fd);
	io_close(&listener);
	/* The file is left over, nobody listens. */
	assert_int_equal(discover_connect(sun.sun_path, &fd, &f), AV_ENOTFOUND);
	assert_int_equal(unlink(sun.sun_path), 0);
	assert_int_equal(rmdir(dir), 0);
}

static void
test_too_long_a_path_names_the_limit(void **state)
{
	char path[200];
	struct fault f;
	int fd;

	(void)state;
	memset(path, 'a', sizeof(path) - 1);
	path[0] = '/';
	path[sizeof(path) - 1] = '\0';
	assert_int_equal(discover_connect(path, &fd, &f), AV_ELIMIT);
	assert_non_null(strstr(f.message, "107"));
}

static void
test_the_daemons_message_is_shown_once(void **state)
{
	struct fault f;

	(void)state;
	assert_int_equal(autostart_fault("vault_unavailable: it is broken. Mend it.\n", &f),
	    AV_ENOMEM); /* the first error with that code; only the code is printed */
	assert_string_equal(av_err_code(f.err), "vault_unavailable");
	assert_string_equal(f.message, "it is broken. Mend it.\n");
	assert_int_equal(autostart_fault("no code here", &f), AV_EUNAVAIL);
	assert_string_equal(f.message, "no code here");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_order_is_explicit_then_own_then_shared),
	    cmocka_unit_test(test_a_chosen_vault_is_looked_for_nowhere_else),
	    cmocka_unit_test(test_nothing_is_started_where_it_is_ruled_out),
	    cmocka_unit_test(test_nobody_there_is_told_from_a_listener),
	    cmocka_unit_test(test_too_long_a_path_names_the_limit),
	    cmocka_unit_test(test_the_daemons_message_is_shown_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
