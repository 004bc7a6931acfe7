/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "broker/needle_forms.h"

#include <stdlib.h>
#include <string.h>

struct form {
	const char *secret, *text, *clean;
};

#define ODD "k/e+y<\"\\'&=> 9"

static const struct form forms[] = {
    {"sk-abc_123.XYZ", "is sk-abc_123.XYZ.", "is **************."},
    /* base64 by itself, padded or not; "+" and "/" as "-" and "_" */
    {"sk-12345", "c2stMTIzNDU=", "***********="},
    {"sk-12345", "c2stMTIzNDU", "***********"},
    {"\xfb\xef\xbe\xfb\xff\xff\xff\xff\xff",
        "++++"
        "+///////",
        "************"},
    {"\xfb\xef\xbe\xfb\xff\xff\xff\xff\xff",
        "----"
        "-_______",
        "************"},
    /* inside a longer text: "X:sk-12345:Y", "{sk-12345}" and "abcsk-12345" */
    {"sk-12345", "WDpzay0xMjM0NTpZ", "WDp**********TpZ"},
    {"sk-12345", "e3NrLTEyMzQ1fQ==", "e3**********fQ=="},
    {"sk-12345", "YWJjc2stMTIzNDU=", "YWJj***********="},
    /* percent: upper, lower, what a form, a path and encodeURI leave */
    {ODD, "k%2Fe%2By%3C%22%5C%27%26%3D%3E%209!", NULL},
    {ODD, "k%2fe%2by%3c%22%5c%27%26%3d%3e%209!", NULL},
    {ODD, "k%2Fe%2By%3C%22%5C'%26%3D%3E%209!", NULL},
    {ODD, "k%2Fe%2By%3C%22%5C%27%26%3D%3E+9!", NULL},
    {ODD, "k%2Fe+y%3C%22%5C'&=%3E%209!", NULL},
    {ODD, "k/e+y%3C%22%5C'&=%3E%209!", NULL},
    {ODD, "k/e%2By%3C%22%5C%27%26%3D%3E%209!", NULL},
    {"key~12345", "key%7E12345!", NULL},
    /* JSON: least, "\/", Go, Gson, .NET */
    {ODD, "k/e+y<\\\"\\\\'&=> 9!", NULL},
    {ODD, "k\\/e+y<\\\"\\\\'&=> 9!", NULL},
    {ODD, "k/e+y\\u003c\\\"\\\\'\\u0026=\\u003e 9!", NULL},
    {ODD, "k/e+y\\u003c\\\"\\\\\\u0027\\u0026\\u003d\\u003e 9!", NULL},
    {ODD, "k/e\\u002By\\u003C\\u0022\\\\\\u0027\\u0026=\\u003E 9!", NULL},
    {"line\nbell\a\x1f.", "line\\nbell\\u0007\\u001f.!", NULL},
    {"line\nbell\a\x1f.", "line\\nbell\\u0007\\u001F.!", NULL},
    /* past ASCII: as it is, by number, beyond the first plane in two halves */
    {"key\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80", "key\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80!", NULL},
    {"key\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80", "key\\u00e9\\u20ac\\ud83d\\ude00!", NULL},
    {"key\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80", "key\\u00E9\\u20AC\\uD83D\\uDE00!", NULL},
    {"key/\xc3\xa9\xe2\x82\xac", "key\\/\\u00e9\\u20ac!", NULL},
    /* not UTF-8 */
    {"key\xff\xc3 123", "key%FF%C3%20123!", NULL},
    {"key\xff\xc3 123", "key\xff\xc3 123!", NULL},
    /* under eight bytes */
    {"short77", "short77 c2hvcnQ3Nw==", "short77 c2hvcnQ3Nw=="},
};

/* With no `clean`, all but the last byte is the secret. */
static void
expect(const struct form *t, size_t first, size_t rest)
{
	size_t len = strlen(t->text), from = 0;
	char want[256];
	struct scrub s;
	struct buf out;

	memset(want, 0, sizeof(want));
	if (t->clean != NULL) {
		memcpy(want, t->clean, strlen(t->clean));
	} else {
		memset(want, '*', len - 1);
		want[len - 1] = t->text[len - 1];
	}
	scrub_init(&s);
	buf_init(&out, 4096);
	assert_int_equal(needle_forms_add(&s, str_of(t->secret)), AV_OK);
	while (from < len) {
		size_t n = from == 0 ? first : rest;

		if (n > len - from)
			n = len - from;
		assert_int_equal(scrub_feed(&s, (const uint8_t *)t->text + from, n, &out), AV_OK);
		from += n;
	}
	assert_int_equal(scrub_end(&s, &out), AV_OK);
	assert_string_equal(buf_cstr(&out), want);
	assert_int_equal(scrub_text(&s, str_of(t->text), &out), AV_OK);
	assert_string_equal(buf_cstr(&out), want);
	buf_clear(&out);
	scrub_clear(&s);
}

static void
test_each_form_is_found_split_anywhere(void **state)
{
	size_t i, cut;

	(void)state;
	for (i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		for (cut = 1; cut < strlen(forms[i].text); cut++)
			expect(&forms[i], cut, SIZE_MAX);
		expect(&forms[i], 1, 1);
		expect(&forms[i], SIZE_MAX, SIZE_MAX);
	}
}

/* Whatever stands around it: at most the characters that it shares with a neighbour are left. */
static void
test_base64_of_longer_text_keeps_no_character_of_the_secret_alone(void **state)
{
	unsigned seed = 99, round;

	(void)state;
	for (round = 0; round < 2000; round++) {
		char text[120], coded[200];
		size_t before, len, after, i;
		struct scrub s;
		struct buf out;

		seed = seed * 1103515245u + 12345u;
		before = seed / 65536u % 20;
		len = 8 + seed / 2097152u % 50;
		after = seed / 1048576u % 20;
		for (i = 0; i < before + len + after; i++) {
			seed = seed * 1103515245u + 12345u;
			text[i] = (char)(seed >> 16);
		}
		b64_encode(text, before + len + after, coded);
		for (i = 0; round % 2 == 1 && coded[i] != '\0'; i++)
			coded[i] = coded[i] == '+' ? '-' : coded[i] == '/' ? '_' : coded[i];
		scrub_init(&s);
		buf_init(&out, 4096);
		assert_int_equal(needle_forms_add(&s, (struct str){text + before, len}), AV_OK);
		assert_int_equal(scrub_text(&s, str_of(coded), &out), AV_OK);
		for (i = (8 * before + 5) / 6; i < 8 * (before + len) / 6; i++)
			assert_int_equal(out.data[i], '*');
		for (i = 0; i < 8 * before / 6; i++)
			assert_int_equal(out.data[i], coded[i]);
		buf_clear(&out);
		scrub_clear(&s);
	}
}

static void
test_ordinary_key_needs_few_needles(void **state)
{
	struct scrub s;

	(void)state;
	scrub_init(&s);
	assert_int_equal(needle_forms_add(&s, STR_LIT("sk-live-0123456789abcdefABCDEF")), AV_OK);
	/* Itself and base64 at three offsets, which has neither '+' nor '/'. */
	assert_int_equal(s.count, 4);
	scrub_clear(&s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_each_form_is_found_split_anywhere),
	    cmocka_unit_test(test_base64_of_longer_text_keeps_no_character_of_the_secret_alone),
	    cmocka_unit_test(test_ordinary_key_needs_few_needles),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
