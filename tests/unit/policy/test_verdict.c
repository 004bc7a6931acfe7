/* SPDX-License-Identifier: Apache-2.0 */
#include "harness.h"

static void
test_i4_deny_is_zero(void **state)
{
	(void)state;
	struct verdict_draft *d = calloc(1, sizeof(*d));
	struct judge_verdict v;
	assert_int_equal(d->kind, VERDICT_DENY);
	draft_reset(d);
	draft_to_verdict(d, 7, &v);
	assert_int_equal(v.kind, VERDICT_DENY);
	assert_int_equal(VERDICT_DENY, 0);
	free(d);
}

static void
test_i4_whatever_is_not_one_verdict_is_a_deny(void **state)
{
	(void)state;
	assert_allows("return allow()");
	assert_fails("", "not 0 times");
	assert_fails("return nil", "not a nil");
	assert_fails("return true", "not a boolean");
	assert_fails("return 'allow'", "not a string");
	assert_fails("return {}", "not a table");
	assert_fails("return allow", "not a function");
	assert_fails("return req", "not a userdata");
	assert_fails("return allow(), allow()", "not 2 times");
	assert_fails("return allow(), nil", "not 2 times");
	assert_fails("return deny()", "argument 1 must be a string");
	assert_fails("error('no')", "no");
	assert_fails("error({})", "error with a table");
	assert_fails("error()", "error with a nil");
	assert_fails("return allow { set_header = {} }", "no field 'set_header'");
	assert_fails("return allow { max_request_bytes = -1 }", "max_request_bytes");
	assert_fails("return allow { max_request_bytes = 1.5 }", "max_request_bytes");
	assert_fails("return allow { max_response_bytes = '1' }", "max_response_bytes");
	assert_fails("return allow { [1] = true }", "a key of a verdict");
	assert_fails("return deny('x', { status = 200 })", "no field 'status'");
	assert_fails("return deny('x', { reason = 'policy_timeout' })", "reason must be");
	assert_fails("return deny('x', { reason = 'Two Words' })", "reason must be");
	assert_fails("return deny('x', { retry_after = -1 })", "retry_after");
	assert_fails("local a = allow(); a.kind = 1; return a", "no fields");
	assert_fails("return allow().kind", "no fields");
}

static void
test_verdict_made_while_loading_is_refused(void **state)
{
	(void)state;
	struct harness *h = harness_new("local a = allow()\n" HARNESS_CHECK("return a"));
	assert_int_equal(h->loaded, AV_EINVAL);
	assert_non_null(strstr(h->message, "capabilities/trial.lua:1: "));
	harness_ask(h);
	assert_verdict(h, VERDICT_DENY, "policy_error", "belong into a check");
	harness_free(h);
}

static void
test_deny_carries_words_wait_and_remedy(void **state)
{
	(void)state;
	struct harness *h =
	    harness_new(HARNESS_CHECK("return deny('not on Sundays', { retry_after = 60, remedy = "
	                              "'wait', reason = 'sunday' })"));
	harness_ask(h);
	assert_verdict(h, VERDICT_DENY, "sunday", "not on Sundays");
	assert_int_equal(h->draft.retry_after, 60);
	assert_string_equal(h->draft.remedy, "wait");
	assert_string_equal(h->draft.policy, "check");
	assert_int_equal(h->draft.limit_hit, 0);
	harness_free(h);
}

static void
test_message_is_cut_to_256_bytes_of_whole_characters(void **state)
{
	(void)state;
	struct harness *h = harness_new(
	    HARNESS_CHECK("local s = 'a' for _ = 1, 9 do s = s .. s end return deny('x' .. s)"));
	harness_ask(h);
	assert_int_equal(strlen(h->draft.message), 256);
	harness_free(h);
	h = harness_new(HARNESS_CHECK(
	    "local s = '\xc3\xa9' for _ = 1, 9 do s = s .. s end return deny('x' .. s)"));
	harness_ask(h);
	assert_int_equal(strlen(h->draft.message), 255);
	assert_true(str_is_utf8(str_of(h->draft.message)));
	harness_free(h);
	h = harness_new(HARNESS_CHECK("return deny('a\\0b\\r\\nc\\xff')"));
	harness_ask(h);
	assert_string_equal(h->draft.message, "a b  c?");
	harness_free(h);
}

