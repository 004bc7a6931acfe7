/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "broker/needle_filter.h"

#include <string.h>

static const char *const needles[] = {
    "sk-0123456789", "01234567", "aaaaaaaaaa", "\xff\xfe\xfd\xfc\xfb\xfa\xf9\xf8\xf7"};

static void
filter_make(struct needle_filter *nf)
{
	size_t i;

	needle_filter_init(nf, 8);
	for (i = 0; i < sizeof(needles) / sizeof(needles[0]); i++)
		needle_filter_add(nf, str_of(needles[i]));
}

static void
test_no_place_of_a_needle_is_left_out(void **state)
{
	struct needle_filter nf;
	uint8_t text[200];
	size_t i, put, at;

	(void)state;
	filter_make(&nf);
	for (i = 0; i < sizeof(needles) / sizeof(needles[0]); i++) {
		size_t n = strlen(needles[i]);

		for (put = 0; put + n <= sizeof(text); put++) {
			bool seen = false;

			memset(text, 'a', sizeof(text));
			memcpy(text + put, needles[i], n);
			for (at = 0; !seen && needle_filter_next(&nf, text, sizeof(text), &at);
			     at++) {
				assert_true(at + 8 <= sizeof(text));
				seen = at == put;
			}
			assert_true(seen);
		}
	}
}

static void
test_text_without_needles_has_few_places_to_look_at(void **state)
{
	struct needle_filter nf;
	uint8_t text[4096];
	size_t i, at, places = 0;
	unsigned seed = 1;

	(void)state;
	filter_make(&nf);
	for (i = 0; i < sizeof(text); i++) {
		seed = seed * 1103515245u + 12345u;
		text[i] = (uint8_t)('a' + (seed >> 16) % 26);
	}
	for (at = 0; needle_filter_next(&nf, text, sizeof(text), &at); at++)
		places++;
	assert_in_range(places, 0, 40);
}

static void
test_text_shorter_than_every_needle_has_no_place(void **state)
{
	struct needle_filter nf;
	size_t at = 0;

	(void)state;
	filter_make(&nf);
	assert_false(needle_filter_next(&nf, (const uint8_t *)"0123456", 7, &at));
	assert_false(needle_filter_next(&nf, (const uint8_t *)"", 0, &at));
	at = 1;
	assert_false(needle_filter_next(&nf, (const uint8_t *)"01234567", 8, &at));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_no_place_of_a_needle_is_left_out),
	    cmocka_unit_test(test_text_without_needles_has_few_places_to_look_at),
	    cmocka_unit_test(test_text_shorter_than_every_needle_has_no_place),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
