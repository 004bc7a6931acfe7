/* SPDX-License-Identifier: Apache-2.0 */
/* What scripts can call, and that there is nothing else. */
#include "harness.h"

static void
test_globals_are_exactly_the_listed_names(void **state)
{
	(void)state;
	assert_allows(
	    "local names = {} for k in pairs(_ENV) do names[#names + 1] = k end table.sort(names)\n"
	    "local all = table.concat(names, ' ')\n"
	    "local want = 'allow alternative assert auth caller_allow capability counter deny "
	    "error '\n"
	    "  .. 'header_shape int ipairs json list map match math method_allow next one_of pairs "
	    "'\n"
	    "  .. 'path_allow policy provider rate_limit select size_limit string table text '\n"
	    "  .. 'time tonumber tostring type'\n"
	    "assert(all == want, all) return allow()");
}

static void
test_library_tables_hold_exactly_the_listed_functions(void **state)
{
	(void)state;
	assert_allows(
	    "local function names(t) local n = {} for k in pairs(t) do n[#n + 1] = k end\n"
	    "  table.sort(n) return table.concat(n, ' ') end\n"
	    "assert(names(string) == 'byte char format len lower sub upper', names(string))\n"
	    "assert(names(table) == 'concat insert remove sort unpack', names(table))\n"
	    "assert(names(math) == 'abs ceil floor fmod huge max maxinteger min mininteger pi sqrt "
	    "'\n"
	    "  .. 'tointeger type', names(math))\n"
	    "assert(names(match) == 'glob host prefix') assert(names(text) == 'find lower split "
	    "trim')\n"
	    "assert(names(json) == 'decode null') assert(names(counter) == 'add get take')\n"
	    "assert(names(time) == 'parts') return allow()");
}

static void
test_names_that_do_not_exist_are_errors(void **state)
{
	(void)state;
	static const char *const gone[] = {"pcall", "xpcall", "setmetatable", "getmetatable",
	    "coroutine", "load", "loadstring", "loadfile", "dofile", "require", "collectgarbage",
	    "print", "rawget", "rawset", "rawequal", "rawlen", "debug", "io", "os", "package", "_G",
	    "_VERSION", "utf8", "warn", "module"};
	for (size_t i = 0; i < sizeof(gone) / sizeof(gone[0]); i++) {
		char text[1024];
		snprintf(text, sizeof(text), HARNESS_CHECK("local _ = %s return allow()"), gone[i]);
		assert_check(text, VERDICT_DENY, "policy_error", gone[i]);
	}
}

static void
test_basic_functions(void **state)
{
	(void)state;
	assert_allows(
	    "assert(tostring(12) == '12') assert(tostring(nil) == 'nil')\n"
	    "assert(tostring({}) == 'table') assert(tostring(pairs) == 'function')\n"
	    "assert(tostring(1.5) == '1.5') assert(tonumber('0x10') == 16)\n"
	    "assert(tonumber('z', 36) == 35) assert(tonumber('8', 8) == nil)\n"
	    "assert(tonumber('1e1') == 10.0) assert(tonumber('1x') == nil)\n"
	    "assert(tonumber('ffffffffffffffffff', 16) == nil) assert(tonumber({}) == nil)\n"
	    "assert(select('#', 1, nil) == 2) assert(select(-1, 1, 2) == 2)\n"
	    "assert(type(nil) == 'nil') local s = 0\n"
	    "for i, v in ipairs({ 1, 2, nil, 4 }) do s = s + v end assert(s == 3)\n"
	    "for k, v in pairs({ a = 1 }) do assert(k == 'a' and v == 1) end\n"
	    "return allow()");
	assert_fails("assert(false)", "assertion failed");
	assert_fails("assert(nil, 'why')", "why");
	assert_fails("assert()", "argument 1");
	assert_fails("select(0)", "out of range");
	assert_fails("next({}, 'x')", "");
}

