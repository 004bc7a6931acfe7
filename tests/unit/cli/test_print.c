/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/print.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void
check_escape(const char *in, size_t len, size_t max, const char *want)
{
	struct buf b;

	buf_init(&b, 4096);
	assert_int_equal(escape_text(&b, (struct str){in, len}, max), AV_OK);
	assert_string_equal(buf_cstr(&b), want);
	buf_clear(&b);
}

static void
test_control_bytes_and_direction_marks_are_escaped(void **state)
{
	(void)state;
	check_escape("plain", 5, 100, "plain");
	check_escape("a\033[31mb\n", 7, 100, "a\\x1b[31mb");
	check_escape("x\n", 2, 100, "x\\x0a");
	check_escape("gr\xc3\xbc\xc3\x9f", 6, 100, "gr\xc3\xbc\xc3\x9f");
	check_escape("\xe2\x80\xae", 3, 100, "\\xe2\\x80\\xae"); /* right-to-left override */
	check_escape("\xc2\x9b", 2, 100, "\\xc2\\x9b"); /* C1 CSI */
	check_escape("\xd8\x9c", 2, 100, "\\xd8\\x9c"); /* Arabic letter mark */
	check_escape("\xf3\xa0\x81\x81", 4, 100, "\\xf3\\xa0\\x81\\x81"); /* tag A */
	check_escape("\xf3\xa0\x80\x80", 4, 100, "\\xf3\\xa0\\x80\\x80");
	check_escape("\xf3\xa0\x82\x80", 4, 100, "\xf3\xa0\x82\x80"); /* after the tags */
	check_escape("\xff\xc3", 2, 100, "\\xff\\xc3");
	check_escape("a\0b", 3, 100, "a\\x00b");
}

static void
test_long_text_is_cut(void **state)
{
	(void)state;
	check_escape("abcdef", 6, 3, "abc...");
}

static void
check_layout(const char *in, const char *want)
{
	struct buf b;

	buf_init(&b, 4096);
	assert_int_equal(json_layout(&b, str_of(in), 0), AV_OK);
	assert_string_equal(buf_cstr(&b), want);
	buf_clear(&b);
}

static void
test_json_layout_keeps_every_token(void **state)
{
	(void)state;
	check_layout("{\"a\":9007199254740993,\"b\":[1.50,-0.0,1E400],\"c\":{},\"d\":[ ]}",
	    "{\n  \"a\": 9007199254740993,\n  \"b\": [\n    1.50,\n    -0.0,\n    1E400\n  ],\n"
	    "  \"c\": {},\n  \"d\": []\n}");
	check_layout("\"a\\\"{,}:[\\\\\"", "\"a\\\"{,}:[\\\\\"");
	check_layout(" [ true , null ] ", "[\n  true,\n  null\n]");
	check_layout("\"\\u0000\"", "\"\\u0000\"");
	check_layout("7", "7");
}

static void
check_json_escape(const char *in, const char *want)
{
	struct buf b;

	buf_init(&b, 4096);
	assert_int_equal(json_escape(&b, str_of(in)), AV_OK);
	assert_string_equal(buf_cstr(&b), want);
	buf_clear(&b);
}

static void
test_what_a_terminal_would_not_show_is_escaped_in_json(void **state)
{
	(void)state;
	check_json_escape("", "");
	check_json_escape("{\n  \"a\": \"gr\xc3\xbc\xc3\x9f \\u0000\"\n}",
	    "{\n  \"a\": \"gr\xc3\xbc\xc3\x9f \\u0000\"\n}");
	check_json_escape("\"\x7f\xc2\x80\xc2\x9f\xc2\xa0\"", "\"\\u007f\\u0080\\u009f\xc2\xa0\"");
	check_json_escape("\"\xd8\x9c\xe2\x80\x8b\xe2\x80\x8f\"", "\"\\u061c\\u200b\\u200f\"");
	check_json_escape("\"\xe2\x80\xa8\xe2\x80\xaa\xe2\x80\xae\"", "\"\\u2028\\u202a\\u202e\"");
	check_json_escape("\"\xe2\x81\xa6\xe2\x81\xa9\xef\xbb\xbf\"", "\"\\u2066\\u2069\\ufeff\"");
	check_json_escape(
	    "\"x\xf3\xa0\x80\x80\xf3\xa0\x81\xbfy\"", "\"x\\udb40\\udc00\\udb40\\udc7fy\"");
	check_json_escape("\"\xff\xf0\x9f\x98\x80\"", "\"\xff\xf0\x9f\x98\x80\"");
}

static void
test_plural_forms(void **state)
{
	char out[40];

	(void)state;
	plural(out, sizeof(out), 1, "capability", "capabilities");
	assert_string_equal(out, "1 capability");
	plural(out, sizeof(out), 0, "capability", "capabilities");
	assert_string_equal(out, "0 capabilities");
	plural(out, sizeof(out), 302, "capability", "capabilities");
	assert_string_equal(out, "302 capabilities");
}

static void
test_table_columns_line_up_also_with_wide_bytes(void **state)
{
	static const char *const titles[] = {"A", "LONGER"};
	struct table t;
	char *text = NULL;
	size_t len = 0;
	FILE *to = open_memstream(&text, &len);

	(void)state;
	assert_non_null(to);
	table_init(&t, titles, 2);
	assert_int_equal(table_add(&t, str_of("\xc3\xbc")), AV_OK);
	assert_int_equal(table_add(&t, str_of("x")), AV_OK);
	assert_int_equal(table_add(&t, str_of("abc")), AV_OK);
	assert_int_equal(table_add(&t, str_of("\033")), AV_OK);
	table_print(&t, to);
	assert_int_equal(fclose(to), 0);
	assert_string_equal(text, "A    LONGER\n\xc3\xbc    x\nabc  \\x1b\n");
	table_clear(&t);
	free(text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_control_bytes_and_direction_marks_are_escaped),
	    cmocka_unit_test(test_long_text_is_cut),
	    cmocka_unit_test(test_json_layout_keeps_every_token),
	    cmocka_unit_test(test_what_a_terminal_would_not_show_is_escaped_in_json),
	    cmocka_unit_test(test_plural_forms),
	    cmocka_unit_test(test_table_columns_line_up_also_with_wide_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
