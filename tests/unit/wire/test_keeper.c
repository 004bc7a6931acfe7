/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/keeper.h"
#include "wire/limits.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "whole.h"

#define REQUEST_ID                                     \
	{                                              \
		"00112233445566778899aabbccddeeff", 32 \
	}
#define TEXT(s)                    \
	{                          \
		(s), sizeof(s) - 1 \
	}

static const struct caller a_caller = {.uid = 1000,
    .gid = 1000,
    .pid = 99,
    .name = "user:agent",
    .program = "curl",
    .workspace = "w",
    .group = ""};

static enum av_err
decode_resolve(const struct frame *f)
{
	struct keeper_resolve out;

	return keeper_resolve_decode(f, &out);
}

static void
test_resolve_arrives_whole(void **state)
{
	struct keeper_resolve in = {1, TEXT("openai/models"), TEXT("openai"), a_caller}, out;
	struct frame f;
	struct buf b;

	(void)state;
	buf_init(&b, FRAME_MAX);
	assert_int_equal(keeper_resolve_encode(&in, &b), AV_OK);
	f = whole_frame(&b);
	assert_int_equal(keeper_resolve_decode(&f, &out), AV_OK);
	assert_int_equal(out.ask_id, 1);
	assert_true(str_eq(out.capability, in.capability) && str_eq(out.credential, in.credential));
	assert_same_caller(&out.caller, &a_caller);
	assert_read_whole(&b, decode_resolve);
	buf_clear(&b);
}

static char *
text(const char *s)
{
	return (char *)(uintptr_t)s;
}

static struct keeper_resolved
a_resolved(struct policy_instance *policies)
{
	static char *hosts[1], *methods[2], *paths[1], *managed[2];

	hosts[0] = text("api.openai.com");
	methods[0] = text("GET");
	methods[1] = text("POST");
	paths[0] = text("/v1/");
	managed[0] = text("authorization");
	managed[1] = text("x-api-key");
	policies[0] = (struct policy_instance){.policy = STR_LIT("rate_limit"), .param_count = 1};
	policies[0].params[0] = (struct policy_param){STR_LIT("per_minute"), 60};
	policies[1] = (struct policy_instance){.policy = STR_LIT("size_limit")};
	return (struct keeper_resolved){.ask_id = 3,
	    .generation = 9,
	    .provider = text("openai"),
	    .capability = {.id = text("openai/models"),
	        .about = text("Lists models"),
	        .hosts = {hosts, 1},
	        .methods = {methods, 2},
	        .paths = {paths, 1},
	        .inspect = INSPECT_JSON,
	        .has_check = true,
	        .http = 1},
	    .credential = text("openai"),
	    .host = text("api.openai.com"),
	    .path_prefix = text(""),
	    .managed_headers = {managed, 2},
	    .max_request_bytes = UINT64_MAX,
	    .max_response_bytes = 5,
	    .response_block = {managed, 2},
	    .policies = policies,
	    .policy_count = 2};
}

static enum av_err
decode_resolved(const struct frame *f)
{
	struct keeper_resolved out;
	enum av_err e = keeper_resolved_decode(f, &out);

	keeper_resolved_clear(&out);
	return e;
}