static void
test_header_changes_are_lower_cased_and_sorted(void **state)
{
	(void)state;
	struct harness *h =
	    harness_new(HARNESS_CHECK("return allow { set_headers = { ['X-B'] = '2', ['x-a'] = '' "
	                              "}, drop_headers = { 'X-C' } }"));
	assert_int_equal(harness_ask(h), VERDICT_ALLOW);
	assert_int_equal(h->draft.op_count, 3);
	assert_true(str_eq_cstr(h->draft.ops[0].name, "x-a"));
	assert_true(str_eq_cstr(h->draft.ops[0].value, ""));
	assert_true(str_eq_cstr(h->draft.ops[1].name, "x-b"));
	assert_true(str_eq_cstr(h->draft.ops[1].value, "2"));
	assert_int_equal(h->draft.ops[1].drop, 0);
	assert_true(str_eq_cstr(h->draft.ops[2].name, "x-c"));
	assert_int_equal(h->draft.ops[2].drop, 1);
	harness_free(h);
}

static void
test_auth_and_reserved_headers_cannot_be_changed(void **state)
{
	(void)state;
	static const char *const names[] = {"authorization", "Authorization", "x-api-key", "cookie",
	    "proxy-authorization", "host", "content-length", "transfer-encoding", "connection",
	    "x-http-method-override", "x-original-url", "x-forwarded-for", "aivault-credential",
	    "expect", "upgrade", "te"};
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		char text[1024];
		snprintf(text, sizeof(text),
		    HARNESS_CHECK("return allow { set_headers = { ['%s'] = 'v' } }"), names[i]);
		assert_check(text, VERDICT_DENY, "policy_error", "cannot be changed");
		snprintf(text, sizeof(text),
		    HARNESS_CHECK("return allow { drop_headers = { '%s' } }"), names[i]);
		assert_check(text, VERDICT_DENY, "policy_error", "cannot be changed");
	}
}

static void
test_malformed_header_changes_are_refused(void **state)
{
	(void)state;
	assert_fails("return allow { set_headers = { ['a b'] = 'v' } }", "malformed");
	assert_fails("return allow { set_headers = { [''] = 'v' } }", "malformed");
	assert_fails("return allow { set_headers = { ['a\\0b'] = 'v' } }", "malformed");
	assert_fails("return allow { set_headers = { ['a:'] = 'v' } }", "malformed");
	assert_fails("return allow { set_headers = { a = 'v\\r\\nb: 1' } }", "control byte");
	assert_fails("return allow { set_headers = { a = 'v\\n' } }", "control byte");
	assert_fails("return allow { set_headers = { a = 'v\\0' } }", "control byte");
	assert_fails("return allow { set_headers = { a = 1 } }", "must be a text");
	assert_fails("return allow { set_headers = { 'v' } }", "must be a text");
	assert_fails("return allow { set_headers = { a = '1', A = '2' } }", "set twice");
	assert_fails("return allow { set_headers = 'a' }", "must be a table");
	assert_fails("return allow { drop_headers = 'a' }", "must be a list");
	assert_fails("local t = {} for i = 1, 65 do t['h' .. i] = '' end "
	             "return allow { set_headers = t }",
	    "more than 64");
	assert_fails("local s = 'aaaaaaaa' for _ = 1, 14 do s = s .. s end "
	             "return allow { set_headers = { a = s } }",
	    "over 65536 bytes");
}

static void
test_a_deny_carries_no_changes_and_no_charges(void **state)
{
	(void)state;
	struct harness *h = harness_new(HARNESS_CAPABILITY(
	    "policies = { header_shape { set = { a = 'b' } }, rate_limit { per_minute = 5 } }, "
	    "check = function() return deny('no') end"));
	harness_ask(h);
	assert_verdict(h, VERDICT_DENY, "policy_denied", "no");
	assert_int_equal(h->draft.op_count, 0);
	assert_int_equal(h->draft.charge_count, 0);
	harness_free(h);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_i4_deny_is_zero),
	    cmocka_unit_test(test_i4_whatever_is_not_one_verdict_is_a_deny),
	    cmocka_unit_test(test_verdict_made_while_loading_is_refused),
	    cmocka_unit_test(test_deny_carries_words_wait_and_remedy),
	    cmocka_unit_test(test_message_is_cut_to_256_bytes_of_whole_characters),
	    cmocka_unit_test(test_header_changes_are_lower_cased_and_sorted),
	    cmocka_unit_test(test_auth_and_reserved_headers_cannot_be_changed),
	    cmocka_unit_test(test_malformed_header_changes_are_refused),
	    cmocka_unit_test(test_a_deny_carries_no_changes_and_no_charges),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
