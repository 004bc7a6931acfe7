/* SPDX-License-Identifier: Apache-2.0 */
#include "base/str.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static void
test_comparison_looks_at_length_and_bytes(void **state)
{
	struct str empty = {NULL, 0};

	(void)state;
	assert_true(str_eq(STR_LIT("a\0b"), STR_LIT("a\0b")));
	assert_false(str_eq(STR_LIT("a\0b"), STR_LIT("a\0c")));
	assert_false(str_eq_cstr(STR_LIT("ab"), "abc"));
	assert_true(str_eq(empty, str_of(NULL)));
	assert_true(str_ieq_cstr(STR_LIT("Content-TYPE"), "content-type"));
	assert_false(str_ieq_cstr(STR_LIT("@"), "`")); /* 0x20 apart, but no letters */
	assert_false(str_ieq(STR_LIT("\xc3\x89"), STR_LIT("\xc3\xa9")));
	assert_true(str_starts(STR_LIT("abc"), STR_LIT("ab")));
	assert_true(str_starts(STR_LIT("abc"), empty));
	assert_false(str_starts(STR_LIT("a"), STR_LIT("ab")));
	assert_true(str_ends(STR_LIT("abc"), STR_LIT("bc")));
	assert_true(str_ends(empty, empty));
	assert_false(str_ends(STR_LIT("c"), STR_LIT("bc")));
}

static void
test_trim_takes_blanks_at_both_ends_only(void **state)
{
	(void)state;
	assert_true(str_eq_cstr(str_trim(STR_LIT(" \ta b\t ")), "a b"));
	assert_int_equal(str_trim(STR_LIT(" \t ")).len, 0);
	assert_true(str_eq_cstr(str_trim(STR_LIT("\na\n")), "\na\n"));
}

static void
test_cut_splits_at_the_first(void **state)
{
	struct str head, tail;

	(void)state;
	assert_true(str_cut(STR_LIT("a=b=c"), '=', &head, &tail));
	assert_true(str_eq_cstr(head, "a"));
	assert_true(str_eq_cstr(tail, "b=c"));
	assert_true(str_cut(STR_LIT("="), '=', &head, &tail));
	assert_int_equal(head.len + tail.len, 0);
	assert_false(str_cut(STR_LIT("abc"), '=', &head, &tail));
	assert_false(str_cut((struct str){NULL, 0}, '=', &head, &tail));
}

static void
test_dup_refuses_a_nul_inside(void **state)
{
	char *copy = str_dup(STR_LIT("abc"));

	(void)state;
	assert_string_equal(copy, "abc");
	free(copy);
	copy = str_dup((struct str){NULL, 0});
	assert_string_equal(copy, "");
	free(copy);
	assert_null(str_dup(STR_LIT("a\0b")));
}

static void
test_utf8_is_strict(void **state)
{
	static const struct str good[] = {{"", 0}, {"a", 1}, {"\0", 1}, {"\x7f", 1},
	    {"\xc2\x80", 2}, {"\xdf\xbf", 2}, {"\xe0\xa0\x80", 3}, {"\xed\x9f\xbf", 3},
	    {"\xee\x80\x80", 3}, {"\xef\xbf\xbf", 3}, {"\xf0\x90\x80\x80", 4},
	    {"\xf4\x8f\xbf\xbf", 4}};
	static const struct str bad[] = {{"\x80", 1}, {"\xbf", 1}, {"\xc0\x80", 2}, {"\xc1\xbf", 2},
	    {"\xc2", 1}, {"\xc2\x41", 2}, {"\xc2\xc0", 2}, {"\xe0\x80\x80", 3}, {"\xe0\x9f\xbf", 3},
	    {"\xe2\x82", 2}, {"\xe2\x41\x80", 3}, {"\xe2\x82\x41", 3}, {"\xed\xa0\x80", 3},
	    {"\xed\xbf\xbf", 3}, {"\xf0\x80\x80\x80", 4}, {"\xf0\x8f\xbf\xbf", 4},
	    {"\xf0\x90\x80", 3}, {"\xf0\x90\x80\x41", 4}, {"\xf4\x90\x80\x80", 4},
	    {"\xf5\x80\x80\x80", 4}, {"\xff", 1}, {"\xfe", 1}, {"a\xe2\x82", 3},
	    {"\xf8\x88\x80\x80\x80", 5}};

	(void)state;
	for (size_t i = 0; i < COUNT(good); i++)
		assert_true(str_is_utf8(good[i]));
	for (size_t i = 0; i < COUNT(bad); i++)
		assert_false(str_is_utf8(bad[i]));
}