static void
test_resolved_outlives_its_frame(void **state)
{
	struct policy_instance policies[2];
	struct keeper_resolved in = a_resolved(policies), out;
	struct frame f;
	struct buf b;

	(void)state;
	buf_init(&b, FRAME_MAX);
	assert_int_equal(keeper_resolved_encode(&in, &b), AV_OK);
	assert_read_whole(&b, decode_resolved);
	f = whole_frame(&b);
	assert_int_equal(keeper_resolved_decode(&f, &out), AV_OK);
	buf_clear(&b); /* ASan tells if anything below still borrows */
	assert_int_equal(out.ask_id + out.generation, 12);
	assert_string_equal(out.provider, "openai");
	assert_string_equal(out.capability.id, "openai/models");
	assert_string_equal(out.capability.methods.items[1], "POST");
	assert_int_equal(out.capability.inspect, INSPECT_JSON);
	assert_true(out.capability.has_check && !out.capability.opaque_slash);
	assert_string_equal(out.credential, "openai");
	assert_string_equal(out.host, "api.openai.com");
	assert_string_equal(out.path_prefix, "");
	assert_int_equal(out.managed_headers.count, 2);
	assert_string_equal(out.managed_headers.items[1], "x-api-key");
	assert_int_equal(out.managed_query.count, 0);
	assert_true(out.max_request_bytes == UINT64_MAX && out.max_response_bytes == 5);
	assert_int_equal(out.response_block.count, 2);
	assert_string_equal(out.response_block.items[1], "x-api-key");
	assert_int_equal(out.policy_count, 2);
	assert_true(str_eq_cstr(out.policies[0].policy, "rate_limit"));
	assert_true(str_eq_cstr(out.policies[0].params[0].name, "per_minute"));
	assert_int_equal(out.policies[0].params[0].value, 60);
	keeper_resolved_clear(&out);
	keeper_resolved_clear(&out);
}

static enum av_err
decode_release(const struct frame *f)
{
	struct keeper_release out;
	enum av_err e = keeper_release_decode(f, &out);

	keeper_release_clear(&out);
	return e;
}

static void
test_release_arrives_with_its_charges(void **state)
{
	static struct charge many[JUDGE_MAX_CHARGES + 1];
	struct charge charges[] = {{TEXT("rate_limit"), TEXT("k"), 1, 2, 3},
	    {TEXT("budget"), TEXT(""), 4, UINT64_MAX, 86400}};
	struct keeper_release in = {.ask_id = 4,
	    .request_id = REQUEST_ID,
	    .capability = TEXT("c"),
	    .credential = TEXT("d"),
	    .caller = a_caller,
	    .method = TEXT("GET"),
	    .host = TEXT("h.example"),
	    .path = TEXT("/p"),
	    .request_bytes = 17,
	    .charges = charges,
	    .charge_count = 2};
	struct keeper_release out;
	struct frame f;
	struct buf b;

	(void)state;
	buf_init(&b, FRAME_MAX);
	assert_int_equal(keeper_release_encode(&in, &b), AV_OK);
	f = whole_frame(&b);
	assert_int_equal(keeper_release_decode(&f, &out), AV_OK);
	assert_true(str_eq(out.request_id, in.request_id) && str_eq(out.method, in.method));
	assert_true(str_eq(out.host, in.host) && str_eq(out.path, in.path));
	assert_int_equal(out.request_bytes, 17);
	assert_int_equal(out.charge_count, 2);
	assert_true(str_eq_cstr(out.charges[1].policy, "budget"));
	assert_true(out.charges[1].limit == UINT64_MAX && out.charges[1].window_s == 86400);
	keeper_release_clear(&out);
	assert_read_whole(&b, decode_release);
	buf_reset(&b);
	in.charges = many;
	in.charge_count = JUDGE_MAX_CHARGES + 1;
	assert_int_equal(keeper_release_encode(&in, &b), AV_ELIMIT);
	assert_int_equal(b.len, 0);
	buf_clear(&b);
}

static enum av_err
decode_released(const struct frame *f)
{
	struct keeper_released out;
	enum av_err e = keeper_released_decode(f, &out);

	keeper_released_clear(&out);
	return e;
}

