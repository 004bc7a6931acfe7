/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/operator.h"
#include "wire/limits.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "whole.h"

static const struct operator_request a_request = {.protocol = OPERATOR_PROTOCOL,
    .op = {"secrets.create", 14},
    .args = {"{\"name\":\"OPENAI_API_KEY\"}", 25},
    .secret = {"sk-\0\xff", 5}};

static enum av_err
decode_request(const struct frame *f)
{
	struct operator_request out;

	return operator_request_decode(f, &out);
}

static void
test_a_request_arrives_as_it_was_sent(void **state)
{
	struct operator_request out;
	struct frame f;
	struct buf b;

	(void)state;
	buf_init(&b, FRAME_MAX);
	assert_int_equal(operator_request_encode(&a_request, &b), AV_OK);
	f = whole_frame(&b);
	assert_int_equal(operator_request_decode(&f, &out), AV_OK);
	assert_int_equal(out.protocol, OPERATOR_PROTOCOL);
	assert_true(str_eq(out.op, a_request.op));
	assert_true(str_eq(out.args, a_request.args));
	assert_true(str_eq(out.secret, a_request.secret));
	assert_read_whole(&b, decode_request);
	buf_clear(&b);
}

static void
test_a_request_keeps_to_its_limits(void **state)
{
	static char big[OPERATOR_JSON_MAX + 1];
	struct operator_request m = a_request;
	struct buf b;

	(void)state;
	buf_init(&b, FRAME_MAX);
	memset(big, ' ', sizeof big);
	m.args = (struct str){big, sizeof big};
	assert_int_equal(operator_request_encode(&m, &b), AV_ELIMIT);
	m.args.len--;
	assert_int_equal(operator_request_encode(&m, &b), AV_OK);
	buf_reset(&b);
	m.secret = (struct str){big, OPERATOR_SECRET_MAX + 1};
	assert_int_equal(operator_request_encode(&m, &b), AV_ELIMIT);
	m = a_request;
	m.args = STR_LIT("{\"a\":\"\xff\"}");
	assert_int_equal(operator_request_encode(&m, &b), AV_EFORMAT);
	assert_int_equal(b.len, 0);
	buf_clear(&b);
}

static void
test_a_refused_request_leaves_no_secret_in_the_buffer(void **state)
{
	static char big[OPERATOR_SECRET_MAX + 1];
	struct operator_request m = a_request;
	struct buf b;

	(void)state;
	memset(big, 'S', sizeof big);
	m.secret = (struct str){big, OPERATOR_SECRET_MAX};
	buf_init(&b, 70000);
	assert_int_equal(operator_request_encode(&m, &b), AV_OK);
	assert_int_equal(operator_request_encode(&m, &b), AV_ELIMIT);
	buf_reset(&b);
	assert_null(memchr(b.data, 'S', OPERATOR_SECRET_MAX));
	buf_clear(&b);
}

static enum av_err
decode_reply(const struct frame *f)
{
	struct operator_reply out;

	return operator_reply_decode(f, &out);
}

static void
test_a_reply_arrives_with_its_fault(void **state)
{
	struct operator_reply in = {
	    .json = STR_LIT("[1]"), .notes = STR_LIT("pinned to openai\n"), .more = 1};
	struct operator_reply out;
	struct frame f;
	struct buf b;

	(void)state;
	(void)fault_set(
	    &in.fault, AV_EEXISTS, "name_taken", "Choose another.", "there is %s", "one");
	buf_init(&b, FRAME_MAX);
	assert_int_equal(operator_reply_encode(&in, &b), AV_OK);
	f = whole_frame(&b);
	assert_int_equal(operator_reply_decode(&f, &out), AV_OK);
	assert_memory_equal(&out.fault, &in.fault, sizeof in.fault);
	assert_true(str_eq(out.json, in.json) && str_eq(out.notes, in.notes));
	assert_int_equal(out.more, 1);
	assert_read_whole(&b, decode_reply);
	buf_clear(&b);
}

static void
test_an_error_outside_the_list_is_refused(void **state)
{
	struct operator_reply in = {.json = STR_LIT("{}")}, out;
	struct frame f;
	struct buf b;

	(void)state;
	buf_init(&b, FRAME_MAX);
	assert_int_equal(operator_reply_encode(&in, &b), AV_OK);
	f = whole_frame(&b);
	b.data[FRAME_HEADER_LEN] = (uint8_t)AV_ERR_COUNT;
	assert_int_equal(operator_reply_decode(&f, &out), AV_EFORMAT);
	/* ... and must not read as done. */
	assert_int_not_equal(out.fault.err, AV_OK);
	buf_clear(&b);
}

static void
test_a_reply_keeps_to_its_limits(void **state)
{
	static char big[OPERATOR_JSON_MAX + 1];
	struct operator_reply m = {.json = {big, sizeof big}};
	struct buf b;

	(void)state;
	memset(big, ' ', sizeof big);
	buf_init(&b, FRAME_MAX);
	assert_int_equal(operator_reply_encode(&m, &b), AV_ELIMIT);
	m.json.len--;
	m.notes = (struct str){big, WIRE_NOTES_MAX + 1};
	assert_int_equal(operator_reply_encode(&m, &b), AV_ELIMIT);
	m.notes.len--;
	assert_int_equal(operator_reply_encode(&m, &b), AV_OK);
	buf_clear(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_a_request_arrives_as_it_was_sent),
	    cmocka_unit_test(test_a_request_keeps_to_its_limits),
	    cmocka_unit_test(test_a_refused_request_leaves_no_secret_in_the_buffer),
	    cmocka_unit_test(test_a_reply_arrives_with_its_fault),
	    cmocka_unit_test(test_an_error_outside_the_list_is_refused),
	    cmocka_unit_test(test_a_reply_keeps_to_its_limits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
