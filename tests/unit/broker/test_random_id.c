/* SPDX-License-Identifier: Apache-2.0 */
#include "base/clock.h"
#include "base/str.h"
#include "broker/random_id.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static uint64_t
time_of(const char *id)
{
	uint8_t raw[RANDOM_ID_LEN / 2];
	uint64_t ms = 0;

	assert_int_equal(hex_decode(str_of(id), raw, sizeof(raw)), AV_OK);
	for (size_t i = 0; i < RANDOM_ID_TIME_BYTES; i++)
		ms = ms << 8 | raw[i];
	return ms;
}

static void
test_id_begins_with_the_time_that_it_was_made(void **state)
{
	char id[RANDOM_ID_LEN + 1];
	uint64_t before = (uint64_t)clock_wall_ms();

	(void)state;
	assert_int_equal(random_id(id), AV_OK);
	assert_int_equal(strlen(id), RANDOM_ID_LEN);
	assert_in_range(time_of(id), before, (uint64_t)clock_wall_ms());
}

static void
test_ids_of_one_millisecond_differ_in_their_random_part(void **state)
{
	char ids[256][RANDOM_ID_LEN + 1];

	(void)state;
	for (size_t i = 0; i < 256; i++) {
		assert_int_equal(random_id(ids[i]), AV_OK);
		for (size_t j = 0; j < i; j++)
			assert_string_not_equal(
			    ids[i] + 2 * RANDOM_ID_TIME_BYTES, ids[j] + 2 * RANDOM_ID_TIME_BYTES);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_id_begins_with_the_time_that_it_was_made),
	    cmocka_unit_test(test_ids_of_one_millisecond_differ_in_their_random_part),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
