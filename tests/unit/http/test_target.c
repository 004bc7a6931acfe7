/* SPDX-License-Identifier: Apache-2.0 */
#include "http/target.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct str
path_of(const struct target *t)
{
	return (struct str){(const char *)t->path.data, t->path.len};
}

static struct str
query_of(const struct target *t)
{
	return (struct str){(const char *)t->query.data, t->query.len};
}

/* `query` NULL: there must be none. The canonical form must be its own canonical form (I5). */
static void
becomes(struct str raw, bool opaque_slash, const char *path, const char *query)
{
	struct fault f = {0};
	struct target t, again;
	struct buf joined;

	target_init(&t);
	target_init(&again);
	buf_init(&joined, TARGET_MAX);
	if (target_parse(&t, raw, opaque_slash, &f) != AV_OK)
		fail_msg("\"%.*s\" was refused: %s", STR_FMT(raw), f.reason);
	if (!str_eq_cstr(path_of(&t), path))
		fail_msg("\"%.*s\": path \"%.*s\"", STR_FMT(raw), STR_FMT(path_of(&t)));
	assert_int_equal(t.has_query, query != NULL);
	if (query != NULL && !str_eq_cstr(query_of(&t), query))
		fail_msg("\"%.*s\": query \"%.*s\"", STR_FMT(raw), STR_FMT(query_of(&t)));

	buf_append(&joined, t.path.data, t.path.len);
	if (t.has_query) {
		buf_append_byte(&joined, '?');
		buf_append(&joined, t.query.data, t.query.len);
	}
	assert_int_equal(target_parse(&again, (struct str){(const char *)joined.data, joined.len},
	                     opaque_slash, NULL),
	    AV_OK);
	assert_true(str_eq(path_of(&t), path_of(&again)));
	assert_true(str_eq(query_of(&t), query_of(&again)));
	buf_clear(&joined);
	target_clear(&t);
	target_clear(&again);
}

static void
refused(struct str raw, bool opaque_slash, const char *reason)
{
	struct fault f = {0};
	struct target t;

	target_init(&t);
	if (target_parse(&t, raw, opaque_slash, &f) == AV_OK)
		fail_msg("\"%.*s\" was let pass as \"%.*s\"", STR_FMT(raw), STR_FMT(path_of(&t)));
	if (strcmp(f.reason, reason) != 0)
		fail_msg("\"%.*s\": %s, not %s", STR_FMT(raw), f.reason, reason);
	assert_true(f.message[0] != '\0');
	assert_true(f.remedy[0] != '\0');
	/* Nothing of it may stay to be sent. */
	assert_int_equal(t.path.len, 0);
	assert_int_equal(t.query.len, 0);
	assert_false(t.has_query);
	target_clear(&t);
}

static void
test_i5_path_has_one_form(void **state)
{
	(void)state;
	becomes(STR_LIT("/"), false, "/", NULL);
	becomes(STR_LIT("/v1/chat/completions"), false, "/v1/chat/completions", NULL);
	becomes(STR_LIT("/v1/"), false, "/v1/", NULL);
	becomes(STR_LIT("/%41%7a%30%2D%5f%7E"), false, "/Az0-_~", NULL);
	becomes(STR_LIT("/a%20b%3a%3f%23"), false, "/a%20b%3A%3F%23", NULL);
	becomes(STR_LIT("/a!$&'()*+,;=:@b"), false, "/a!$&'()*+,;=:@b", NULL);
	becomes(STR_LIT("/caf%c3%a9/%e2%82%ac/%f0%9f%98%80"), false,
	    "/caf%C3%A9/%E2%82%AC/%F0%9F%98%80", NULL);
	becomes(STR_LIT("/a;params=1/b"), false, "/a;params=1/b", NULL);
	becomes(STR_LIT("/.well-known/a..b/..c/d.."), false, "/.well-known/a..b/..c/d..", NULL);
	becomes(STR_LIT("/100%25"), false, "/100%25", NULL);
	becomes(STR_LIT("/%2525"), false, "/%2525", NULL);
	becomes(STR_LIT("/%25%34%31"), false, "/%2541", NULL);
	becomes(STR_LIT("/a%0ab"), false, "/a%0Ab", NULL);
}

