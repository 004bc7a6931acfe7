/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/counts.h"
#include "wire/limits.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "whole.h"

static enum av_err
decode_fill(const struct frame *f)
{
	struct counts_fill out;

	return counts_fill_decode(f, &out);
}

static enum av_err
decode_refund(const struct frame *f)
{
	struct counts_refund out;
	enum av_err e = counts_refund_decode(f, &out);

	counts_refund_clear(&out);
	return e;
}

static void
test_fill_arrives_whole(void **state)
{
	static struct counts_fill in, out;
	struct frame f;
	struct buf b;

	(void)state;
	in = (struct counts_fill){.key = STR_LIT("c|rate_limit|set|all"),
	    .window_s = 60,
	    .steps = {{1700000000000, 3}, {-1, UINT64_MAX}},
	    .step_count = 2};
	buf_init(&b, FRAME_MAX);
	assert_int_equal(counts_fill_encode(&in, &b), AV_OK);
	f = whole_frame(&b);
	assert_int_equal(counts_fill_decode(&f, &out), AV_OK);
	assert_true(str_eq(out.key, in.key));
	assert_int_equal(out.window_s, 60);
	assert_int_equal(out.step_count, 2);
	assert_memory_equal(out.steps, in.steps, 2 * sizeof(in.steps[0]));
	assert_read_whole(&b, decode_fill);
	in.step_count = COUNTS_MAX_STEPS + 1;
	assert_int_equal(counts_fill_encode(&in, &b), AV_ELIMIT);
	buf_clear(&b);
}

static void
test_clear_holds_nothing(void **state)
{
	struct frame f;
	struct buf b;

	(void)state;
	buf_init(&b, FRAME_MAX);
	assert_int_equal(counts_clear_encode(&b), AV_OK);
	f = whole_frame(&b);
	assert_int_equal(counts_clear_decode(&f), AV_OK);
	f.type = COUNTS_FILL;
	assert_int_equal(counts_clear_decode(&f), AV_EFORMAT);
	buf_clear(&b);
}

static void
test_refund_arrives_with_its_charges(void **state)
{
	struct charge charges[] = {{STR_LIT("rate_limit"), STR_LIT("k"), 1, 2, 60},
	    {STR_LIT("budget"), STR_LIT("b"), 40, UINT64_MAX, 86400}};
	struct counts_refund in = {charges, 2}, out;
	struct frame f;
	struct buf b;

	(void)state;
	buf_init(&b, FRAME_MAX);
	assert_int_equal(counts_refund_encode(&in, &b), AV_OK);
	f = whole_frame(&b);
	assert_int_equal(counts_refund_decode(&f, &out), AV_OK);
	assert_int_equal(out.charge_count, 2);
	assert_true(str_eq_cstr(out.charges[1].key, "b"));
	assert_int_equal(out.charges[1].n, 40);
	assert_int_equal(out.charges[1].window_s, 86400);
	counts_refund_clear(&out);
	assert_read_whole(&b, decode_refund);
	in.charge_count = JUDGE_MAX_CHARGES + 1;
	assert_int_equal(counts_refund_encode(&in, &b), AV_ELIMIT);
	buf_clear(&b);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_fill_arrives_whole),
	    cmocka_unit_test(test_clear_holds_nothing),
	    cmocka_unit_test(test_refund_arrives_with_its_charges),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
