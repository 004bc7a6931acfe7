/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/judge.h"
#include "wire/limits.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "whole.h"

static const struct header headers[] = {{{"accept", 6}, {"*/*", 3}}, {{"x-raw", 5}, {"\xff\t", 2}}};

static struct judge_ask
an_ask(struct policy_instance *policies)
{
	policies[0] = (struct policy_instance){.policy = STR_LIT("rate_limit"), .param_count = 2};
	policies[0].params[0] = (struct policy_param){STR_LIT("per_minute"), 60};
	policies[0].params[1] = (struct policy_param){STR_LIT("burst"), UINT64_MAX};
	policies[1] = (struct policy_instance){.policy = STR_LIT("size_limit")};
	return (struct judge_ask){.ask_id = 77,
	    .now_ms = -5,
	    .provider = STR_LIT("openai"),
	    .capability = STR_LIT("openai/chat-completions"),
	    .credential = STR_LIT("openai"),
	    .method = STR_LIT("POST"),
	    .host = STR_LIT("api.openai.com"),
	    .path = STR_LIT("/v1/chat/completions"),
	    .query = STR_LIT("a=b"),
	    .body_size = UINT64_MAX,
	    .has_body = 1,
	    .caller = {.uid = 1000,
	        .gid = 1001,
	        .pid = 4242,
	        .name = "user:agent",
	        .program = "cu\xffrl",
	        .workspace = "w1",
	        .group = "g1"},
	    .headers = headers,
	    .header_count = 2,
	    .policies = policies,
	    .policy_count = 2};
}

static void
test_an_ask_arrives_as_it_was_sent(void **state)
{
	struct policy_instance policies[2];
	struct judge_ask in = an_ask(policies), out;
	struct frame f;
	struct buf b;

	(void)state;
	buf_init(&b, FRAME_MAX);
	assert_int_equal(judge_ask_encode(&in, &b), AV_OK);
	f = whole_frame(&b);
	assert_int_equal(f.type, JUDGE_ASK);
	assert_int_equal(judge_ask_decode(&f, &out), AV_OK);
	assert_int_equal(out.ask_id, 77);
	assert_true(out.now_ms == -5);
	assert_true(str_eq(out.provider, in.provider) && str_eq(out.capability, in.capability));
	assert_true(str_eq(out.credential, in.credential) && str_eq(out.method, in.method));
	assert_true(str_eq(out.host, in.host) && str_eq(out.path, in.path));
	assert_true(
	    str_eq(out.query, in.query) && out.body_size == UINT64_MAX && out.has_body == 1);
	assert_same_caller(&out.caller, &in.caller);
	assert_int_equal(out.header_count, 2);
	assert_true(str_eq(out.headers[1].name, headers[1].name));
	assert_true(str_eq(out.headers[1].value, headers[1].value));
	assert_int_equal(out.policy_count, 2);
	assert_true(str_eq_cstr(out.policies[0].policy, "rate_limit"));
	assert_int_equal(out.policies[0].param_count, 2);
	assert_true(str_eq_cstr(out.policies[0].params[1].name, "burst"));
	assert_true(out.policies[0].params[1].value == UINT64_MAX);
	assert_int_equal(out.policies[1].param_count, 0);
	judge_ask_clear(&out);
	assert_null(out.headers);
	buf_clear(&b);
}

static enum av_err
decode_ask(const struct frame *f)
{
	struct judge_ask out;
	enum av_err e = judge_ask_decode(f, &out);

	judge_ask_clear(&out);
	return e;
}

static void
test_an_ask_is_read_whole_or_not_at_all(void **state)
{
	struct policy_instance policies[2];
	struct judge_ask in = an_ask(policies);
	struct buf b;

	(void)state;
	buf_init(&b, FRAME_MAX);
	assert_int_equal(judge_ask_encode(&in, &b), AV_OK);
	assert_read_whole(&b, decode_ask);
	buf_clear(&b);
}