static void
test_i5_query_keeps_its_pairs_and_order(void **state)
{
	(void)state;
	becomes(STR_LIT("/a?"), false, "/a", "");
	becomes(STR_LIT("/a?b=c&b=d&a=%41"), false, "/a", "b=c&b=d&a=A");
	becomes(STR_LIT("/a?b?c=/d//e/../f"), false, "/a", "b?c=/d//e/../f");
	becomes(STR_LIT("/a?q=a+b%20c%2bd%26e%3d"), false, "/a", "q=a+b%20c%2Bd%26e%3D");
	becomes(STR_LIT("/a?u=https%3a%2f%2fx%2f..%2f%5c"), false, "/a",
	    "u=https%3A%2F%2Fx%2F..%2F%5C");
	becomes(STR_LIT("/a?[]{}|\\^`\"<>"), false, "/a", "[]{}|\\^`\"<>");
	becomes(STR_LIT("/a?&&=&x"), false, "/a", "&&=&x");
	becomes(STR_LIT("/a?x=%0a%7f"), false, "/a", "x=%0A%7F");
	becomes(STR_LIT("/a?x=%252e%c3%a9"), false, "/a", "x=%252e%C3%A9");
}

/* The published bypass W1: the reference checked one text and sent what a URL parser made of it. */
static void
test_i5_backslash_and_control_bytes_are_refused(void **state)
{
	(void)state;
	refused(STR_LIT("/v1/users/..\\..\\admin"), false, "path_backslash");
	refused(STR_LIT("/v1/users/..\\..\\admin"), true, "path_backslash");
	refused(STR_LIT("/v1/users/.\t./.\t./admin"), false, "path_control_byte");
	refused(STR_LIT("/v1/users/.\n./admin"), false, "path_control_byte");
	refused(STR_LIT("/v1/users/.\r./admin"), false, "path_control_byte");
	refused(STR_LIT("/v1/%5c..%5Cadmin"), false, "path_backslash");
	refused(STR_LIT("/v1/%5c"), true, "path_backslash");
	refused(STR_LIT("/a\0b"), false, "path_control_byte");
	refused(STR_LIT("/a\x7f"), false, "path_control_byte");
	refused(STR_LIT("/a%00b"), false, "path_nul");
	refused(STR_LIT("/a b"), false, "path_space");
	refused(STR_LIT("/a#b"), false, "path_fragment");
	refused(STR_LIT("/caf\xc3\xa9"), false, "path_high_byte");
	refused(STR_LIT("/\x80"), false, "path_high_byte");
}

static void
test_i5_dot_segments_are_refused_in_every_spelling(void **state)
{
	static const char *const paths[] = {"/.", "/..", "/./", "/../", "/a/.", "/a/..", "/a/./b",
	    "/a/../b", "/%2e", "/%2E%2e", "/.%2e/", "/%2e./x", "/a/%2e%2E/b", "/a/..;/b",
	    "/a/..;x=1", "/.;/b", "/a/..%3b/b", "/a/%2e%2e%3Bx/b"};
	static const char *const doubled[] = {"/%252e", "/%252E%252e/", "/a%252fb", "/a%252Fb",
	    "/a%255cb", "/%25252e", "/%2525252f", "/%25%32%65", "/%25%32%66", "/%25%35%63",
	    "/%2525%32%65", "/.%252e/"};

	(void)state;
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		refused(str_of(paths[i]), false, "path_dot_segment");
		refused(str_of(paths[i]), true, "path_dot_segment");
	}
	for (size_t i = 0; i < sizeof(doubled) / sizeof(doubled[0]); i++) {
		refused(str_of(doubled[i]), false, "path_double_encoded");
		refused(str_of(doubled[i]), true, "path_double_encoded");
	}
}