static void
test_numbers_are_plain_decimal(void **state)
{
	static const char *const bad[] = {"", " 1", "1 ", "+1", "-1", "01", "00", "0x1", "1.0",
	    "1e3", "a", "1a", "99999999999999999999999999x"};
	uint64_t v = 7;

	(void)state;
	assert_int_equal(str_to_u64(STR_LIT("0"), 0, 10, &v), AV_OK);
	assert_int_equal(v, 0);
	assert_int_equal(str_to_u64(STR_LIT("18446744073709551615"), 0, UINT64_MAX, &v), AV_OK);
	assert_true(v == UINT64_MAX);
	v = 7;
	assert_int_equal(str_to_u64(STR_LIT("18446744073709551616"), 0, UINT64_MAX, &v), AV_ELIMIT);
	assert_int_equal(
	    str_to_u64(STR_LIT("99999999999999999999999"), 0, UINT64_MAX, &v), AV_ELIMIT);
	assert_int_equal(str_to_u64(STR_LIT("11"), 0, 10, &v), AV_ELIMIT);
	assert_int_equal(str_to_u64(STR_LIT("4"), 5, 10, &v), AV_ELIMIT);
	assert_int_equal(str_to_u64(STR_LIT("1\0"), 0, 10, &v), AV_EFORMAT);
	for (size_t i = 0; i < COUNT(bad); i++)
		assert_int_equal(str_to_u64(str_of(bad[i]), 0, UINT64_MAX, &v), AV_EFORMAT);
	assert_int_equal(v, 7); /* untouched by every failure */
}

static void
test_seconds_take_one_suffix(void **state)
{
	static const struct {
		const char *text;
		uint64_t seconds;
	} good[] = {
	    {"10", 10}, {"90s", 90}, {"10m", 600}, {"1h", 3600}, {"90d", 7776000}, {"0", 0}};
	static const char *const bad[] = {"", "s", "1w", "1hh", "-1s", "1 m", "1.5h", "1M"};
	uint64_t v;

	(void)state;
	for (size_t i = 0; i < COUNT(good); i++) {
		assert_int_equal(str_to_seconds(str_of(good[i].text), UINT64_MAX, &v), AV_OK);
		assert_int_equal(v, good[i].seconds);
	}
	for (size_t i = 0; i < COUNT(bad); i++)
		assert_int_equal(str_to_seconds(str_of(bad[i]), UINT64_MAX, &v), AV_EFORMAT);
	assert_int_equal(str_to_seconds(STR_LIT("61m"), 3600, &v), AV_ELIMIT);
	assert_int_equal(str_to_seconds(STR_LIT("60m"), 3600, &v), AV_OK);
	assert_int_equal(str_to_seconds(STR_LIT("213503982334602d"), UINT64_MAX, &v), AV_ELIMIT);
}

static void
test_booleans_are_the_contracts_four_words(void **state)
{
	static const char *const on[] = {"1", "true", "TRUE", " Yes\t", "on", "oN\n"};
	static const char *const off[] = {
	    "", " ", "0", "false", "no", "off", "2", "y", "t", "truee", "1 1", "enabled"};

	(void)state;
	for (size_t i = 0; i < COUNT(on); i++)
		assert_true(str_to_bool(on[i]));
	for (size_t i = 0; i < COUNT(off); i++)
		assert_false(str_to_bool(off[i]));
	assert_false(str_to_bool(NULL));
}

static void
test_hex_has_an_exact_length(void **state)
{
	static const uint8_t bytes[] = {0x00, 0x7f, 0x80, 0xff};
	uint8_t out[4];
	char text[9];

	(void)state;
	hex_encode(bytes, sizeof bytes, text);
	assert_string_equal(text, "007f80ff");
	assert_int_equal(hex_decode(STR_LIT("007F80fF"), out, 4), AV_OK);
	assert_memory_equal(out, bytes, 4);
	assert_int_equal(hex_decode(STR_LIT("007f80f"), out, 4), AV_EFORMAT);
	assert_int_equal(hex_decode(STR_LIT("007f80"), out, 4), AV_EFORMAT);
	assert_int_equal(hex_decode(STR_LIT("007f80ff00"), out, 4), AV_EFORMAT);
	assert_int_equal(hex_decode(STR_LIT("007f80fg"), out, 4), AV_EFORMAT);
	hex_encode(NULL, 0, text);
	assert_string_equal(text, "");
}

