/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/command.h"
#include "cli/invocation.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define FIND(used, ...)                                                       \
	command_find((int)(sizeof((char *[]){__VA_ARGS__}) / sizeof(char *)), \
	    (char *[]){__VA_ARGS__}, used)

static void
test_names_and_aliases_find_their_command(void **state)
{
	int used;

	(void)state;
	assert_ptr_equal(FIND(&used, "secrets", "create", "--name", "x"), &cmd_secrets_create);
	assert_int_equal(used, 2);
	assert_ptr_equal(FIND(&used, "capability", "args", "x"), &cmd_capability_describe);
	assert_ptr_equal(FIND(&used, "call", "x"), &cmd_invoke);
	assert_int_equal(used, 1);
	assert_ptr_equal(FIND(&used, "capability", "invoke", "x"), &cmd_invoke);
	assert_int_equal(used, 2);
	assert_ptr_equal(FIND(&used, "audit", "--limit", "1"), &cmd_audit);
	assert_ptr_equal(FIND(&used, "audit", "verify"), &cmd_audit_verify);
}

static void
test_there_is_no_way_to_ask_for_a_secret(void **state)
{
	static char *const bad[][2] = {{"secrets", "resolve"}, {"secrets", "resolve-group"},
	    {"secrets", "get"}, {"secrets", "reveal"}, {"capabilities", "resolve"}};
	int used;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_null(command_find(2, bad[i], &used));
		assert_null(command_later(2, bad[i]));
	}
}

static void
test_what_comes_later_is_told_from_what_is_unknown(void **state)
{
	(void)state;
	assert_string_equal(command_later(2, (char *[]){"oauth", "setup"}), "oauth setup");
	assert_string_equal(command_later(1, (char *[]){"backup"}), "backup");
	assert_null(command_later(1, (char *[]){"frob"}));
	assert_string_equal(command_later(1, (char *[]){"policy"}), "policy");
	assert_string_equal(command_later(2, (char *[]){"token", "frob"}), "token");
	assert_null(command_later(1, (char *[]){"secrets"}));
	assert_null(command_later(2, (char *[]){"secrets", "frob"}));
	assert_true(command_is_group("token"));
	assert_false(command_is_group("status"));
	/* Nothing is both there and to come. */
	for (size_t i = 0; later_commands[i] != NULL; i++) {
		for (size_t k = 0; commands[k] != NULL; k++)
			assert_string_not_equal(later_commands[i], commands[k]->name);
	}
}

static void
test_every_command_has_its_manual(void **state)
{
	(void)state;
	for (size_t i = 0; commands[i] != NULL; i++) {
		assert_non_null(commands[i]->run);
		assert_true(strlen(commands[i]->about) > 0);
		assert_true(commands[i]->max_positional <= ARGS_MAX_POSITIONAL);
		assert_true(commands[i]->min_positional <= commands[i]->max_positional);
		for (const struct option *o = commands[i]->options; o->name != NULL; o++)
			assert_true(strlen(o->help) > 0);
	}
}

static struct args *
parsed(int argc, char **argv)
{
	struct args *a = malloc(sizeof(*a));
	struct fault f;

	assert_non_null(a);
	assert_int_equal(args_parse(a, cmd_invoke.options, argc, argv, &f), AV_OK);
	return a;
}

#define BUILD(v, f, ...)                                                                           \
	build(v, (int)(sizeof((char *[]){__VA_ARGS__}) / sizeof(char *)), (char *[]){__VA_ARGS__}, \
	    f)

static enum av_err
build(struct invocation *v, int argc, char **argv, struct fault *f)
{
	struct args *a = parsed(argc, argv);
	enum av_err e;

	invocation_init(v);
	e = invocation_build(v, a, f);
	free(a);
	return e;
}

static void
test_headers_are_split_at_the_first_separator(void **state)
{
	struct invocation v;
	struct fault f;

	(void)state;
	assert_int_equal(
	    BUILD(&v, &f, "openai/x", "--header", "a=b=c: d", "--header", "x-y: z=1"), AV_OK);
	assert_int_equal(v.headers.count, 2);
	assert_true(str_eq_cstr(v.headers.items[0].value, "b=c: d"));
	assert_true(str_eq_cstr(v.headers.items[1].name, "x-y"));
	assert_true(str_eq_cstr(v.headers.items[1].value, "z=1"));
	invocation_clear(&v);
	assert_int_equal(BUILD(&v, &f, "openai/x", "--header", "novalue"), AV_EINVAL);
	invocation_clear(&v);
	assert_int_equal(BUILD(&v, &f, "openai/x", "--header", "a=b\r\nc: d"), AV_EINVAL);
	invocation_clear(&v);
}

