/* SPDX-License-Identifier: Apache-2.0 */
#include "base/frame.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

static void
make_frame(struct buf *b)
{
	struct frame_writer w;

	fw_begin(&w, b, 0x1234);
	fw_u8(&w, 0xab);
	fw_u32(&w, 0x01020304);
	fw_u64(&w, 0x1122334455667788u);
	fw_str(&w, STR_LIT("a\0b"));
	fw_cstr(&w, "text");
	fw_cstr(&w, NULL);
	assert_int_equal(fw_end(&w), AV_OK);
}

static void
test_layout_is_little_endian_with_an_eight_byte_head(void **state)
{
	static const uint8_t want[] = {13, 0, 0, 0, 0x02, 0x01, 0, 0, 0xff, 0x04, 0x03, 0x02, 0x01,
	    4, 0, 0, 0, 'w', 'x', 'y', 'z'};
	struct frame_writer w;
	struct buf b;

	(void)state;
	buf_init(&b, FRAME_MAX);
	fw_begin(&w, &b, 0x0102);
	fw_u8(&w, 0xff);
	fw_u32(&w, 0x01020304);
	fw_cstr(&w, "wxyz");
	assert_int_equal(fw_end(&w), AV_OK);
	assert_int_equal(b.len, sizeof want);
	assert_memory_equal(b.data, want, sizeof want);
	buf_clear(&b);
}

static void
test_what_is_written_is_read_back(void **state)
{
	struct frame_reader r;
	struct frame f;
	struct buf b;
	size_t used;

	(void)state;
	buf_init(&b, FRAME_MAX);
	make_frame(&b);
	assert_int_equal(frame_parse(b.data, b.len, &f, &used), AV_OK);
	assert_int_equal(used, b.len);
	assert_int_equal(f.type, 0x1234);
	fr_begin(&r, &f);
	assert_int_equal(fr_u8(&r), 0xab);
	assert_int_equal(fr_u32(&r), 0x01020304);
	assert_true(fr_u64(&r) == 0x1122334455667788u);
	assert_true(str_eq(fr_str(&r, 3), STR_LIT("a\0b")));
	assert_true(str_eq_cstr(fr_text(&r, 4), "text"));
	assert_int_equal(fr_text(&r, 0).len, 0);
	assert_int_equal(fr_finish(&r), AV_OK);
	buf_clear(&b);
}

static void
test_every_truncation_asks_for_more(void **state)
{
	struct frame f;
	struct buf b;
	size_t used;

	(void)state;
	buf_init(&b, FRAME_MAX);
	make_frame(&b);
	for (size_t n = 0; n < b.len; n++)
		assert_int_equal(frame_parse(b.data, n, &f, &used), AV_ETRUNC);
	buf_clear(&b);
}

static void
test_a_payload_cut_anywhere_fails_the_reader(void **state)
{
	struct frame f;
	struct buf b;
	size_t used, whole;

	(void)state;
	buf_init(&b, FRAME_MAX);
	make_frame(&b);
	assert_int_equal(frame_parse(b.data, b.len, &f, &used), AV_OK);
	whole = f.len;
	for (f.len = 0; f.len < whole; f.len++) {
		struct frame_reader r;

		fr_begin(&r, &f);
		(void)fr_u8(&r);
		(void)fr_u32(&r);
		(void)fr_u64(&r);
		(void)fr_str(&r, 100);
		(void)fr_text(&r, 100);
		(void)fr_text(&r, 100);
		assert_int_equal(fr_finish(&r), AV_ETRUNC);
	}
	buf_clear(&b);
}

static void
test_frames_follow_each_other(void **state)
{
	struct frame f;
	struct buf b;
	size_t first, second;

	(void)state;
	buf_init(&b, FRAME_MAX);
	make_frame(&b);
	first = b.len;
	make_frame(&b);
	assert_int_equal(frame_parse(b.data, b.len, &f, &second), AV_OK);
	assert_int_equal(second, first);
	assert_int_equal(frame_parse(b.data + first, b.len - first, &f, &second), AV_OK);
	assert_int_equal(second, b.len - first);
	buf_clear(&b);
}

static void
test_a_broken_head_is_refused_before_its_payload_comes(void **state)
{
	static const uint8_t too_long[] = {0x01, 0x00, 0x10, 0x00, 1, 0, 0, 0};
	static const uint8_t longest[] = {0x00, 0x00, 0x10, 0x00, 1, 0, 0, 0};
	static const uint8_t not_zero[] = {0, 0, 0, 0, 1, 0, 1, 0};
	static const uint8_t not_zero_high[] = {0, 0, 0, 0, 1, 0, 0, 1};
	struct frame f;
	size_t used;

	(void)state;
	assert_int_equal(frame_parse(too_long, 8, &f, &used), AV_ELIMIT);
	assert_int_equal(frame_parse(longest, 8, &f, &used), AV_ETRUNC);
	assert_int_equal(frame_parse(not_zero, 8, &f, &used), AV_EFORMAT);
	assert_int_equal(frame_parse(not_zero_high, 8, &f, &used), AV_EFORMAT);
}

static void
test_bytes_left_over_fail_the_reader(void **state)
{
	struct frame_reader r;
	struct frame f = {.type = 1, .payload = (const uint8_t *)"\1\2", .len = 2};

	(void)state;
	fr_begin(&r, &f);
	assert_int_equal(fr_u8(&r), 1);
	assert_int_equal(fr_finish(&r), AV_EFORMAT);
}

