/* SPDX-License-Identifier: Apache-2.0 */
#include "base/buf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

static void
test_appends_add_up(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 1000);
	assert_int_equal(buf_append(&b, "ab", 2), AV_OK);
	assert_int_equal(buf_append_str(&b, "cd"), AV_OK);
	assert_int_equal(buf_append_byte(&b, 'e'), AV_OK);
	assert_int_equal(buf_appendf(&b, "-%d-%s", 42, "f"), AV_OK);
	assert_int_equal(buf_append(&b, NULL, 0), AV_OK);
	assert_int_equal(b.len, 10);
	assert_memory_equal(b.data, "abcde-42-f", 10);
	assert_string_equal(buf_cstr(&b), "abcde-42-f");
	assert_int_equal(b.len, 10);
	buf_clear(&b);
	assert_null(b.data);
	assert_int_equal(b.max, 1000);
}

static void
test_an_append_past_the_maximum_fails_and_sticks(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 4);
	assert_int_equal(buf_append_str(&b, "abcd"), AV_OK);
	assert_int_equal(buf_append_byte(&b, 'e'), AV_ELIMIT);
	assert_int_equal(b.len, 4);
	assert_int_equal(buf_err(&b), AV_ELIMIT);
	buf_consume(&b, 4);
	assert_int_equal(buf_append_byte(&b, 'f'), AV_ELIMIT);
	assert_null(buf_cstr(&b));
	buf_reset(&b);
	assert_int_equal(buf_err(&b), AV_OK);
	assert_int_equal(buf_append_str(&b, "wxyz"), AV_OK);
	buf_clear(&b);
}

static void
test_the_maximum_holds_for_every_way_in(void **state)
{
	struct buf b;
	uint8_t *room;

	(void)state;
	buf_init(&b, 3);
	assert_int_equal(buf_appendf(&b, "%s", "four"), AV_ELIMIT);
	buf_clear(&b);
	assert_int_equal(buf_reserve(&b, 4, &room), AV_ELIMIT);
	assert_null(room);
	buf_clear(&b);
	assert_int_equal(buf_append(&b, "x", SIZE_MAX), AV_ELIMIT);
	buf_clear(&b);
	buf_init(&b, SIZE_MAX);
	assert_int_equal(buf_append_byte(&b, 'x'), AV_OK);
	assert_int_not_equal(buf_append(&b, "x", SIZE_MAX - 1), AV_OK);
	assert_int_equal(b.len, 1);
	buf_clear(&b);
}

static void
test_a_full_buffer_still_gives_its_text(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 64); /* exactly the first block: the NUL needs a byte beyond the maximum */
	for (int i = 0; i < 64; i++)
		assert_int_equal(buf_append_byte(&b, 'q'), AV_OK);
	assert_int_equal(strlen(buf_cstr(&b)), 64);
	assert_int_equal(buf_append_byte(&b, 'q'), AV_ELIMIT);
	buf_clear(&b);
	buf_init(&b, 0);
	assert_string_equal(buf_cstr(&b), "");
	buf_clear(&b);
}

static void
test_consume_moves_the_rest_up_and_wipes_what_is_left_over(void **state)
{
	static const uint8_t zeros[4];
	struct buf b;

	(void)state;
	buf_init(&b, 100);
	assert_int_equal(buf_append_str(&b, "abcdefgh"), AV_OK);
	buf_consume(&b, 4);
	assert_int_equal(b.len, 4);
	assert_memory_equal(b.data, "efgh", 4);
	assert_memory_equal(b.data + 4, zeros, 4);
	buf_consume(&b, 4);
	assert_int_equal(b.len, 0);
	assert_memory_equal(b.data, zeros, 4);
	buf_consume(&b, 0);
	buf_clear(&b);
}

static void
test_reset_wipes_the_content(void **state)
{
	static const uint8_t zeros[6];
	struct buf b;

	(void)state;
	buf_init(&b, 100);
	assert_int_equal(buf_append_str(&b, "canary"), AV_OK);
	buf_reset(&b);
	assert_int_equal(b.len, 0);
	assert_memory_equal(b.data, zeros, 6);
	buf_clear(&b);
}

static void
test_reserve_and_commit_grow_the_buffer_in_place(void **state)
{
	struct buf b;
	uint8_t *room;

	(void)state;
	buf_init(&b, 100000);
	for (size_t i = 0; i < 300; i++) {
		assert_int_equal(buf_reserve(&b, 100, &room), AV_OK);
		memset(room, (int)(i & 0xff), 100);
		buf_commit(&b, 100);
	}
	assert_int_equal(b.len, 30000);
	for (size_t i = 0; i < b.len; i++)
		assert_int_equal(b.data[i], (i / 100) & 0xff);
	buf_clear(&b);
}

static void
test_wipe_overwrites_and_takes_nothing(void **state)
{
	uint8_t bytes[3] = {1, 2, 3};

	(void)state;
	av_wipe(bytes, 2);
	assert_int_equal(bytes[0] | bytes[1], 0);
	assert_int_equal(bytes[2], 3);
	av_wipe(NULL, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_appends_add_up),
	    cmocka_unit_test(test_an_append_past_the_maximum_fails_and_sticks),
	    cmocka_unit_test(test_the_maximum_holds_for_every_way_in),
	    cmocka_unit_test(test_a_full_buffer_still_gives_its_text),
	    cmocka_unit_test(test_consume_moves_the_rest_up_and_wipes_what_is_left_over),
	    cmocka_unit_test(test_reset_wipes_the_content),
	    cmocka_unit_test(test_reserve_and_commit_grow_the_buffer_in_place),
	    cmocka_unit_test(test_wipe_overwrites_and_takes_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
