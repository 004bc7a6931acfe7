/* SPDX-License-Identifier: Apache-2.0 */
/* The strict reader. Accept and reject cases follow RFC 8259's grammar, rule by rule. */
#include "harness.h"

#include "policy/lib.h"

/* The JSON text goes in as the request's body; `check` is Lua over `v`. */
static struct harness *
ask_json(const char *json, size_t len, const char *check)
{
	char text[1024];
	snprintf(text, sizeof(text),
	    HARNESS_CHECK("local v = req.json assert(%s, 'wrong value') return allow()"), check);
	struct harness *h = harness_new(text);
	assert_int_equal(h->loaded, AV_OK);
	h->body = (struct str){json, len};
	harness_ask(h);
	return h;
}

static void
assert_reads(const char *json, const char *check)
{
	struct harness *h = ask_json(json, strlen(json), check);
	if (h->draft.kind != VERDICT_ALLOW) {
		fail_msg("%s: %s", json, h->draft.message);
	}
	harness_free(h);
}

static void
assert_refuses(const char *json, const char *words)
{
	struct harness *h = ask_json(json, strlen(json), "true");
	if (h->draft.kind != VERDICT_DENY || strcmp(h->draft.reason, "policy_error") != 0 ||
	    strstr(h->draft.message, words) == NULL) {
		fail_msg("%s: wanted \"%s\", got %d \"%s\"", json, words, h->draft.kind,
		    h->draft.message);
	}
	harness_free(h);
}

static void
test_values_are_read_as_what_they_are(void **state)
{
	(void)state;
	assert_reads("true", "v == true");
	assert_reads("false", "v == false");
	assert_reads("null", "v == json.null and tostring(v) == 'null'");
	assert_reads(" [ ] ", "type(v) == 'table' and #v == 0");
	assert_reads("{}", "type(v) == 'table' and next(v) == nil");
	assert_reads("[1,null,\"a\"]", "#v == 3 and v[2] == json.null and v[3] == 'a'");
	assert_reads("\t{\"a\" : {\"b\":[true]}}\r\n", "v.a.b[1] == true");
	assert_reads("{\"\":1,\"1\":2}", "v[''] == 1 and v['1'] == 2 and v[1] == nil");
}

static void
test_whole_numbers_stay_exact(void **state)
{
	(void)state;
	assert_reads("9007199254740993", "v == 9007199254740993 and math.type(v) == 'integer'");
	assert_reads("-9223372036854775808", "v == math.mininteger");
	assert_reads("9223372036854775807", "v == math.maxinteger");
	assert_reads("-0", "v == 0");
	assert_reads("0.5", "v == 0.5");
	assert_reads("1e2", "v == 100.0");
	assert_reads("-1.5E-3", "v == -0.0015");
	assert_refuses("9223372036854775808", "too large to be exact");
	assert_refuses("9007199254740993.0", "too large to be exact");
	assert_refuses("1e16", "too large to be exact");
	assert_refuses("1e999", "too large to be exact");
	assert_refuses("-1e999", "too large to be exact");
}

static void
test_malformed_numbers_are_refused(void **state)
{
	(void)state;
	static const char *const bad[] = {"01", "-", "+1", "1.", ".5", "1e", "1e+", "0x10", "1_0",
	    "--1", "NaN", "Infinity", "-Infinity", "1 2", "00", "-01", "1.e1", "inf", "1,", "0b1"};
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_refuses(bad[i], "JSON:");
	}
	char digits[200];
	memset(digits, '1', sizeof(digits) - 1);
	digits[1] = '.';
	digits[sizeof(digits) - 1] = '\0';
	assert_refuses(digits, "too long");
}