static void
test_after_a_bad_read_everything_is_empty(void **state)
{
	static const uint8_t bytes[] = {9, 0, 0, 0, 'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i'};
	struct frame_reader r;
	struct frame f = {.type = 1, .payload = bytes, .len = sizeof bytes};

	(void)state;
	fr_begin(&r, &f);
	assert_int_equal(fr_str(&r, 8).len, 0);
	assert_int_equal(r.err, AV_ELIMIT);
	assert_int_equal(fr_u8(&r), 0);
	assert_int_equal(fr_u64(&r), 0);
	assert_int_equal(fr_count(&r, 5), 0);
	assert_int_equal(fr_text(&r, 100).len, 0);
	assert_int_equal(fr_finish(&r), AV_ELIMIT);
	fr_begin(&r, &f);
	assert_int_equal(fr_str(&r, 9).len, 9);
	assert_int_equal(fr_finish(&r), AV_OK);
}

static void
test_text_is_utf8_without_nul(void **state)
{
	static const char *const bad[] = {"\2\0\0\0\xff\x41", "\2\0\0\0\xc3\x28", "\2\0\0\0a\0"};

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct frame f = {.type = 1, .payload = (const uint8_t *)bad[i], .len = 6};
		struct frame_reader r;

		fr_begin(&r, &f);
		assert_int_equal(fr_text(&r, 100).len, 0);
		assert_int_equal(fr_finish(&r), AV_EFORMAT);
		fr_begin(&r, &f);
		assert_int_equal(fr_str(&r, 100).len, 2);
		assert_int_equal(fr_finish(&r), AV_OK);
	}
}

static void
test_a_count_has_a_limit(void **state)
{
	struct frame f = {.type = 1, .payload = (const uint8_t *)"\5\0\0\0", .len = 4};
	struct frame_reader r;

	(void)state;
	fr_begin(&r, &f);
	assert_int_equal(fr_count(&r, 4), 0);
	assert_int_equal(fr_finish(&r), AV_ELIMIT);
	fr_begin(&r, &f);
	assert_int_equal(fr_count(&r, 5), 5);
	assert_int_equal(fr_finish(&r), AV_OK);
}

static void
test_a_failed_frame_leaves_nothing_behind(void **state)
{
	struct frame_writer w;
	struct buf b;
	size_t before;

	(void)state;
	buf_init(&b, 100);
	make_frame(&b);
	before = b.len;
	fw_begin(&w, &b, 2);
	fw_cstr(&w, "secret, secret, secret, secret, secret");
	fw_cstr(&w, "and much more than the buffer may take, by any measure");
	assert_int_equal(fw_end(&w), AV_ELIMIT);
	assert_int_equal(b.len, before);
	assert_int_equal(buf_err(&b), AV_OK);
	for (size_t i = before; i < before + 8 + 4 + 38; i++)
		assert_int_equal(b.data[i], 0);
	fw_begin(&w, &b, 3);
	assert_int_equal(fw_end(&w), AV_OK);
	buf_clear(&b);
}

static void
test_a_buffer_that_had_failed_stays_failed(void **state)
{
	struct frame_writer w;
	struct buf b;

	(void)state;
	buf_init(&b, 4);
	assert_int_equal(buf_append_str(&b, "12345"), AV_ELIMIT);
	fw_begin(&w, &b, 2);
	fw_u8(&w, 1);
	assert_int_equal(fw_end(&w), AV_ELIMIT);
	assert_int_equal(buf_err(&b), AV_ELIMIT);
	buf_clear(&b);
}

static void
test_the_sender_keeps_to_the_limits_too(void **state)
{
	static char big[FRAME_MAX + 1];
	struct frame_writer w;
	struct buf b;

	(void)state;
	buf_init(&b, 4 * FRAME_MAX);
	fw_begin(&w, &b, 1);
	fw_str(&w, (struct str){big, sizeof big});
	assert_int_equal(fw_end(&w), AV_ELIMIT);
	fw_begin(&w, &b, 1);
	fw_str(&w, (struct str){big, FRAME_MAX - 3});
	assert_int_equal(fw_end(&w), AV_ELIMIT);
	fw_begin(&w, &b, 1);
	fw_str(&w, (struct str){big, FRAME_MAX - 4});
	assert_int_equal(fw_end(&w), AV_OK);
	buf_reset(&b);
	fw_begin(&w, &b, 1);
	fw_str_max(&w, STR_LIT("abcd"), 3);
	assert_int_equal(fw_end(&w), AV_ELIMIT);
	fw_begin(&w, &b, 1);
	fw_text(&w, STR_LIT("a\0c"), 3);
	assert_int_equal(fw_end(&w), AV_EFORMAT);
	fw_begin(&w, &b, 1);
	fw_text(&w, STR_LIT("\xff"), 3);
	assert_int_equal(fw_end(&w), AV_EFORMAT);
	assert_int_equal(b.len, 0);
	buf_clear(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_layout_is_little_endian_with_an_eight_byte_head),
	    cmocka_unit_test(test_what_is_written_is_read_back),
	    cmocka_unit_test(test_every_truncation_asks_for_more),
	    cmocka_unit_test(test_a_payload_cut_anywhere_fails_the_reader),
	    cmocka_unit_test(test_frames_follow_each_other),
	    cmocka_unit_test(test_a_broken_head_is_refused_before_its_payload_comes),
	    cmocka_unit_test(test_bytes_left_over_fail_the_reader),
	    cmocka_unit_test(test_after_a_bad_read_everything_is_empty),
	    cmocka_unit_test(test_text_is_utf8_without_nul),
	    cmocka_unit_test(test_a_count_has_a_limit),
	    cmocka_unit_test(test_a_failed_frame_leaves_nothing_behind),
	    cmocka_unit_test(test_a_buffer_that_had_failed_stays_failed),
	    cmocka_unit_test(test_the_sender_keeps_to_the_limits_too),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