static void
test_an_ask_keeps_to_its_limits(void **state)
{
	static struct header many[HEADER_MAX_COUNT + 1];
	static struct policy_instance policies[JUDGE_MAX_POLICIES + 1];
	static char path[WIRE_TARGET_MAX + 1];
	struct policy_instance two[2];
	struct judge_ask in = an_ask(two);
	struct buf b;

	(void)state;
	buf_init(&b, FRAME_MAX);
	in.headers = many;
	in.header_count = HEADER_MAX_COUNT + 1;
	assert_int_equal(judge_ask_encode(&in, &b), AV_ELIMIT);
	in.header_count = HEADER_MAX_COUNT;
	in.policies = policies;
	in.policy_count = JUDGE_MAX_POLICIES + 1;
	assert_int_equal(judge_ask_encode(&in, &b), AV_ELIMIT);
	in.policy_count = JUDGE_MAX_POLICIES;
	assert_int_equal(judge_ask_encode(&in, &b), AV_OK);
	assert_int_equal(decode_ask(&(struct frame){.type = JUDGE_ASK,
	                     .payload = b.data + FRAME_HEADER_LEN,
	                     .len = b.len - FRAME_HEADER_LEN}),
	    AV_OK);
	buf_reset(&b);
	memset(path, 'p', sizeof path);
	in.path = (struct str){path, sizeof path};
	assert_int_equal(judge_ask_encode(&in, &b), AV_ELIMIT);
	in.path = STR_LIT("/\xff");
	assert_int_equal(judge_ask_encode(&in, &b), AV_EFORMAT);
	in.path = STR_LIT("/");
	policies[0].param_count = 9;
	assert_int_equal(judge_ask_encode(&in, &b), AV_ELIMIT);
	assert_int_equal(b.len, 0);
	buf_clear(&b);
}

static void
test_no_field_of_an_ask_is_named_for_a_secret(void **state)
{
	/* I1, as far as a test of the codec can say it: the message is exactly these fields. One more
	 * changes this length, and whoever adds it has to come here and say why it is no secret. */
	struct judge_ask empty = {0};
	struct buf b;

	(void)state;
	buf_init(&b, FRAME_MAX);
	assert_int_equal(judge_ask_encode(&empty, &b), AV_OK);
	assert_int_equal(b.len - FRAME_HEADER_LEN, 8 + 8 + 7 * 4 + 8 + 1 + (3 * 4 + 4 * 4) + 4 + 4);
	buf_clear(&b);
}

static void
test_a_body_chunk_arrives_and_has_a_limit(void **state)
{
	static char big[JUDGE_BODY_CHUNK + 1];
	uint64_t id = 0;
	struct str bytes;
	struct frame f;
	struct buf b;

	(void)state;
	buf_init(&b, FRAME_MAX);
	assert_int_equal(judge_body_encode(9, (struct str){big, JUDGE_BODY_CHUNK}, &b), AV_OK);
	f = whole_frame(&b);
	assert_int_equal(judge_body_decode(&f, &id, &bytes), AV_OK);
	assert_int_equal(id, 9);
	assert_int_equal(bytes.len, JUDGE_BODY_CHUNK);
	buf_reset(&b);
	assert_int_equal(judge_body_encode(9, (struct str){big, sizeof big}, &b), AV_ELIMIT);
	buf_clear(&b);
}

static enum av_err
decode_body(const struct frame *f)
{
	uint64_t id;
	struct str bytes;

	return judge_body_decode(f, &id, &bytes);
}

static void
test_a_body_chunk_is_read_whole_or_not_at_all(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, FRAME_MAX);
	assert_int_equal(judge_body_encode(9, STR_LIT("{\"a\":\0\xff}"), &b), AV_OK);
	assert_read_whole(&b, decode_body);
	buf_clear(&b);
}

static struct judge_verdict
a_verdict(struct header_op *ops, struct charge *charges)
{
	ops[0] = (struct header_op){.name = STR_LIT("accept"), .value = STR_LIT("text/\xff")};
	ops[1] = (struct header_op){.drop = 1, .name = STR_LIT("x-trace")};
	charges[0] = (struct charge){.policy = STR_LIT("rate_limit"),
	    .key = STR_LIT("user:agent"),
	    .n = 1,
	    .limit = 60,
	    .window_s = 60};
	return (struct judge_verdict){.ask_id = 5,
	    .kind = VERDICT_ALLOW,
	    .limit_hit = 1,
	    .reason = STR_LIT("policy_denied"),
	    .message = STR_LIT("no caf\xc3\xa9"),
	    .remedy = STR_LIT("ask"),
	    .policy = STR_LIT("check"),
	    .retry_after = 30,
	    .max_request_bytes = 100,
	    .max_response_bytes = UINT64_MAX,
	    .ops = ops,
	    .op_count = 2,
	    .charges = charges,
	    .charge_count = 1};
}

static void
test_a_verdict_arrives_as_it_was_given(void **state)
{
	struct header_op ops[2];
	struct charge charges[1];
	struct judge_verdict in = a_verdict(ops, charges), out;
	struct frame f;
	struct buf b;

	(void)state;
	buf_init(&b, FRAME_MAX);
	assert_int_equal(judge_verdict_encode(&in, &b), AV_OK);
	f = whole_frame(&b);
	assert_int_equal(judge_verdict_decode(&f, &out), AV_OK);
	assert_int_equal(out.ask_id, 5);
	assert_int_equal(out.kind, VERDICT_ALLOW);
	assert_int_equal(out.limit_hit, 1);
	assert_true(str_eq(out.reason, in.reason) && str_eq(out.message, in.message));
	assert_true(str_eq(out.remedy, in.remedy) && str_eq(out.policy, in.policy));
	assert_int_equal(out.retry_after, 30);
	assert_int_equal(out.max_request_bytes, 100);
	assert_true(out.max_response_bytes == UINT64_MAX);
	assert_int_equal(out.op_count, 2);
	assert_int_equal(out.ops[0].drop, 0);
	assert_int_equal(out.ops[1].drop, 1);
	assert_true(str_eq(out.ops[0].value, ops[0].value));
	assert_int_equal(out.charge_count, 1);
	assert_true(str_eq(out.charges[0].key, charges[0].key));
	assert_int_equal(out.charges[0].n + out.charges[0].limit + out.charges[0].window_s, 121);
	judge_verdict_clear(&out);
	buf_clear(&b);
}