static void
test_released_arrives_with_its_spans(void **state)
{
	struct auth_part parts[] = {
	    {AUTH_PLACE_HEADER, TEXT("authorization"), TEXT("Bearer sk-1"), {{7, 4}, {0, 11}}, 2},
	    {AUTH_PLACE_PATH, TEXT(""), TEXT("/bot1/"), {{4, 1}}, 1},
	    {AUTH_PLACE_QUERY, TEXT("key"), TEXT("\xff"), {{0}}, 0}};
	struct keeper_released in = {5, parts, 3}, out;
	struct frame f;
	struct buf b;

	(void)state;
	buf_init(&b, FRAME_MAX);
	assert_int_equal(keeper_released_encode(&in, &b), AV_OK);
	f = whole_frame(&b);
	assert_int_equal(keeper_released_decode(&f, &out), AV_OK);
	assert_int_equal(out.part_count, 3);
	assert_int_equal(out.parts[0].place, AUTH_PLACE_HEADER);
	assert_int_equal(out.parts[1].place, AUTH_PLACE_PATH);
	assert_true(str_eq(out.parts[0].value, parts[0].value));
	assert_int_equal(out.parts[0].span_count, 2);
	assert_int_equal(out.parts[0].spans[0].offset, 7);
	assert_int_equal(out.parts[0].spans[0].len, 4);
	assert_int_equal(out.parts[2].span_count, 0);
	keeper_released_clear(&out);
	assert_read_whole(&b, decode_released);
	buf_clear(&b);
}

static void
test_a_span_outside_its_value_is_refused(void **state)
{
	static const struct secret_span bad[] = {{0, 5}, {4, 1}, {5, 0}, {1, 4}, {UINT32_MAX, 1},
	    {1, UINT32_MAX}, {UINT32_MAX, UINT32_MAX}};
	struct auth_part part = {AUTH_PLACE_HEADER, TEXT("h"), TEXT("1234"), {{0, 4}}, 1};
	struct keeper_released in = {5, &part, 1}, out;
	size_t at;
	struct frame f;
	struct buf b;

	(void)state;
	buf_init(&b, FRAME_MAX);
	assert_int_equal(keeper_released_encode(&in, &b), AV_OK);
	f = whole_frame(&b);
	at = b.len - 8;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		struct buf refused;

		buf_init(&refused, FRAME_MAX);
		part.spans[0] = bad[i];
		assert_int_equal(keeper_released_encode(&in, &refused), AV_EFORMAT);
		buf_clear(&refused);
		for (size_t k = 0; k < 4; k++) {
			b.data[at + k] = (uint8_t)(bad[i].offset >> 8 * k);
			b.data[at + 4 + k] = (uint8_t)(bad[i].len >> 8 * k);
		}
		assert_int_equal(keeper_released_decode(&f, &out), AV_EFORMAT);
		assert_null(out.parts);
	}
	buf_clear(&b);
}

static void
test_released_keeps_to_its_limits(void **state)
{
	static struct auth_part parts[KEEPER_MAX_PARTS + 1];
	struct keeper_released in = {5, parts, KEEPER_MAX_PARTS + 1};
	struct buf b;

	(void)state;
	buf_init(&b, FRAME_MAX);
	assert_int_equal(keeper_released_encode(&in, &b), AV_ELIMIT);
	in.part_count = KEEPER_MAX_PARTS;
	parts[3].span_count = KEEPER_MAX_SPANS + 1;
	assert_int_equal(keeper_released_encode(&in, &b), AV_ELIMIT);
	parts[3].span_count = KEEPER_MAX_SPANS;
	assert_int_equal(keeper_released_encode(&in, &b), AV_OK);
	buf_clear(&b);
}

static enum av_err
decode_fault(const struct frame *f)
{
	struct keeper_fault out;

	return keeper_fault_decode(f, &out);
}

static void
test_fault_arrives_with_reason_and_remedy(void **state)
{
	struct keeper_fault in = {.ask_id = 6, .retry_after = 12}, out;
	struct frame f;
	struct buf b;

	(void)state;
	(void)fault_set(&in.fault, AV_ERATE, "rate_limit", "Wait.", "over the limit");
	buf_init(&b, FRAME_MAX);
	assert_int_equal(keeper_fault_encode(&in, &b), AV_OK);
	f = whole_frame(&b);
	assert_int_equal(keeper_fault_decode(&f, &out), AV_OK);
	assert_memory_equal(&out.fault, &in.fault, sizeof in.fault);
	assert_int_equal(out.ask_id + out.retry_after, 18);
	assert_read_whole(&b, decode_fault);
	buf_clear(&b);
}