static void
test_escapes_are_decoded(void **state)
{
	(void)state;
	assert_reads("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "v == '\"\\\\/\\b\\f\\n\\r\\t'");
	assert_reads("\"\\u0041\\u00e9\\u20ac\\ud83d\\ude00\"",
	    "v == 'A\\xc3\\xa9\\xe2\\x82\\xac\\xf0\\x9f\\x98\\x80'");
	assert_reads("\"a\\u0000b\"", "v == 'a\\0b' and string.len(v) == 3");
	assert_reads("\"\xc3\xa9\"", "v == '\\xc3\\xa9'");
	assert_reads("\"\\uABCD\\uabcd\"", "string.len(v) == 6");
}

static void
test_bad_texts_are_refused(void **state)
{
	(void)state;
	assert_refuses("\"\\ud800\"", "lone surrogate");
	assert_refuses("\"\\udc00\"", "lone surrogate");
	assert_refuses("\"\\ud800\\u0041\"", "lone surrogate");
	assert_refuses("\"\\ud800x\"", "lone surrogate");
	assert_refuses("\"\\ud83d\\\"", "");
	assert_refuses("\"\\u12\"", "escape");
	assert_refuses("\"\\u12g4\"", "bad escape");
	assert_refuses("\"\\x41\"", "bad escape");
	assert_refuses("\"\\", "without its end");
	assert_refuses("\"abc", "without its end");
	assert_refuses("\"a\nb\"", "control byte");
	assert_refuses("\"a\tb\"", "control byte");
	assert_refuses("'a'", "a value is missing");
	assert_refuses("\"\xff\"", "not UTF-8");
	assert_refuses("\"\xc0\x80\"", "not UTF-8");
	assert_refuses("\"\xed\xa0\x80\"", "not UTF-8");
	struct harness *h = ask_json("\"a\0b\"", 5, "true");
	assert_verdict(h, VERDICT_DENY, "policy_error", "control byte");
	harness_free(h);
	h = ask_json("\"\\\0\"", 4, "true");
	assert_verdict(h, VERDICT_DENY, "policy_error", "bad escape");
	harness_free(h);
}

static void
test_malformed_structure_is_refused(void **state)
{
	(void)state;
	static const char *const bad[] = {"[", "]", "{", "}", "[1,]", "[,1]", "[1 2]", "{\"a\"}",
	    "{\"a\":}", "{\"a\":1,}", "{a:1}", "{1:1}", "{\"a\":1 \"b\":2}", "[1}", "{\"a\":1]",
	    "tru", "True", "nul", "undefined", "// x\n1", "/* */ 1", "[1]]", "{}{}", "1 1", " ",
	    ";", "[\"a\",", "{\"a\":1,\"b\"",
	    "\x0b"
	    "1",
	    "\xef\xbb\xbf"
	    "1",
	    "[1]\x0c"};
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_refuses(bad[i], "JSON:");
	}
	struct harness *h = ask_json("1\0", 2, "true");
	assert_verdict(h, VERDICT_DENY, "policy_error", "after the value");
	harness_free(h);
}

static void
test_i5_a_name_twice_is_refused_however_it_is_written(void **state)
{
	(void)state;
	assert_refuses("{\"a\":1,\"a\":1}", "there twice");
	assert_refuses("{\"a\":1,\"\\u0061\":1}", "there twice");
	assert_refuses("{\"a\":null,\"a\":1}", "there twice");
	assert_refuses("{\"x\":{\"a\":false,\"b\":1,\"a\":1}}", "there twice");
	assert_reads("{\"a\":{\"a\":1},\"A\":2}", "v.a.a == 1 and v.A == 2");
}

static void
assert_nested(size_t depth, bool good)
{
	char text[300];
	memset(text, '[', depth);
	text[depth] = '1';
	memset(text + depth + 1, ']', depth);
	text[2 * depth + 1] = '\0';
	if (good) {
		assert_reads(text, "v[1] ~= nil");
	} else {
		assert_refuses(text, "more than 64 levels");
	}
}

static void
test_depth_and_number_of_values_are_limited(void **state)
{
	(void)state;
	assert_nested(64, true);
	assert_nested(65, false);
	size_t n = 70000 * 2 + 1;
	char *many = malloc(n + 1);
	for (size_t i = 0; i < n; i++) {
		many[i] = i % 2 == 0 ? (i == 0 ? '[' : ',') : '1';
	}
	many[n - 1] = ']';
	struct harness *h = ask_json(many, n, "true");
	assert_verdict(h, VERDICT_DENY, "policy_error", "more than 65536 values");
	/* An agent's body may not look like a script that runs into its limits. */
	assert_int_equal(h->draft.limit_hit, 0);
	harness_free(h);
	free(many);
}

static void
test_largest_body_is_read_within_the_limits(void **state)
{
	(void)state;
	size_t n = JSON_MAX_BYTES;
	char *text = malloc(n);
	memset(text, 'x', n);
	text[0] = text[n - 1] = '"';
	struct harness *h = ask_json(text, n, "string.len(v) == 1048574");
	assert_verdict(h, VERDICT_ALLOW, "", "");
	harness_free(h);
	free(text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_values_are_read_as_what_they_are),
	    cmocka_unit_test(test_whole_numbers_stay_exact),
	    cmocka_unit_test(test_malformed_numbers_are_refused),
	    cmocka_unit_test(test_escapes_are_decoded),
	    cmocka_unit_test(test_bad_texts_are_refused),
	    cmocka_unit_test(test_malformed_structure_is_refused),
	    cmocka_unit_test(test_i5_a_name_twice_is_refused_however_it_is_written),
	    cmocka_unit_test(test_depth_and_number_of_values_are_limited),
	    cmocka_unit_test(test_largest_body_is_read_within_the_limits),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
