/* SPDX-License-Identifier: Apache-2.0 */
#include "base/err.h"
#include "base/str.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

static void
test_every_error_has_name_code_text_and_numbers(void **state)
{
	(void)state;
	for (unsigned i = 0; i < AV_ERR_COUNT; i++) {
		enum av_err e = (enum av_err)i;

		assert_memory_equal(av_err_name(e), "AV_", 3);
		assert_true(strlen(av_err_code(e)) > 0);
		assert_true(strlen(av_err_text(e)) > 0);
		assert_in_range(av_err_http(e), 200, 599);
		assert_in_range(av_err_exit(e), 0, 2);
		assert_true((e == AV_OK) == (av_err_exit(e) == 0));
		assert_true((e == AV_OK) == (av_err_http(e) == 200));
	}
}

static void
test_a_number_outside_the_list_reads_as_a_system_error(void **state)
{
	(void)state;
	assert_string_equal(av_err_name((enum av_err)AV_ERR_COUNT), "AV_ESYS");
	assert_string_equal(av_err_name((enum av_err)12345), "AV_ESYS");
	assert_int_equal(av_err_http((enum av_err)12345), 500);
}

static void
test_policy_denial_is_a_403_policy_violation(void **state)
{
	(void)state;
	assert_string_equal(av_err_code(AV_EPOLICY), "policy_violation");
	assert_int_equal(av_err_http(AV_EPOLICY), 403);
	assert_int_equal(av_err_exit(AV_EUSAGE), 2);
}

static void
test_fault_is_filled_and_its_error_returned(void **state)
{
	struct fault f;

	(void)state;
	memset(&f, 0xff, sizeof f);
	assert_int_equal(
	    fault_set(&f, AV_EPOLICY, "host_not_allowed", "Ask.", "host %s, port %d", "x", 7),
	    AV_EPOLICY);
	assert_int_equal(f.err, AV_EPOLICY);
	assert_string_equal(f.reason, "host_not_allowed");
	assert_string_equal(f.message, "host x, port 7");
	assert_string_equal(f.remedy, "Ask.");
	assert_int_equal(fault_set(NULL, AV_ELIMIT, "x", "", "y"), AV_ELIMIT);
}

static void
test_fault_takes_null_words_as_empty(void **state)
{
	struct fault f;

	(void)state;
	(void)fault_set(&f, AV_ESYS, NULL, NULL, "plain");
	assert_string_equal(f.reason, "");
	assert_string_equal(f.remedy, "");
}

static void
test_fault_may_quote_the_fault_that_it_replaces(void **state)
{
	struct fault f;

	(void)state;
	(void)fault_set(&f, AV_ESYS, "inner", "mend it", "inner words");
	(void)fault_set(&f, AV_EAUDIT, f.reason, f.remedy, "outer: %s", f.message);
	assert_string_equal(f.reason, "inner");
	assert_string_equal(f.remedy, "mend it");
	assert_string_equal(f.message, "outer: inner words");
}

/* Text of one width of character, at every offset, must be cut between characters. */
static void
cut_with(const char *character)
{
	char text[1200];
	struct fault f;

	for (size_t pad = 0; pad < 4; pad++) {
		size_t width = strlen(character), at;

		memset(text, 'a', pad);
		for (at = pad; at + width < sizeof text; at += width)
			memcpy(text + at, character, width);
		text[at] = '\0';
		(void)fault_set(&f, AV_ESYS, text, text, "%s", text);
		assert_true(str_is_utf8(str_of(f.message)));
		assert_true(str_is_utf8(str_of(f.remedy)));
		assert_true(str_is_utf8(str_of(f.reason)));
		assert_in_range(strlen(f.message), sizeof f.message - 4, sizeof f.message - 1);
		assert_in_range(strlen(f.remedy), sizeof f.remedy - 4, sizeof f.remedy - 1);
		assert_in_range(strlen(f.reason), sizeof f.reason - 4, sizeof f.reason - 1);
	}
}

static void
test_long_text_is_cut_between_characters(void **state)
{
	(void)state;
	cut_with("z");
	cut_with("\xc3\xa9");
	cut_with("\xe2\x82\xac");
	cut_with("\xf0\x9f\x94\x91");
}

static void
test_text_that_just_fits_is_kept_whole(void **state)
{
	char text[sizeof(((struct fault *)0)->message)];
	struct fault f;

	(void)state;
	memset(text, 'b', sizeof text - 1);
	text[sizeof text - 1] = '\0';
	(void)fault_set(&f, AV_ESYS, "r", "", "%s", text);
	assert_string_equal(f.message, text);
}

static void
test_bytes_that_are_no_text_are_shown_as_marks(void **state)
{
	struct fault f;

	(void)state;
	(void)fault_set(&f, AV_ESYS, "x", "look at \xff", "%s", "/a\xff/\xc3\xa9: gone");
	assert_string_equal(f.message, "/a?/??: gone");
	assert_string_equal(f.remedy, "look at ?");
	(void)fault_set(&f, AV_ESYS, "x", "", "%s", "/\xc3\xa9: gone");
	assert_string_equal(f.message, "/\xc3\xa9: gone");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_every_error_has_name_code_text_and_numbers),
	    cmocka_unit_test(test_a_number_outside_the_list_reads_as_a_system_error),
	    cmocka_unit_test(test_policy_denial_is_a_403_policy_violation),
	    cmocka_unit_test(test_fault_is_filled_and_its_error_returned),
	    cmocka_unit_test(test_fault_takes_null_words_as_empty),
	    cmocka_unit_test(test_fault_may_quote_the_fault_that_it_replaces),
	    cmocka_unit_test(test_long_text_is_cut_between_characters),
	    cmocka_unit_test(test_bytes_that_are_no_text_are_shown_as_marks),
	    cmocka_unit_test(test_text_that_just_fits_is_kept_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