static void
test_string_functions(void **state)
{
	(void)state;
	assert_allows(
	    "assert(('Abc'):upper() == 'ABC' and ('AbC'):lower() == 'abc')\n"
	    "assert(('hello'):sub(2, -2) == 'ell' and ('x'):sub(5) == '')\n"
	    "assert(('hello'):sub(-100, 2) == 'he' and ('hello'):sub(math.mininteger) == 'hello')\n"
	    "assert(('hello'):sub(3, math.maxinteger) == 'llo')\n"
	    "assert(('A'):byte() == 65 and select('#', ('abc'):byte(1, -1)) == 3)\n"
	    "assert(string.char(72, 105) == 'Hi' and ('abc'):len() == 3)\n"
	    "assert(string.format('%5.2f|%d|%s|%x|%%|%c', 1.5, 7, 'x', 255, 65) == "
	    "' 1.50|7|x|ff|%|A')\n"
	    "assert(string.format('%-5s|%5s', 'a', 'b') == 'a    |    b')\n"
	    "assert(string.format('%s', {}) == 'table') return allow()");
	assert_fails("string.format('%s')", "no value");
	assert_fails("string.format('%q', 'x')", "not allowed");
	assert_fails("string.format('%n', 1)", "not allowed");
	assert_fails("string.format('%*d', 1, 1)", "not allowed");
	assert_fails("string.format('%100d', 1)", "not allowed");
	assert_fails("string.format('%d', 1.5)", "whole number");
	assert_fails("string.format('%')", "not allowed");
	assert_fails("string.format('%.99f', 1e308)", "");
	assert_fails("string.char(256)", "not 0 to 255");
	assert_fails(
	    "local s = 'x' for _ = 1, 9 do s = s .. s end return s:byte(1, -1)", "256 values");
	assert_fails("return 'a' + 1", "arithmetic");
}

static void
test_table_functions(void **state)
{
	(void)state;
	assert_allows(
	    "local t = { 3, 1, 2 } table.sort(t) assert(table.concat(t, ',') == '1,2,3')\n"
	    "table.sort(t, function(a, b) return a > b end) assert(t[1] == 3 and t[3] == 1)\n"
	    "table.insert(t, 9) table.insert(t, 1, 8) assert(table.concat(t) == '83219')\n"
	    "assert(table.remove(t) == 9 and table.remove(t, 1) == 8 and #t == 3)\n"
	    "assert(select('#', table.unpack(t)) == 3 and table.remove({}) == nil)\n"
	    "local u = {} for i = 1, 100 do u[i] = (i * 37) % 101 end table.sort(u)\n"
	    "for i = 1, 100 do assert(u[i] == i) end\n"
	    "local w = { 'b', 'a' } table.sort(w) assert(w[1] == 'a')\n"
	    "assert(table.concat({ 1, 'x', 2.5 }, '-') == '1-x-2.5')\n"
	    "assert(table.concat({}, ',') == '' and table.concat({ 1, 2, 3 }, ',', 2, 3) == "
	    "'2,3')\n"
	    "return allow()");
	assert_fails("table.sort({ 1, 'a' })", "all must be numbers or all texts");
	assert_fails("table.sort({ {}, {} })", "all must be");
	assert_fails("table.sort({ 1, 2 }, 1)", "order must be a function");
	assert_fails("table.concat({ {} })", "element 1 is a table");
	assert_fails("table.remove({ 1 }, 5)", "out of bounds");
	assert_fails("table.insert(math, 'x')", "read-only");
	assert_fails("table.sort(req)", "must be a table");
	assert_fails("table.unpack({}, math.mininteger, math.maxinteger)", "256 values");
	assert_fails("table.unpack({}, -5, math.maxinteger - 1)", "256 values");
	assert_allows("local last = math.maxinteger\n"
	              "assert(select('#', table.unpack({ [last] = 1 }, last - 1, last)) == 2)\n"
	              "assert(select('#', table.unpack({}, last, -last)) == 0) return allow()");
	assert_fails("table.remove({ 1 }, 2)", "out of bounds");
	assert_fails("table.remove({}, 2)", "out of bounds");
	assert_allows(
	    "assert(table.remove({}) == nil and table.remove({}, 1) == nil) return allow()");
}

static void
test_nothing_stands_behind_the_last_integer(void **state)
{
	(void)state;
	static const char border[] =
	    "local t = {} for k = 0, 62 do t[1 << k] = 0 end\n"
	    "t[math.maxinteger], t[3], t[5] = 0, 0, 0 assert(#t == math.maxinteger)\n";
	static const char *const uses[][2] = {
	    {"table.insert(t, 0)", "no place behind"},
	    {"table.insert(t, 1, 0)", "no place behind"},
	    {"table.remove(t, math.mininteger)", "out of bounds"},
	    {"local step = ipairs(t) step(t, #t)", "no element behind"},
	};
	for (size_t i = 0; i < sizeof(uses) / sizeof(uses[0]); i++) {
		char text[1024];
		snprintf(
		    text, sizeof(text), HARNESS_CHECK("%s %s return allow()"), border, uses[i][0]);
		assert_check(text, VERDICT_DENY, "policy_error", uses[i][1]);
	}
}