static void
test_json_bodies_get_their_content_type_unless_one_was_given(void **state)
{
	struct invocation v;
	struct fault f;

	(void)state;
	assert_int_equal(BUILD(&v, &f, "openai/x", "--body", " {\"a\":1}"), AV_OK);
	assert_non_null(header_list_find(&v.headers, STR_LIT("content-type")));
	invocation_clear(&v);
	assert_int_equal(BUILD(&v, &f, "openai/x", "--body", "a=1"), AV_OK);
	assert_null(header_list_find(&v.headers, STR_LIT("content-type")));
	invocation_clear(&v);
	assert_int_equal(
	    BUILD(&v, &f, "openai/x", "--body", "{}", "--header", "Content-Type=text/x"), AV_OK);
	assert_int_equal(header_list_count(&v.headers, STR_LIT("content-type")), 1);
	invocation_clear(&v);
}

static void
test_contradictions_are_refused(void **state)
{
	struct invocation v;
	struct fault f;

	(void)state;
	assert_int_equal(
	    BUILD(&v, &f, "openai/x", "--body", "a", "--body-file-path", "/dev/null"), AV_EINVAL);
	invocation_clear(&v);
	assert_int_equal(
	    BUILD(&v, &f, "openai/x", "--request", "{}", "--method", "GET"), AV_EINVAL);
	invocation_clear(&v);
	assert_int_equal(BUILD(&v, &f, "openai/x", "--group-id", "g"), AV_EINVAL);
	invocation_clear(&v);
	assert_int_equal(BUILD(&v, &f, "openai/x", "--timeout-ms", "soon"), AV_EUSAGE);
	invocation_clear(&v);
	assert_int_equal(BUILD(&v, &f, "../x"), AV_ENOCAP);
	invocation_clear(&v);
	assert_int_equal(BUILD(&v, &f, "openai/x", "--path", ""), AV_EINVAL);
	invocation_clear(&v);
}

static void
test_a_request_as_json_is_taken_strictly(void **state)
{
	static char *const bad[] = {"[]", "{", "{} x", "{\"url\":\"https://x\"}", "{\"body\":1}",
	    "{\"body\":\"a\\u0000b\"}", "{\"headers\":[{\"name\":\"a\"}]}",
	    "{\"capability\":\"other\",\"request\":{}}", "{\"request\":{},\"client_ip\":\"1\"}",
	    "{\"body\":\"a\",\"bodyFilePath\":\"/dev/null\"}"};
	struct invocation v;
	struct fault f;

	(void)state;
	assert_int_equal(
	    BUILD(&v, &f, "openai/x", "--request",
	        "{\"capability\":\"openai/"
	        "x\",\"credential\":\"c\",\"request\":{\"method\":\"POST\","
	        "\"path\":\"/a\",\"headers\":[{\"name\":\"X\",\"value\":\"y\"}],\"body\":\"z\"}}"),
	    AV_OK);
	assert_string_equal(buf_cstr(&v.method), "POST");
	assert_string_equal(buf_cstr(&v.target), "/a");
	assert_string_equal(buf_cstr(&v.body), "z");
	assert_non_null(header_list_find(&v.headers, STR_LIT("aivault-credential")));
	invocation_clear(&v);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(BUILD(&v, &f, "openai/x", "--request", bad[i]), AV_EINVAL);
		invocation_clear(&v);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_names_and_aliases_find_their_command),
	    cmocka_unit_test(test_there_is_no_way_to_ask_for_a_secret),
	    cmocka_unit_test(test_what_comes_later_is_told_from_what_is_unknown),
	    cmocka_unit_test(test_every_command_has_its_manual),
	    cmocka_unit_test(test_headers_are_split_at_the_first_separator),
	    cmocka_unit_test(test_json_bodies_get_their_content_type_unless_one_was_given),
	    cmocka_unit_test(test_contradictions_are_refused),
	    cmocka_unit_test(test_a_request_as_json_is_taken_strictly),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
