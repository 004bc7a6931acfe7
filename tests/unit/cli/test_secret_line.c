/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/secret_line.h"

#include "base/str.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define MAX 16u

static void
check(const char *typed, enum line_state want, const char *text)
{
	struct secret_line l;
	struct buf out;

	buf_init(&out, 2 * MAX);
	secret_line_init(&l, &out, MAX);
	for (const char *p = typed; *p != '\0'; p++)
		secret_line_take(&l, (uint8_t)*p);
	assert_int_equal(l.state, want);
	if (want == LINE_ENDED || want == LINE_OPEN)
		assert_string_equal(buf_cstr(&out), text);
	buf_clear(&out);
}

static void
test_a_line_ends_with_return(void **state)
{
	(void)state;
	check("abc", LINE_OPEN, "abc");
	check("abc\r", LINE_ENDED, "abc");
	check("abc\n", LINE_ENDED, "abc");
	check("abc\r\n\n", LINE_ENDED, "abc");
	check("gr\xc3\xbc\xc3\x9f\r", LINE_ENDED, "gr\xc3\xbc\xc3\x9f");
	check("\r", LINE_ENDED, "");
	check("\x04", LINE_ENDED, "");
}

static void
test_typing_can_be_taken_back(void **state)
{
	(void)state;
	check("abx\x7f"
	      "c\r",
	    LINE_ENDED, "abc");
	check("abx\bc\r", LINE_ENDED, "abc");
	check("a\xc3\xbc\x7f"
	      "b\r",
	    LINE_ENDED, "ab");
	check("\x7f\x7f"
	      "a\r",
	    LINE_ENDED, "a");
	check("wrong\x15right\r", LINE_ENDED, "right");
	check("\x15\r", LINE_ENDED, "");
	check("wrong\x03", LINE_INTERRUPTED, "");
	check("0123456789abcdefX\x7f\r", LINE_TOO_LONG, "");
}

static void
test_marks_of_a_paste_are_dropped(void **state)
{
	(void)state;
	check("\033[200~abc\033[201~\r", LINE_ENDED, "abc");
	check("a\033[200~b\033[201~c\r", LINE_ENDED, "abc");
	check("\033[200~abc\n\033[201~", LINE_ENDED, "abc");
	check("\033[200~abc\r\033[201~\r", LINE_ENDED, "abc");
	check("abc\r\033[201~", LINE_ENDED, "abc");
}

static void
test_other_control_bytes_are_refused(void **state)
{
	static const char *const bad[] = {"a\032\r", "a\t\r", "a\033\r", "a\033[A\r", "a\033[200\r",
	    "a\033[202~\r", "a\x04", "\001", "\033[200~a\x7f\033[201~\r",
	    "\033[200~a\x03\033[201~\r", "\033[200~\x04", "a\r\x7f"};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		check(bad[i], LINE_CONTROL, "");
}

static void
test_more_than_one_line_is_refused(void **state)
{
	static const char *const bad[] = {"a\rb", "a\nb\n", "a\r\n\r\nb",
	    "\033[200~a\nb\033[201~\r", "\033[200~a\n\033[201~b\r", "\033[200~\na\033[201~\r"};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		check(bad[i], LINE_MORE, "");
}

static void
test_a_line_has_a_limit(void **state)
{
	(void)state;
	check("0123456789abcdef\r", LINE_ENDED, "0123456789abcdef");
	check("0123456789abcdefg\r", LINE_TOO_LONG, "");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_a_line_ends_with_return),
	    cmocka_unit_test(test_typing_can_be_taken_back),
	    cmocka_unit_test(test_marks_of_a_paste_are_dropped),
	    cmocka_unit_test(test_other_control_bytes_are_refused),
	    cmocka_unit_test(test_more_than_one_line_is_refused),
	    cmocka_unit_test(test_a_line_has_a_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