static void
test_math_functions(void **state)
{
	(void)state;
	assert_allows(
	    "assert(math.floor(-1.5) == -2 and math.ceil(1.2) == 2 and math.abs(-3) == 3)\n"
	    "assert(math.max(1, 5, 2) == 5 and math.min(2, 1.5) == 1.5)\n"
	    "assert(math.fmod(-7, 3) == -1 and math.fmod(5.5, 2) == 1.5)\n"
	    "assert(math.tointeger(2.0) == 2 and math.tointeger(2.5) == nil)\n"
	    "assert(math.type(1) == 'integer' and math.type(1.0) == 'float')\n"
	    "assert(math.abs(math.mininteger) == math.mininteger)\n"
	    "assert(math.fmod(math.mininteger, -1) == 0 and math.floor(1e300) == 1e300)\n"
	    "assert(math.sqrt(9) == 3.0 and math.floor(math.pi) == 3) return allow()");
	assert_fails("math.fmod(1, 0)", "division by zero");
	assert_fails("math.max()", "must be a number");
	assert_fails("math.floor('1')", "must be a number");
	assert_fails("return 1 // 0", "divide by zero");
}

static void
assert_glob(const char *text, const char *pattern, bool matches)
{
	char check[1024];
	snprintf(check, sizeof(check),
	    HARNESS_CHECK("assert(match.glob('%s', '%s') == %s) return allow()"), text, pattern,
	    matches ? "true" : "false");
	struct harness *h = harness_new(check);
	if (harness_ask(h) != VERDICT_ALLOW) {
		fail_msg("'%s' and '%s': %s", text, pattern, h->draft.message);
	}
	harness_free(h);
}

static void
test_glob_star_stays_in_its_segment(void **state)
{
	(void)state;
	assert_glob("/repos/acme/x/issues", "/repos/acme/*/issues**", true);
	assert_glob("/repos/acme/x/issues/7/comments", "/repos/acme/*/issues**", true);
	assert_glob("/repos/acme/x/y/issues", "/repos/acme/*/issues**", false);
	assert_glob("/repos/other/x/issues", "/repos/acme/*/issues**", false);
	assert_glob("", "", true);
	assert_glob("", "*", true);
	assert_glob("", "**", true);
	assert_glob("/", "*", false);
	assert_glob("/", "**", true);
	assert_glob("abc", "a*c", true);
	assert_glob("abcc", "a*c", true);
	assert_glob("ab", "a*c", false);
	assert_glob("a/c", "a*c", false);
	assert_glob("a/b/c", "a**c", true);
	assert_glob("a/b/cd", "a**c", false);
	assert_glob("aXbYb", "a*b", true);
	assert_glob("x/ab/y", "**a*b**", true);
	assert_glob("abc", "abc", true);
	assert_glob("abcd", "abc", false);
	assert_glob("a.c", "a?c", false);
	assert_glob("/v1/a/", "/v1/*", false);
	assert_glob("/v1/a/b/c/end", "/v1/**/c/*", true);
	assert_glob("aaa", "a***a", true);
}

/* One call that walks far without a step of Lua's: the clock must be looked at within it. */
static void
assert_timed(const char *text)
{
	struct harness *h = harness_new(text);
	h->script.limits.check_ms = 1;
	harness_ask(h);
	assert_verdict(h, VERDICT_DENY, "policy_timeout", "run time");
	harness_free(h);
}

static void
test_long_walks_look_at_the_clock_on_their_way(void **state)
{
	(void)state;
	/* Sixteen million steps. */
	assert_timed(HARNESS_CHECK("local pattern, long = '**a', 'aaaa'\n"
	                           "for _ = 1, 6 do pattern = pattern .. pattern end\n"
	                           "for _ = 1, 14 do long = long .. long end\n"
	                           "match.glob(long, pattern .. pattern:sub(1, 63))\n"
	                           "return allow()"));
	/* Two hundred comparisons of 256 KiB each, zero bytes the slowest. */
	assert_timed(HARNESS_CHECK("local long, list = '\\0', {}\n"
	                           "for _ = 1, 18 do long = long .. long end\n"
	                           "local other = long .. 'b'\n"
	                           "for i = 1, 24 do list[i] = i % 2 == 0 and long or other end\n"
	                           "table.sort(list)\n"
	                           "return allow()"));
}

