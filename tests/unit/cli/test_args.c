/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/args.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const struct option options[] = {
    {"name", "NAME", false, ""},
    {"header", "K=V", true, ""},
    {"stream", NULL, false, ""},
    {"limit", "N", false, ""},
    {NULL, NULL, false, NULL},
};

#define PARSE(a, f, ...)                                                                \
	args_parse(a, options, (int)(sizeof((char *[]){__VA_ARGS__}) / sizeof(char *)), \
	    (char *[]){__VA_ARGS__}, f)

static void
test_both_forms_of_a_value(void **state)
{
	struct args a;
	struct fault f;

	(void)state;
	assert_int_equal(
	    PARSE(&a, &f, "id", "--name", "x", "--header=k=v", "--header", "a: b"), AV_OK);
	assert_string_equal(args_value(&a, "name"), "x");
	assert_int_equal(a.positional_count, 1);
	assert_string_equal(a.positional[0], "id");
	size_t pos = 0;
	assert_string_equal(args_next(&a, "header", &pos), "k=v");
	assert_string_equal(args_next(&a, "header", &pos), "a: b");
	assert_null(args_next(&a, "header", &pos));
}

static void
test_a_value_with_a_dash_needs_an_equals_sign(void **state)
{
	struct args a;
	struct fault f;

	(void)state;
	assert_int_equal(PARSE(&a, &f, "--name", "-x"), AV_EUSAGE);
	assert_int_equal(PARSE(&a, &f, "--name=-x"), AV_OK);
	assert_string_equal(args_value(&a, "name"), "-x");
	/* A lone dash is standard input, not an option. */
	assert_int_equal(PARSE(&a, &f, "--name", "-"), AV_OK);
	assert_string_equal(args_value(&a, "name"), "-");
}

static void
test_wrong_usage_is_refused_without_echoing_values(void **state)
{
	struct args a;
	struct fault f;

	(void)state;
	assert_int_equal(PARSE(&a, &f, "--frob=sk-secret"), AV_EUSAGE);
	assert_non_null(strstr(f.message, "--frob"));
	assert_null(strstr(f.message, "sk-secret"));
	assert_int_equal(PARSE(&a, &f, "--name"), AV_EUSAGE);
	assert_int_equal(PARSE(&a, &f, "--stream=1"), AV_EUSAGE);
	assert_int_equal(PARSE(&a, &f, "-x"), AV_EUSAGE);
	assert_int_equal(PARSE(&a, &f, "a", "b", "c", "d", "e"), AV_EUSAGE);
	assert_int_equal(PARSE(&a, &f, "--output", "yaml"), AV_EUSAGE);
}

static void
test_an_option_that_does_not_repeat_stands_once(void **state)
{
	struct args a;
	struct fault f;

	(void)state;
	assert_int_equal(PARSE(&a, &f, "--name", "a", "--name", "b"), AV_EUSAGE);
}

static void
test_common_options_and_double_dash(void **state)
{
	struct args a;
	struct fault f;

	(void)state;
	assert_int_equal(PARSE(&a, &f, "-v", "--help", "--", "--name"), AV_OK);
	assert_true(a.verbose);
	assert_true(a.help);
	assert_string_equal(a.positional[0], "--name");
	assert_true(args_wants_json(&a));
	assert_int_equal(PARSE(&a, &f, "--output", "json"), AV_OK);
	assert_true(args_wants_json(&a));
	assert_int_equal(PARSE(&a, &f, "--output=table", "-v"), AV_OK);
	assert_false(args_wants_json(&a));
}

static void
test_numbers_have_bounds(void **state)
{
	struct args a;
	struct fault f;
	uint64_t n;

	(void)state;
	assert_int_equal(PARSE(&a, &f, "--limit", "7"), AV_OK);
	assert_int_equal(args_number(&a, "limit", 0, 10, 3, &n, &f), AV_OK);
	assert_int_equal(n, 7);
	assert_int_equal(args_number(&a, "limit", 0, 6, 3, &n, &f), AV_EUSAGE);
	assert_int_equal(PARSE(&a, &f, "--limit", "7x"), AV_OK);
	assert_int_equal(args_number(&a, "limit", 0, 10, 3, &n, &f), AV_EUSAGE);
	assert_int_equal(PARSE(&a, &f, "x"), AV_OK);
	assert_int_equal(args_number(&a, "limit", 0, 10, 3, &n, &f), AV_OK);
	assert_int_equal(n, 3);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_both_forms_of_a_value),
	    cmocka_unit_test(test_a_value_with_a_dash_needs_an_equals_sign),
	    cmocka_unit_test(test_wrong_usage_is_refused_without_echoing_values),
	    cmocka_unit_test(test_an_option_that_does_not_repeat_stands_once),
	    cmocka_unit_test(test_common_options_and_double_dash),
	    cmocka_unit_test(test_numbers_have_bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