static void
test_i5_slashes_are_plain_unless_the_capability_says_opaque(void **state)
{
	(void)state;
	refused(STR_LIT("/a%2fb"), false, "path_encoded_slash");
	refused(STR_LIT("/a%2Fb"), false, "path_encoded_slash");
	refused(STR_LIT("//"), false, "path_empty_segment");
	refused(STR_LIT("//evil.example/x"), false, "path_empty_segment");
	refused(STR_LIT("/a//b"), false, "path_empty_segment");
	refused(STR_LIT("/a/b//"), false, "path_empty_segment");
	becomes(STR_LIT("/a%2fb"), true, "/a%2Fb", NULL);
	becomes(STR_LIT("/projects/group%2Fname//x"), true, "/projects/group%2Fname//x", NULL);
	refused(STR_LIT("/a%2f..%2fb"), true, "path_dot_segment");
	refused(STR_LIT("/a%2f%2e%2e"), true, "path_dot_segment");
	refused(STR_LIT("/a/..%2Fb"), true, "path_dot_segment");
	refused(STR_LIT("/a//../b"), true, "path_dot_segment");
}

static void
test_i5_text_that_is_not_utf8_is_refused(void **state)
{
	static const char *const bad[] = {"/%c0%ae", "/%c0%af", "/%e0%80%af", "/%ff", "/%80",
	    "/a%c3", "/%ed%a0%80", "/%f4%90%80%80", "/%c3/%a9"};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		char query[64] = "/a?b=";
		refused(str_of(bad[i]), false, "path_not_utf8");
		strncat(query, bad[i] + 1, sizeof(query) - 6);
		refused(str_of(query), false, "query_not_utf8");
	}
}

static void
test_bad_escapes_are_refused(void **state)
{
	static const char *const bad[] = {
	    "/%", "/a%", "/a%4", "/%zz", "/%4g", "/%%41", "/% 1", "/%+1", "/%0x", "/%u0041"};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		char query[64] = "/a?b=";
		refused(str_of(bad[i]), false, "path_bad_escape");
		strncat(query, bad[i] + 1, sizeof(query) - 6);
		refused(str_of(query), false, "query_bad_escape");
	}
	/* The escape may not reach over the '?'. */
	refused(STR_LIT("/a%4?1"), false, "path_bad_escape");
}

static void
test_bytes_that_may_not_stand_raw_in_a_path_are_refused(void **state)
{
	static const char bytes[] = "\"<>[]^`{|}";

	(void)state;
	for (size_t i = 0; bytes[i] != '\0'; i++) {
		char raw[] = {'/', bytes[i], '\0'};
		refused(str_of(raw), false, "path_raw_byte");
	}
}

static void
test_query_refuses_what_cannot_be_sent_as_it_is(void **state)
{
	(void)state;
	refused(STR_LIT("/a?b c"), false, "query_space");
	refused(STR_LIT("/a?b\tc"), false, "query_control_byte");
	refused(STR_LIT("/a?b\r\nX: y"), false, "query_control_byte");
	refused(STR_LIT("/a?b\0c"), false, "query_control_byte");
	refused(STR_LIT("/a?b\x7f"), false, "query_control_byte");
	refused(STR_LIT("/a?b#c"), false, "query_fragment");
	refused(STR_LIT("/a?b=%00"), false, "query_nul");
	refused(STR_LIT("/a?b=\xc3\xa9"), false, "query_high_byte");
}

static void
test_target_must_be_in_origin_form(void **state)
{
	static const char *const bad[] = {"", "a", "?a", "*", "http://a/b", "\\a", ".", "%2fa"};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		refused(str_of(bad[i]), false, "path_not_absolute");
}

static void
test_target_over_the_limit_is_refused_by_name(void **state)
{
	static char raw[TARGET_MAX + 2];

	(void)state;
	memset(raw, 'a', sizeof(raw) - 1);
	raw[0] = '/';
	refused((struct str){raw, TARGET_MAX + 1}, false, "path_too_long");
	raw[TARGET_MAX] = '\0';
	becomes((struct str){raw, TARGET_MAX}, false, raw, NULL);
}

static void
test_target_can_be_parsed_into_again(void **state)
{
	struct target t;

	(void)state;
	target_init(&t);
	assert_int_equal(target_parse(&t, STR_LIT("/a?b"), false, NULL), AV_OK);
	assert_int_equal(target_parse(&t, STR_LIT("/c"), false, NULL), AV_OK);
	assert_true(str_eq_cstr(path_of(&t), "/c"));
	assert_false(t.has_query);
	assert_int_equal(t.query.len, 0);
	target_clear(&t);
}