static void
test_match_and_text_functions(void **state)
{
	(void)state;
	assert_allows(
	    "assert(match.prefix('/v1/models', '/v1') and not match.prefix('/v1x', '/v1'))\n"
	    "assert(match.host('a.example.com', '*.example.com'))\n"
	    "assert(not match.host('example.com', '*.example.com'))\n"
	    "local i, j = text.find('a.b.c', '.b') assert(i == 2 and j == 3)\n"
	    "assert(text.find('abc', 'x') == nil and text.find('', '') == 1)\n"
	    "assert(text.find('abab', 'ab', 2) == 3 and text.find('a', 'a', 9) == nil)\n"
	    "assert(text.lower('ABC') == 'abc' and text.trim(' \\t a b\\r\\n ') == 'a b')\n"
	    "local p = text.split('a,b,,c', ',') assert(#p == 4 and p[3] == '')\n"
	    "assert(#text.split('', ',') == 1) return allow()");
	assert_fails("text.split('a', '')", "separator is empty");
	assert_fails("text.find('a', 'a', 0)", "start must be 1");
	assert_fails("match.glob('a', 1)", "must be a string");
	assert_fails("local s = 'aaaaaaaa' for _ = 1, 6 do s = s .. s end match.glob('a', s)",
	    "longer than 256");
}

static void
test_time_parts(void **state)
{
	(void)state;
	assert_allows(
	    "local t = time.parts(1700000000000)\n"
	    "assert(t.year == 2023 and t.month == 11 and t.day == 14 and t.hour == 22)\n"
	    "assert(t.minute == 13 and t.second == 20 and t.weekday == 2)\n"
	    "t = time.parts(0) assert(t.year == 1970 and t.day == 1 and t.weekday == 4)\n"
	    "t = time.parts(0, -60) assert(t.year == 1969 and t.month == 12 and t.hour == 23)\n"
	    "t = time.parts(951782400000) assert(t.month == 2 and t.day == 29)\n"
	    "t = time.parts(1700000000000, 120) assert(t.day == 15 and t.hour == 0)\n"
	    "return allow()");
	assert_fails("time.parts(-1)", "1970 to 9999");
	assert_fails("time.parts(0, 5000)", "offset");
}

static void
test_counters_belong_to_one_capability_and_policy(void **state)
{
	(void)state;
	struct harness *h = harness_new(HARNESS_CHECK(
	    "local ok, wait = counter.take('k', 2, 60)\n"
	    "if not ok then return deny('wait ' .. wait, { retry_after = wait }) end\n"
	    "counter.add('bytes', req.body_size, 3600)\n"
	    "return allow { set_headers = { ['x-n'] = tostring(counter.get('bytes')) } }"));
	assert_int_equal(harness_ask(h), VERDICT_ALLOW);
	assert_int_equal(h->draft.charge_count, 2);
	assert_true(str_eq_cstr(h->draft.charges[0].key, "trial/x|check|script|k"));
	assert_int_equal(h->draft.charges[1].n, 19);
	assert_int_equal(h->draft.charges[1].limit, UINT64_MAX);
	assert_int_equal(h->draft.charges[1].window_s, 3600);
	assert_true(str_eq_cstr(h->draft.ops[0].value, "19"));
	assert_int_equal(harness_ask(h), VERDICT_ALLOW);
	assert_true(str_eq_cstr(h->draft.ops[0].value, "38"));
	harness_ask(h);
	assert_verdict(h, VERDICT_DENY, "policy_denied", "wait ");
	harness_free(h);
	assert_fails("counter.take('', 1, 60)", "1 to 128 bytes");
	assert_fails("counter.take('k', -1, 60)", "0 to 4294967295");
	assert_fails("counter.take('k', 1, 0)", "window must be");
	assert_fails("counter.take('k', 1, 60, 'elsewhere')", "scope");
	assert_allows("assert(not counter.take('k', 0, 60)) return allow()");
	assert_allows(
	    "assert(counter.take('k', 1, 60)) assert(not counter.take('k', 1, 60)) return allow()");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_globals_are_exactly_the_listed_names),
	    cmocka_unit_test(test_library_tables_hold_exactly_the_listed_functions),
	    cmocka_unit_test(test_names_that_do_not_exist_are_errors),
	    cmocka_unit_test(test_basic_functions),
	    cmocka_unit_test(test_string_functions),
	    cmocka_unit_test(test_table_functions),
	    cmocka_unit_test(test_nothing_stands_behind_the_last_integer),
	    cmocka_unit_test(test_math_functions),
	    cmocka_unit_test(test_glob_star_stays_in_its_segment),
	    cmocka_unit_test(test_long_walks_look_at_the_clock_on_their_way),
	    cmocka_unit_test(test_match_and_text_functions),
	    cmocka_unit_test(test_time_parts),
	    cmocka_unit_test(test_counters_belong_to_one_capability_and_policy),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