static enum av_err
decode_verdict(const struct frame *f)
{
	struct judge_verdict out;
	enum av_err e = judge_verdict_decode(f, &out);

	/* I4: what cannot be read is a deny. */
	if (e != AV_OK)
		assert_int_equal(out.kind, VERDICT_DENY);
	judge_verdict_clear(&out);
	return e;
}

static void
test_a_verdict_that_cannot_be_read_is_a_deny(void **state)
{
	struct header_op ops[2];
	struct charge charges[1];
	struct judge_verdict in = a_verdict(ops, charges);
	struct buf b;

	(void)state;
	buf_init(&b, FRAME_MAX);
	assert_int_equal(judge_verdict_encode(&in, &b), AV_OK);
	assert_read_whole(&b, decode_verdict);
	buf_clear(&b);
}

static void
test_only_one_byte_means_allow(void **state)
{
	struct judge_verdict in = {.kind = VERDICT_ALLOW}, out;
	struct frame f;
	struct buf b;

	(void)state;
	assert_int_equal(VERDICT_DENY, 0);
	buf_init(&b, FRAME_MAX);
	assert_int_equal(judge_verdict_encode(&in, &b), AV_OK);
	f = whole_frame(&b);
	for (unsigned v = 0; v < 256; v++) {
		b.data[FRAME_HEADER_LEN + 8] = (uint8_t)v;
		assert_int_equal(judge_verdict_decode(&f, &out), v <= 1 ? AV_OK : AV_EFORMAT);
		assert_int_equal(out.kind, v == 1 ? VERDICT_ALLOW : VERDICT_DENY);
		judge_verdict_clear(&out);
	}
	buf_reset(&b);
	in.kind = (enum verdict_kind)7;
	assert_int_equal(judge_verdict_encode(&in, &b), AV_OK);
	f = whole_frame(&b);
	assert_int_equal(judge_verdict_decode(&f, &out), AV_OK);
	assert_int_equal(out.kind, VERDICT_DENY);
	judge_verdict_clear(&out);
	buf_clear(&b);
}

static void
test_a_verdict_keeps_to_its_limits(void **state)
{
	static struct header_op ops[JUDGE_MAX_HEADER_OPS + 1];
	static struct charge charges[JUDGE_MAX_CHARGES + 1];
	struct judge_verdict in = {.ops = ops, .charges = charges};
	static char text[WIRE_TEXT_MAX + 1];
	struct buf b;

	(void)state;
	buf_init(&b, FRAME_MAX);
	in.op_count = JUDGE_MAX_HEADER_OPS + 1;
	assert_int_equal(judge_verdict_encode(&in, &b), AV_ELIMIT);
	in.op_count = JUDGE_MAX_HEADER_OPS;
	in.charge_count = JUDGE_MAX_CHARGES + 1;
	assert_int_equal(judge_verdict_encode(&in, &b), AV_ELIMIT);
	in.charge_count = JUDGE_MAX_CHARGES;
	memset(text, 't', sizeof text);
	in.message = (struct str){text, sizeof text};
	assert_int_equal(judge_verdict_encode(&in, &b), AV_ELIMIT);
	in.message.len--;
	assert_int_equal(judge_verdict_encode(&in, &b), AV_OK);
	buf_clear(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_an_ask_arrives_as_it_was_sent),
	    cmocka_unit_test(test_an_ask_is_read_whole_or_not_at_all),
	    cmocka_unit_test(test_an_ask_keeps_to_its_limits),
	    cmocka_unit_test(test_no_field_of_an_ask_is_named_for_a_secret),
	    cmocka_unit_test(test_a_body_chunk_arrives_and_has_a_limit),
	    cmocka_unit_test(test_a_body_chunk_is_read_whole_or_not_at_all),
	    cmocka_unit_test(test_a_verdict_arrives_as_it_was_given),
	    cmocka_unit_test(test_a_verdict_that_cannot_be_read_is_a_deny),
	    cmocka_unit_test(test_only_one_byte_means_allow),
	    cmocka_unit_test(test_a_verdict_keeps_to_its_limits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