static enum av_err
decode_denied(const struct frame *f)
{
	struct keeper_denied out;

	return keeper_denied_decode(f, &out);
}

static void
test_denied_arrives_whole(void **state)
{
	struct keeper_denied in = {REQUEST_ID, TEXT("c"), TEXT("d"), a_caller, TEXT("GET"),
	    TEXT("h.x"), TEXT("/p"), TEXT("path_not_allowed"), TEXT("reach"), 403};
	struct keeper_denied out;
	struct frame f;
	struct buf b;

	(void)state;
	buf_init(&b, FRAME_MAX);
	assert_int_equal(keeper_denied_encode(&in, &b), AV_OK);
	f = whole_frame(&b);
	assert_int_equal(keeper_denied_decode(&f, &out), AV_OK);
	assert_true(str_eq(out.reason, in.reason) && str_eq(out.policy, in.policy));
	assert_true(str_eq(out.request_id, in.request_id) && out.status == 403);
	assert_read_whole(&b, decode_denied);
	buf_clear(&b);
}

static enum av_err
decode_outcome(const struct frame *f)
{
	struct keeper_outcome out;

	return keeper_outcome_decode(f, &out);
}

static void
test_outcome_arrives_whole(void **state)
{
	struct keeper_outcome in = {REQUEST_ID, TEXT("c"), 200, 1, 2, 3, TEXT("")}, out;
	struct frame f;
	struct buf b;

	(void)state;
	buf_init(&b, FRAME_MAX);
	assert_int_equal(keeper_outcome_encode(&in, &b), AV_OK);
	f = whole_frame(&b);
	assert_int_equal(keeper_outcome_decode(&f, &out), AV_OK);
	assert_int_equal(out.status, 200);
	assert_int_equal(out.request_bytes, 1);
	assert_int_equal(out.response_bytes, 2);
	assert_int_equal(out.duration_ms, 3);
	assert_read_whole(&b, decode_outcome);
	buf_clear(&b);
}

static enum av_err
decode_list(const struct frame *f)
{
	struct keeper_list out;

	return keeper_list_decode(f, &out);
}

static enum av_err
decode_listed(const struct frame *f)
{
	struct keeper_listed out;

	return keeper_listed_decode(f, &out);
}

static void
test_list_and_listed_arrive_whole(void **state)
{
	static char big[FRAME_MAX];
	struct keeper_list ask = {7, TEXT(""), TEXT("acme"), a_caller};
	struct keeper_listed answer = {7, TEXT("{\"capabilities\":[]}")}, out;
	struct frame f;
	struct buf b;

	(void)state;
	buf_init(&b, FRAME_MAX + 100);
	assert_int_equal(keeper_list_encode(&ask, &b), AV_OK);
	assert_read_whole(&b, decode_list);
	buf_reset(&b);
	assert_int_equal(keeper_listed_encode(&answer, &b), AV_OK);
	f = whole_frame(&b);
	assert_int_equal(keeper_listed_decode(&f, &out), AV_OK);
	assert_true(str_eq(out.json, answer.json));
	assert_read_whole(&b, decode_listed);
	buf_reset(&b);
	memset(big, ' ', sizeof big);
	answer.json = (struct str){big, FRAME_MAX - 12};
	assert_int_equal(keeper_listed_encode(&answer, &b), AV_OK);
	buf_reset(&b);
	answer.json.len++;
	assert_int_equal(keeper_listed_encode(&answer, &b), AV_ELIMIT);
	buf_clear(&b);
}

static enum av_err
decode_state(const struct frame *f)
{
	struct keeper_state out;

	return keeper_state_decode(f, &out);
}

