/* SPDX-License-Identifier: Apache-2.0 */
#include "harness.h"

static void
test_check_sees_names_and_labels(void **state)
{
	(void)state;
	struct harness *h = harness_new(HARNESS_CHECK(
	    "assert(req.capability == 'trial/x') assert(req.credential == 'trial')\n"
	    "assert(req.method == 'POST') assert(req.host == 'api.example.com')\n"
	    "assert(req.path == '/v1/things/7') assert(req.query.a == '1')\n"
	    "assert(req.query.b == 'two words') assert(req.query.b2 == '') assert(req.query.c == "
	    "nil)\n"
	    "assert(req.headers.accept == 'text/plain') assert(req.headers['X-One'] == '1')\n"
	    "assert(req.headers.none == nil) assert(req.body_size == 19)\n"
	    "assert(req.json.model == 'm' and req.json.n == 1)\n"
	    "assert(req.caller.uid == 1000 and req.caller.gid == 1000 and req.caller.pid == 42)\n"
	    "assert(req.caller.name == 'user:ann' and req.caller.token == nil)\n"
	    "assert(req.caller.program == '') assert(req.workspace == 'lab') assert(req.group == "
	    "'')\n"
	    "assert(req.now == 1700000000000)\n"
	    "return allow()"));
	assert_int_equal(h->loaded, AV_OK);
	harness_add_header(h, "accept", "text/plain");
	harness_add_header(h, "x-one", "1");
	harness_ask(h);
	assert_verdict(h, VERDICT_ALLOW, "", "");
	harness_free(h);
}

static void
test_i1_request_has_no_other_fields(void **state)
{
	(void)state;
	assert_fails("return req.secret", "req has no field 'secret'");
	assert_fails("return req.auth", "req has no field 'auth'");
	assert_fails("return req[1]", "req has no field");
	assert_fails("return req.caller.secret", "req.caller has no field 'secret'");
	assert_fails("for k in pairs(req) do end", "must be a table");
	assert_fails("return #req", "attempt to get length");
}

static void
test_request_is_read_only(void **state)
{
	(void)state;
	assert_fails("req.path = '/'", "read-only");
	assert_fails("req.query.a = '2'", "read-only");
	assert_fails("req.headers.a = '2'", "read-only");
	assert_fails("req.caller.name = 'user:root'", "read-only");
}

static void
test_repeated_query_name_reads_as_an_error(void **state)
{
	(void)state;
	struct harness *h = harness_new(HARNESS_CHECK("return req.query.a and allow()"));
	h->ask.query = STR_LIT("a=1&b=2&%61=3");
	harness_ask(h);
	assert_verdict(h, VERDICT_DENY, "policy_error", "more than once");
	h->ask.query = STR_LIT("a=1&b=2&b=3");
	harness_ask(h);
	assert_verdict(h, VERDICT_ALLOW, "", "");
	harness_free(h);
}

static void
test_repeated_header_reads_as_an_error(void **state)
{
	(void)state;
	struct harness *h = harness_new(HARNESS_CHECK("return req.headers.a and allow()"));
	harness_add_header(h, "a", "1");
	harness_add_header(h, "a", "2");
	harness_ask(h);
	assert_verdict(h, VERDICT_DENY, "policy_error", "more than once");
	harness_free(h);
}

static void
test_i5_body_is_shown_only_where_inspect_says_so(void **state)
{
	(void)state;
	assert_fails("return req.body and allow()", "inspect = \"text\"");
	assert_check(HARNESS_CAPABILITY("check = function(req) return req.json and allow() end"),
	    VERDICT_DENY, "policy_error", "inspect = \"json\"");
	assert_check(HARNESS_CAPABILITY("inspect = \"text\", check = function(req) "
	                                "return #req.body == req.body_size and allow() end"),
	    VERDICT_ALLOW, "", "");
}

static void
test_i5_ambiguous_body_is_denied(void **state)
{
	(void)state;
	static const struct {
		const char *body;
		const char *words;
	} cases[] = {
	    {"{\"a\":1,\"a\":2}", "there twice"},
	    {"{\"a\":1,\"\\u0061\":2}", "there twice"},
	    {"{\"a\":\"\xff\"}", "not UTF-8"},
	    {"{\"a\":\"\\ud800\"}", "lone surrogate"},
	    {"{\"a\":1} x", "after the value"},
	    {"{\"a\":1}{}", "after the value"},
	    {"\xef\xbb\xbf{}", "a value is missing"},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct harness *h = harness_new(HARNESS_CHECK("return req.json and allow()"));
		h->body = str_of(cases[i].body);
		harness_ask(h);
		assert_verdict(h, VERDICT_DENY, "policy_error", cases[i].words);
		harness_free(h);
	}
	struct harness *h = harness_new(HARNESS_CHECK("return req.json and allow()"));
	harness_add_header(h, "content-encoding", "gzip");
	harness_ask(h);
	assert_verdict(h, VERDICT_DENY, "policy_error", "content encoding");
	harness_free(h);
	h = harness_new(HARNESS_CAPABILITY(
	    "inspect = \"text\", check = function(req) return req.body and allow() end"));
	h->body = STR_LIT("caf\xe9");
	harness_ask(h);
	assert_verdict(h, VERDICT_DENY, "policy_error", "not UTF-8");
	harness_free(h);
}

static void
test_body_that_is_not_here_is_an_error_and_no_body_is_nil(void **state)
{
	(void)state;
	struct harness *h = harness_new(
	    HARNESS_CHECK("assert(req.json == nil) assert(req.body_size == 0) return allow()"));
	h->ask.has_body = 0;
	h->ask.body_size = 0;
	h->body = STR_LIT("");
	harness_ask(h);
	assert_verdict(h, VERDICT_ALLOW, "", "");
	h->ask.body_size = 5;
	harness_ask(h);
	assert_verdict(h, VERDICT_DENY, "policy_error", "not here");
	harness_free(h);
	h = harness_new(HARNESS_CHECK("assert(req.body_size == nil) return allow()"));
	h->ask.has_body = 0;
	h->ask.body_size = UINT64_MAX;
	h->body = STR_LIT("");
	harness_ask(h);
	assert_verdict(h, VERDICT_ALLOW, "", "");
	harness_free(h);
}

static void
test_one_check_cannot_change_the_json_that_another_sees(void **state)
{
	(void)state;
	struct harness *h =
	    harness_new("local function spoil(req) req.json.model = 'other' return allow() end\n"
	                "local p = policy 'spoil' { check = spoil }\n"
	                "local spoiler = { kind = 'instance', name = 'spoil', check = p.check, "
	                "params = {} }\n" HARNESS_CAPABILITY(
	                    "inspect = 'json', policies = { spoiler }, check = function(req) "
	                    "return req.json.model == 'm' and allow() end"));
	assert_int_equal(h->loaded, AV_OK);
	harness_ask(h);
	assert_verdict(h, VERDICT_ALLOW, "", "");
	harness_free(h);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_check_sees_names_and_labels),
	    cmocka_unit_test(test_i1_request_has_no_other_fields),
	    cmocka_unit_test(test_request_is_read_only),
	    cmocka_unit_test(test_repeated_query_name_reads_as_an_error),
	    cmocka_unit_test(test_repeated_header_reads_as_an_error),
	    cmocka_unit_test(test_i5_body_is_shown_only_where_inspect_says_so),
	    cmocka_unit_test(test_i5_ambiguous_body_is_denied),
	    cmocka_unit_test(test_body_that_is_not_here_is_an_error_and_no_body_is_nil),
	    cmocka_unit_test(test_one_check_cannot_change_the_json_that_another_sees),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
