/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/when.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define NOW INT64_C(1800000000000)

static void
test_durations_count_back_from_now(void **state)
{
	int64_t ms;

	(void)state;
	assert_int_equal(when_parse_at(STR_LIT("1h"), NOW, &ms), AV_OK);
	assert_int_equal(ms, NOW - 3600000);
	assert_int_equal(when_parse_at(STR_LIT("7d"), NOW, &ms), AV_OK);
	assert_int_equal(ms, NOW - INT64_C(604800000));
}

static void
test_dates_are_utc(void **state)
{
	int64_t ms;

	(void)state;
	assert_int_equal(when_parse_at(STR_LIT("1970-01-02"), NOW, &ms), AV_OK);
	assert_int_equal(ms, 86400000);
	assert_int_equal(when_parse_at(STR_LIT("2024-02-29"), NOW, &ms), AV_OK);
	assert_int_equal(ms, INT64_C(1709164800000));
	assert_int_equal(when_parse_at(STR_LIT("2026-01-31T12:00:05Z"), NOW, &ms), AV_OK);
	assert_int_equal(ms, INT64_C(1769860805000));
	assert_int_equal(when_parse_at(STR_LIT("1769860805000"), NOW, &ms), AV_OK);
	assert_int_equal(ms, INT64_C(1769860805000));
}

static void
test_anything_else_is_refused(void **state)
{
	static const char *const bad[] = {"", "yesterday", "1w", "2026-13-01",
	    "2026-01-31T12:00:05", "2026-01-31 12:00:05Z", "-1h", "2026-01-31x", "2026-02-30",
	    "2026-02-29", "2026-04-31T12:00:00Z", "2100-02-29", "2026-00-10", "2026-01-00"};
	int64_t ms;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(when_parse_at(str_of(bad[i]), NOW, &ms), AV_EFORMAT);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_durations_count_back_from_now),
	    cmocka_unit_test(test_dates_are_utc),
	    cmocka_unit_test(test_anything_else_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
