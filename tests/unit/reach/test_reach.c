/* SPDX-License-Identifier: Apache-2.0 */
#include "reach/reach.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static bool
matches(const char *prefix, const char *path)
{
	return path_prefix_matches(str_of(prefix), str_of(path));
}

/* The published bypass W2: the reference let a prefix end in the middle of a segment. */
static void
test_i13_prefix_matches_only_at_a_boundary(void **state)
{
	(void)state;
	assert_true(matches("/getMe", "/getMe"));
	assert_true(matches("/getMe", "/getMe/"));
	assert_true(matches("/getMe", "/getMe/x"));
	assert_false(matches("/getMe", "/getMessages"));
	assert_false(matches("/deleteMessage", "/deleteMessages"));
	assert_false(matches("/getMe", "/getMe.json"));
	assert_false(matches("/getMe", "/getMe:x"));
	assert_false(matches("/getMe", "/getMe;x"));
	assert_false(matches("/getMe", "/getMe%2Fx"));
	assert_false(matches("/getMe", "/getM"));
	assert_false(matches("/getMe", "/x/getMe"));
	assert_false(matches("/getMe", "/GetMe"));

	assert_true(matches("/v1/", "/v1/x"));
	assert_true(matches("/v1/", "/v1/"));
	assert_false(matches("/v1/", "/v1"));
	assert_true(matches("/users.", "/users.list"));
	assert_false(matches("/users.", "/users"));
	assert_true(matches("/models/gemini:", "/models/gemini:generate"));
	assert_false(matches("/models/gemini:", "/models/gemini"));
	assert_true(matches("/", "/"));
	assert_true(matches("/", "/anything/at/all"));
	assert_false(matches("", "/x"));
	assert_false(matches("", ""));
	assert_false(matches("/x", ""));
}

static char *methods[] = {"GET", "POST"};
static char *hosts[] = {"api.example.com", "*.files.example.com"};
static char *paths[] = {"/v1/items", "/upload/"};
static const struct capability item = {.id = "example/items",
    .methods = {methods, 2},
    .hosts = {hosts, 2},
    .paths = {paths, 2},
    .http = 1};

static const char *
answer(const struct capability *c, const char *method, const char *host, const char *path)
{
	static struct fault f;
	enum av_err e;

	memset(&f, 0, sizeof(f));
	e = reach_allows(c, str_of(method), str_of(host), str_of(path), &f);
	if (e == AV_OK)
		return "allowed";
	assert_int_equal(e, AV_EPOLICY);
	assert_int_equal(f.err, AV_EPOLICY);
	assert_non_null(strstr(f.message, "example/items"));
	assert_true(f.remedy[0] != '\0');
	return f.reason;
}

static void
test_i13_reach_needs_method_host_and_path_together(void **state)
{
	(void)state;
	assert_string_equal(answer(&item, "GET", "api.example.com", "/v1/items"), "allowed");
	assert_string_equal(answer(&item, "POST", "a.files.example.com", "/upload/x"), "allowed");
	assert_string_equal(
	    answer(&item, "get", "api.example.com", "/v1/items"), "method_not_allowed");
	assert_string_equal(
	    answer(&item, "DELETE", "api.example.com", "/v1/items"), "method_not_allowed");
	assert_string_equal(
	    answer(&item, "", "api.example.com", "/v1/items"), "method_not_allowed");
	assert_string_equal(
	    answer(&item, "GET", "evil.example.com", "/v1/items"), "host_not_allowed");
	assert_string_equal(
	    answer(&item, "GET", "files.example.com", "/v1/items"), "host_not_allowed");
	assert_string_equal(answer(&item, "GET", "", "/v1/items"), "host_not_allowed");
	assert_string_equal(
	    answer(&item, "GET", "api.example.com", "/v1/itemsets"), "path_not_allowed");
	assert_string_equal(answer(&item, "GET", "api.example.com", "/"), "path_not_allowed");
	assert_string_equal(answer(&item, "GET", "api.example.com", ""), "path_not_allowed");
}

static void
test_i13_empty_capability_reaches_nothing(void **state)
{
	const struct capability none = {.id = "example/items"};

	(void)state;
	assert_string_equal(answer(&none, "GET", "api.example.com", "/"), "method_not_allowed");
}

static void
test_denial_cuts_long_text_of_the_caller(void **state)
{
	static char path[20000];
	struct fault f = {0};

	(void)state;
	memset(path, 'x', sizeof(path) - 1);
	path[0] = '/';
	assert_int_equal(
	    reach_allows(&item, STR_LIT("GET"), STR_LIT("api.example.com"), str_of(path), &f),
	    AV_EPOLICY);
	assert_true(strlen(f.message) < 300);
	assert_int_equal(
	    reach_allows(&item, str_of(path), STR_LIT("api.example.com"), STR_LIT("/"), NULL),
	    AV_EPOLICY);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_i13_prefix_matches_only_at_a_boundary),
	    cmocka_unit_test(test_i13_reach_needs_method_host_and_path_together),
	    cmocka_unit_test(test_i13_empty_capability_reaches_nothing),
	    cmocka_unit_test(test_denial_cuts_long_text_of_the_caller),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