static void
test_state_arrives_whole(void **state)
{
	struct keeper_state in = {UINT64_MAX, 1, 0}, out;
	struct frame f;
	struct buf b;

	(void)state;
	buf_init(&b, FRAME_MAX);
	assert_int_equal(keeper_state_encode(&in, &b), AV_OK);
	f = whole_frame(&b);
	assert_int_equal(keeper_state_decode(&f, &out), AV_OK);
	assert_true(out.generation == UINT64_MAX && out.locked == 1 && out.has_vault == 0);
	assert_read_whole(&b, decode_state);
	buf_clear(&b);
}

static enum av_err
decode_revoked(const struct frame *f)
{
	struct keeper_revoked out;

	return keeper_revoked_decode(f, &out);
}

static void
test_revoked_arrives_whole_and_names_something(void **state)
{
	struct keeper_revoked in = {TEXT("acme/any"), TEXT("acme"), {0}}, out;
	struct frame f;
	struct buf b;

	(void)state;
	buf_init(&b, FRAME_MAX);
	fault_set(&in.fault, AV_EUNAVAIL, "secret_rotated", "again", "a new value");
	assert_int_equal(keeper_revoked_encode(&in, &b), AV_OK);
	f = whole_frame(&b);
	assert_int_equal(keeper_revoked_decode(&f, &out), AV_OK);
	assert_true(str_eq_cstr(out.capability, "acme/any") && str_eq_cstr(out.credential, "acme"));
	assert_int_equal(out.fault.err, AV_EUNAVAIL);
	assert_string_equal(out.fault.reason, "secret_rotated");
	assert_read_whole(&b, decode_revoked);
	buf_reset(&b);
	in.capability = in.credential = (struct str)TEXT("");
	assert_int_equal(keeper_revoked_encode(&in, &b), AV_OK);
	f = whole_frame(&b);
	assert_int_equal(keeper_revoked_decode(&f, &out), AV_EFORMAT);
	buf_reset(&b);
	in.credential = (struct str)TEXT("acme");
	in.fault.err = AV_OK;
	assert_int_equal(keeper_revoked_encode(&in, &b), AV_OK);
	f = whole_frame(&b);
	assert_int_equal(keeper_revoked_decode(&f, &out), AV_EFORMAT);
	buf_clear(&b);
}

static void
test_a_caller_that_is_too_long_or_no_text_is_refused(void **state)
{
	struct keeper_resolve in = {1, TEXT("c"), TEXT(""), a_caller};
	struct buf b;

	(void)state;
	buf_init(&b, FRAME_MAX);
	memcpy(in.caller.workspace, "\xff", 2);
	assert_int_equal(keeper_resolve_encode(&in, &b), AV_EFORMAT);
	in.caller = a_caller;
	memcpy(in.caller.program, "\xff", 2); /* a process may call itself anything */
	assert_int_equal(keeper_resolve_encode(&in, &b), AV_OK);
	buf_clear(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_resolve_arrives_whole),
	    cmocka_unit_test(test_resolved_outlives_its_frame),
	    cmocka_unit_test(test_release_arrives_with_its_charges),
	    cmocka_unit_test(test_released_arrives_with_its_spans),
	    cmocka_unit_test(test_a_span_outside_its_value_is_refused),
	    cmocka_unit_test(test_released_keeps_to_its_limits),
	    cmocka_unit_test(test_fault_arrives_with_reason_and_remedy),
	    cmocka_unit_test(test_denied_arrives_whole),
	    cmocka_unit_test(test_outcome_arrives_whole),
	    cmocka_unit_test(test_list_and_listed_arrive_whole),
	    cmocka_unit_test(test_state_arrives_whole),
	    cmocka_unit_test(test_revoked_arrives_whole_and_names_something),
	    cmocka_unit_test(test_a_caller_that_is_too_long_or_no_text_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