/* RFC 4648 section 10. */
static void
test_base64_gives_the_published_vectors(void **state)
{
	static const struct {
		const char *plain;
		const char *coded;
	} rfc[] = {{"", ""}, {"f", "Zg=="}, {"fo", "Zm8="}, {"foo", "Zm9v"}, {"foob", "Zm9vYg=="},
	    {"fooba", "Zm9vYmE="}, {"foobar", "Zm9vYmFy"}};
	uint8_t out[16];
	char text[16];

	(void)state;
	for (size_t i = 0; i < COUNT(rfc); i++) {
		size_t len = sizeof out, plain = strlen(rfc[i].plain);

		assert_int_equal(b64_encoded_len(plain), strlen(rfc[i].coded));
		b64_encode(rfc[i].plain, plain, text);
		assert_string_equal(text, rfc[i].coded);
		assert_int_equal(b64_decode(str_of(rfc[i].coded), out, &len), AV_OK);
		assert_int_equal(len, plain);
		assert_memory_equal(out, rfc[i].plain, plain);
	}
}

static void
test_base64_has_one_text_a_value(void **state)
{
	static const char *const bad[] = {"Zg", "Zg=", "Zg===", "Zh==", "Zm9=", "=",
	    "====", "Z===", "Zm9v\n", "Zm 9v", " Zm9", "Zm9v====", "Zg==Zg==", "Zm-_", "Zm9vY",
	    "Z=g="};
	uint8_t out[16];

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		size_t len = sizeof out;

		assert_int_equal(b64_decode(str_of(bad[i]), out, &len), AV_EFORMAT);
	}
}

static void
test_base64_keeps_to_the_room_and_takes_every_byte(void **state)
{
	uint8_t in[256], out[256];
	char text[345];
	size_t len;

	(void)state;
	for (size_t i = 0; i < sizeof in; i++)
		in[i] = (uint8_t)i;
	for (size_t n = 0; n <= sizeof in; n++) {
		b64_encode(in, n, text);
		len = n;
		assert_int_equal(b64_decode(str_of(text), out, &len), AV_OK);
		assert_int_equal(len, n);
		assert_memory_equal(in, out, n);
		if (n > 0) {
			len = n - 1;
			assert_int_equal(b64_decode(str_of(text), out, &len), AV_ELIMIT);
		}
	}
}

static void
test_ids_have_one_alphabet(void **state)
{
	static const char *const good[] = {"a", "0", "openai", "openai/chat-completions", "a.b_c-d",
	    "a/b/c", "openai:codex", "9lives/x"};
	static const char *const bad[] = {"", "/", "a/", "/a", "a//b", "A", "a/B", "a/-", "-", "-a",
	    ".", "..", "a/..", "a/../b", "a b", "a\n", "_a", ":a", "a/:b", "a%2f", "\xc3\xa9",
	    "a?"};
	char longest[130];

	(void)state;
	for (size_t i = 0; i < COUNT(good); i++)
		assert_true(id_is_valid(str_of(good[i])));
	for (size_t i = 0; i < COUNT(bad); i++)
		assert_false(id_is_valid(str_of(bad[i])));
	memset(longest, 'a', sizeof longest);
	assert_true(id_is_valid((struct str){longest, 128}));
	assert_false(id_is_valid((struct str){longest, 129}));
	assert_false(id_is_valid(STR_LIT("a\0b")));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_comparison_looks_at_length_and_bytes),
	    cmocka_unit_test(test_trim_takes_blanks_at_both_ends_only),
	    cmocka_unit_test(test_cut_splits_at_the_first),
	    cmocka_unit_test(test_dup_refuses_a_nul_inside),
	    cmocka_unit_test(test_utf8_is_strict),
	    cmocka_unit_test(test_numbers_are_plain_decimal),
	    cmocka_unit_test(test_seconds_take_one_suffix),
	    cmocka_unit_test(test_booleans_are_the_contracts_four_words),
	    cmocka_unit_test(test_hex_has_an_exact_length),
	    cmocka_unit_test(test_base64_gives_the_published_vectors),
	    cmocka_unit_test(test_base64_has_one_text_a_value),
	    cmocka_unit_test(test_base64_keeps_to_the_room_and_takes_every_byte),
	    cmocka_unit_test(test_ids_have_one_alphabet),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