static void
test_query_pairs_are_walked_decoded(void **state)
{
	static const char *const want[][2] = {{"a", "1"}, {"b c", "d e"}, {"f", ""}, {"", "g"},
	    {"h", "i=j"}, {"\xc3\xa9", "&"}, {"a", "2"}};
	const struct str query = STR_LIT("a=1&b+c=d%20e&f&=g&&h=i=j&%C3%A9=%26&a=2&");
	struct str name, value;
	struct buf scratch;
	size_t pos = 0, n = 0;

	(void)state;
	buf_init(&scratch, TARGET_MAX);
	while (query_next(query, &pos, &scratch, &name, &value)) {
		assert_true(n < sizeof(want) / sizeof(want[0]));
		assert_true(str_eq_cstr(name, want[n][0]));
		assert_true(str_eq_cstr(value, want[n][1]));
		n++;
	}
	assert_int_equal(n, sizeof(want) / sizeof(want[0]));
	pos = 0;
	assert_false(query_next(STR_LIT(""), &pos, &scratch, &name, &value));
	pos = 0;
	assert_false(query_next(STR_LIT("&&"), &pos, &scratch, &name, &value));
	assert_int_equal(buf_err(&scratch), AV_OK);
	buf_clear(&scratch);
}

static void
test_query_walk_tells_when_the_scratch_is_too_small(void **state)
{
	struct str name, value;
	struct buf scratch;
	size_t pos = 0;

	(void)state;
	buf_init(&scratch, 2);
	assert_false(query_next(STR_LIT("abc=def"), &pos, &scratch, &name, &value));
	assert_int_equal(buf_err(&scratch), AV_ELIMIT);
	buf_clear(&scratch);
}

static void
test_percent_coding_goes_there_and_back(void **state)
{
	struct buf coded, plain;
	char all[256];

	(void)state;
	buf_init(&coded, 4096);
	buf_init(&plain, 4096);
	for (size_t i = 0; i < sizeof(all); i++)
		all[i] = (char)i;
	assert_int_equal(percent_encode(&coded, (struct str){all, sizeof(all)}), AV_OK);
	assert_int_equal(
	    percent_decode(&plain, (struct str){(char *)coded.data, coded.len}), AV_OK);
	assert_int_equal(plain.len, sizeof(all));
	assert_memory_equal(plain.data, all, sizeof(all));
	buf_reset(&coded);
	assert_int_equal(percent_encode(&coded, STR_LIT("aZ09-._~ +/%\xff")), AV_OK);
	assert_string_equal(buf_cstr(&coded), "aZ09-._~%20%2B%2F%25%FF");
	buf_reset(&plain);
	assert_int_equal(percent_decode(&plain, STR_LIT("a+%2")), AV_EFORMAT);
	buf_clear(&coded);
	buf_clear(&plain);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_i5_path_has_one_form),
	    cmocka_unit_test(test_i5_query_keeps_its_pairs_and_order),
	    cmocka_unit_test(test_i5_backslash_and_control_bytes_are_refused),
	    cmocka_unit_test(test_i5_dot_segments_are_refused_in_every_spelling),
	    cmocka_unit_test(test_i5_slashes_are_plain_unless_the_capability_says_opaque),
	    cmocka_unit_test(test_i5_text_that_is_not_utf8_is_refused),
	    cmocka_unit_test(test_bad_escapes_are_refused),
	    cmocka_unit_test(test_bytes_that_may_not_stand_raw_in_a_path_are_refused),
	    cmocka_unit_test(test_query_refuses_what_cannot_be_sent_as_it_is),
	    cmocka_unit_test(test_target_must_be_in_origin_form),
	    cmocka_unit_test(test_target_over_the_limit_is_refused_by_name),
	    cmocka_unit_test(test_target_can_be_parsed_into_again),
	    cmocka_unit_test(test_query_pairs_are_walked_decoded),
	    cmocka_unit_test(test_query_walk_tells_when_the_scratch_is_too_small),
	    cmocka_unit_test(test_percent_coding_goes_there_and_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
