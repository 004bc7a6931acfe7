/* SPDX-License-Identifier: Apache-2.0 */
/* The broker's limits, as flags and as the lines that come at a reload. */
#include "broker/options.h"

#include "base/io.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static enum av_err
read_lines(struct broker_options *o, const char *text)
{
	enum av_err e;
	int ends[2];

	assert_int_equal(pipe(ends), 0);
	assert_int_equal(io_write_all(ends[1], text, strlen(text)), AV_OK);
	assert_int_equal(close(ends[1]), 0);
	e = broker_options_read(o, ends[0]);
	assert_int_equal(close(ends[0]), 0);
	return e;
}

static void
test_lines_change_what_they_name(void **state)
{
	struct broker_options o;

	(void)state;
	broker_options_init(&o);
	assert_int_equal(read_lines(&o, "--max-per-caller 3\n--idle-timeout 2\n"), AV_OK);
	assert_int_equal(o.max_per_caller, 3);
	assert_int_equal(o.idle_ms, 2000);
	assert_int_equal(o.max_connections, 1024);
	assert_int_equal(o.first_byte_ms, 600000);
}

static void
test_one_wrong_line_and_none_counts(void **state)
{
	static const char *const wrong[] = {
	    "--max-per-caller 3\n--frob 1\n",
	    "--max-per-caller 3\n--idle-timeout 0\n",
	    "--max-per-caller 3\n--idle-timeout\n",
	    "--max-per-caller 3\n--idle-timeout 2",
	    "--max-per-caller 3\n\n",
	};
	struct broker_options o, before;

	(void)state;
	broker_options_init(&o);
	before = o;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		assert_int_not_equal(read_lines(&o, wrong[i]), AV_OK);
		assert_memory_equal(&o, &before, sizeof(o));
	}
}

static void
test_flags_take_a_value_each(void **state)
{
	char *good[] = {"aivault-broker", "--max-connections", "10"};
	char *bare[] = {"aivault-broker", "--max-connections"};
	struct broker_options o;

	(void)state;
	broker_options_init(&o);
	assert_int_equal(broker_options_parse(&o, 3, good), AV_OK);
	assert_int_equal(o.max_connections, 10);
	assert_int_equal(broker_options_parse(&o, 2, bare), AV_EUSAGE);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_lines_change_what_they_name),
	    cmocka_unit_test(test_one_wrong_line_and_none_counts),
	    cmocka_unit_test(test_flags_take_a_value_each),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
