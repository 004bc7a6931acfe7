/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "broker/scrub.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct sample {
	const char *needles[4];
	const char *text;
	const char *clean;
};

static const struct sample samples[] = {
    {{"secret-key"}, "secret-key", "**********"},
    {{"secret-key"}, "a secret-key b", "a ********** b"},
    {{"secret-key"}, "secret-ke", "secret-ke"},
    {{"secret-key"}, "secret-kesecret-key!", "secret-ke**********!"},
    {{"secret-key"}, "secret-keysecret-key", "********************"},
    {{"secret-key"}, "ssecret-secret-keyy", "ssecret-**********y"},
    /* Occurrences that overlap are starred as far as any of them goes. */
    {{"abababab"}, "xababababababx", "x************x"},
    {{"aaaaaaaa"}, "aaaaaaaaaaaa", "************"},
    {{"aaaaaaab"}, "aaaaaaaaaab", "aaa********"},
    {{"aabaabaaa"}, "aabaabaabaaa", "aab*********"},
    /* Several needles: one inside another, one running into another. */
    {{"secret-key", "secret-key-long"}, "secret-key-lonX secret-key-long",
        "**********-lonX ***************"},
    {{"0123456789", "56789abcde"}, "0123456789abcde", "***************"},
    {{"xsecretsx", "secrets-"}, "xsecretsx xsecrets-", "********* x********"},
    /* Too short to be scrubbed. */
    {{"seven77"}, "seven77", "seven77"},
    {{"secret-key"}, "", ""},
};

static void
add_needles(struct scrub *s, const struct sample *t)
{
	size_t i;

	scrub_init(s);
	for (i = 0; i < 4 && t->needles[i] != NULL; i++)
		assert_int_equal(scrub_add(s, str_of(t->needles[i])), AV_OK);
}

/* The whole text in pieces that begin at each set bit of `cuts`. */
static void
run_cut(const struct sample *t, uint32_t cuts)
{
	size_t len = strlen(t->text), from = 0, i;
	struct scrub s;
	struct buf out;

	add_needles(&s, t);
	buf_init(&out, 4096);
	for (i = 1; i <= len; i++) {
		if (i < len && (cuts >> (i - 1) & 1u) == 0)
			continue;
		assert_int_equal(
		    scrub_feed(&s, (const uint8_t *)t->text + from, i - from, &out), AV_OK);
		from = i;
	}
	assert_int_equal(scrub_end(&s, &out), AV_OK);
	assert_int_equal(out.len, len);
	assert_string_equal(buf_cstr(&out), t->clean);
	buf_clear(&out);
	scrub_clear(&s);
}

static void
test_secret_is_found_however_the_text_is_cut(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(samples) / sizeof(samples[0]); i++) {
		size_t len = strlen(samples[i].text);
		uint32_t cuts, all = len > 1 ? 1u << (len - 1 > 14 ? 14 : len - 1) : 1;

		/* All ways to cut where that is feasible; then each byte alone. */
		for (cuts = 0; cuts < all; cuts++)
			run_cut(&samples[i], cuts);
		for (cuts = 0; cuts + 1 < len; cuts++)
			run_cut(&samples[i], 1u << cuts);
		run_cut(&samples[i], UINT32_MAX);
	}
}

static void
test_whole_text_is_scrubbed_alike(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(samples) / sizeof(samples[0]); i++) {
		struct scrub s;
		struct buf out;

		add_needles(&s, &samples[i]);
		buf_init(&out, 4096);
		assert_int_equal(scrub_text(&s, str_of(samples[i].text), &out), AV_OK);
		assert_string_equal(buf_cstr(&out), samples[i].clean);
		buf_clear(&out);
		scrub_clear(&s);
	}
}

/* Stars every occurrence in one look at everything. */
static void
naive(const uint8_t *text, size_t len, const char *const *needles, size_t count, uint8_t *out)
{
	size_t i, j;

	memcpy(out, text, len);
	for (j = 0; j < count; j++) {
		size_t n = strlen(needles[j]);

		for (i = 0; n >= SCRUB_MIN_NEEDLE && i + n <= len; i++) {
			if (memcmp(text + i, needles[j], n) == 0)
				memset(out + i, '*', n);
		}
	}
}

static void
test_streams_over_a_small_alphabet_match_the_naive_way(void **state)
{
	const char *const needles[] = {"abaababa", "aabaabaab", "babababab", "aaaaaaaaaa"};
	uint8_t text[400], want[400];
	unsigned seed = 12345, round;

	(void)state;
	for (round = 0; round < 3000; round++) {
		size_t len, i, off = 0;
		struct scrub s;
		struct buf out;

		seed = seed * 1103515245u + 12345u;
		len = seed / 65536u % sizeof(text);
		for (i = 0; i < len; i++) {
			seed = seed * 1103515245u + 12345u;
			text[i] = (seed >> 16 & 3) == 0 ? 'b' : 'a';
		}
		naive(text, len, needles, 4, want);
		scrub_init(&s);
		for (i = 0; i < 4; i++)
			assert_int_equal(scrub_add(&s, str_of(needles[i])), AV_OK);
		buf_init(&out, 4096);
		while (off < len) {
			size_t n;

			seed = seed * 1103515245u + 12345u;
			n = 1 + seed / 65536u % 17;
			if (n > len - off)
				n = len - off;
			assert_int_equal(scrub_feed(&s, text + off, n, &out), AV_OK);
			/* What is held back is shorter than the longest needle. */
			assert_true(off + n - out.len < 10);
			off += n;
		}
		assert_int_equal(scrub_end(&s, &out), AV_OK);
		assert_int_equal(out.len, len);
		if (len > 0)
			assert_memory_equal(out.data, want, len);
		buf_clear(&out);
		scrub_clear(&s);
	}
}

/* Pieces small and large by turns: the automata and the filter hand over to each other. */
static void
test_small_and_large_pieces_together_match_the_naive_way(void **state)
{
	static const char *const needles[] = {"abaababaab", "aabaabaabaabaabaab", "babababab",
	    "bbbbbbbbbbbb", "abbbaaaabbbbab", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"};
	const size_t count = sizeof(needles) / sizeof(needles[0]);
	static uint8_t text[6000], want[6000];
	unsigned seed = 777, round;

	(void)state;
	for (round = 0; round < 1500; round++) {
		size_t len = 0, off = 0, i;
		struct scrub s;
		struct buf out;

		/* Runs of needles, of pieces of them, and of what resembles them. */
		while (len < sizeof(text)) {
			const char *from;
			size_t n;

			seed = seed * 1103515245u + 12345u;
			from = needles[seed / 65536u % count];
			n = strlen(from);
			seed = seed * 1103515245u + 12345u;
			if (seed / 65536u % 3 == 0)
				n = seed / 262144u % n;
			if (n > sizeof(text) - len)
				n = sizeof(text) - len;
			memcpy(text + len, from, n);
			len += n;
		}
		naive(text, len, needles, count, want);
		scrub_init(&s);
		for (i = 0; i < count; i++)
			assert_int_equal(scrub_add(&s, str_of(needles[i])), AV_OK);
		buf_init(&out, len + 4096);
		while (off < len) {
			size_t n;

			seed = seed * 1103515245u + 12345u;
			n = 1 + seed / 65536u % (seed / 1024u % 2 == 0 ? 40 : 1200);
			if (n > len - off)
				n = len - off;
			assert_int_equal(scrub_feed(&s, text + off, n, &out), AV_OK);
			assert_true(off + n - out.len < 50);
			off += n;
		}
		assert_int_equal(scrub_end(&s, &out), AV_OK);
		assert_int_equal(out.len, len);
		assert_memory_equal(out.data, want, len);
		buf_clear(&out);
		scrub_clear(&s);
	}
}

static void
test_needle_longer_than_a_large_piece_is_found(void **state)
{
	uint8_t needle[3000], text[7000], want[7000];
	size_t i, cut;

	(void)state;
	for (i = 0; i < sizeof(needle); i++)
		needle[i] = (uint8_t)("0123456789abcdef"[i * i / 7 % 16]);
	memset(text, '0', sizeof(text));
	memcpy(text + 2500, needle, sizeof(needle));
	memcpy(want, text, sizeof(text));
	memset(want + 2500, '*', sizeof(needle));
	for (cut = 1; cut < 6999; cut += 37) {
		struct scrub s;
		struct buf out;

		scrub_init(&s);
		buf_init(&out, 16384);
		assert_int_equal(
		    scrub_add(&s, (struct str){(const char *)needle, sizeof(needle)}), AV_OK);
		for (i = 0; i < sizeof(text); i += cut)
			assert_int_equal(scrub_feed(&s, text + i,
			                     cut < sizeof(text) - i ? cut : sizeof(text) - i, &out),
			    AV_OK);
		assert_int_equal(scrub_end(&s, &out), AV_OK);
		assert_int_equal(out.len, sizeof(want));
		assert_memory_equal(out.data, want, sizeof(want));
		buf_clear(&out);
		scrub_clear(&s);
	}
}

static void
test_needle_added_after_a_search_is_searched_for_too(void **state)
{
	struct scrub s;
	struct buf out;

	(void)state;
	scrub_init(&s);
	buf_init(&out, 4096);
	assert_int_equal(scrub_add(&s, STR_LIT("longer-secret-key")), AV_OK);
	assert_int_equal(scrub_text(&s, STR_LIT("x 12345678 longer-secret-key"), &out), AV_OK);
	assert_string_equal(buf_cstr(&out), "x 12345678 *****************");
	assert_int_equal(scrub_add(&s, STR_LIT("12345678")), AV_OK);
	assert_int_equal(scrub_text(&s, STR_LIT("x 12345678 longer-secret-key"), &out), AV_OK);
	assert_string_equal(buf_cstr(&out), "x ******** *****************");
	buf_clear(&out);
	scrub_clear(&s);
}

static void
test_block_goes_out_of_bodies_and_stays_in_headers(void **state)
{
	static const struct {
		const char *block, *text, *clean;
	} t[] = {
	    {"a", "banana", "b*n*n*"},
	    {"an", "banana", "b****a"},
	    {"nan", "banana", "ba***a"},
	    {"secret-key", "a secret-key", "* **********"},
	};
	size_t i, cut;

	(void)state;
	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		for (cut = 1; cut <= strlen(t[i].text); cut++) {
			size_t len = strlen(t[i].text), off;
			struct scrub s;
			struct buf out;

			scrub_init(&s);
			buf_init(&out, 4096);
			assert_int_equal(scrub_add_block(&s, STR_LIT("")), AV_OK);
			assert_int_equal(scrub_add_block(&s, str_of(t[i].block)), AV_OK);
			if (i == 3) {
				assert_int_equal(scrub_add_block(&s, STR_LIT("a")), AV_OK);
				assert_int_equal(scrub_add(&s, STR_LIT("secret-key")), AV_OK);
			}
			for (off = 0; off < len; off += cut)
				assert_int_equal(scrub_feed(&s, (const uint8_t *)t[i].text + off,
				                     cut < len - off ? cut : len - off, &out),
				    AV_OK);
			assert_int_equal(scrub_end(&s, &out), AV_OK);
			assert_string_equal(buf_cstr(&out), t[i].clean);
			assert_false(scrub_in_name(&s, STR_LIT("x-banana")));
			assert_int_equal(scrub_text(&s, STR_LIT("banana secret-key"), &out), AV_OK);
			assert_string_equal(
			    buf_cstr(&out), i == 3 ? "banana **********" : "banana secret-key");
			buf_clear(&out);
			scrub_clear(&s);
		}
	}
}

/* Large pieces, with blocks of a length that the filter takes and does not take. */
static void
test_blocks_in_large_pieces_match_the_naive_way(void **state)
{
	static const char *const blocks[] = {"x", "abc", "bcab"};
	uint8_t text[5000], want[5000];
	size_t first, i, j, b;
	unsigned seed = 4;

	(void)state;
	for (i = 0; i < sizeof(text); i++) {
		seed = seed * 1103515245u + 12345u;
		text[i] = (uint8_t) "abcabcxyz"[(seed >> 16) % 9];
	}
	for (first = 0; first < 2; first++) {
		struct scrub s;
		struct buf out;

		memcpy(want, text, sizeof(text));
		scrub_init(&s);
		buf_init(&out, sizeof(text) + 100);
		for (b = first; b < 3; b++) {
			size_t n = strlen(blocks[b]);

			assert_int_equal(scrub_add_block(&s, str_of(blocks[b])), AV_OK);
			for (j = 0; j + n <= sizeof(text); j++)
				if (memcmp(text + j, blocks[b], n) == 0)
					memset(want + j, '*', n);
		}
		for (i = 0; i < sizeof(text); i += 500)
			assert_int_equal(scrub_feed(&s, text + i, 500, &out), AV_OK);
		assert_int_equal(scrub_end(&s, &out), AV_OK);
		assert_int_equal(out.len, sizeof(want));
		assert_memory_equal(out.data, want, sizeof(want));
		buf_clear(&out);
		scrub_clear(&s);
	}
}

static void
test_too_many_needles_are_refused(void **state)
{
	struct scrub s;
	char name[16];
	unsigned i;

	(void)state;
	scrub_init(&s);
	for (i = 0; i < SCRUB_MAX_NEEDLES; i++) {
		snprintf(name, sizeof(name), "needle%06u", i);
		assert_int_equal(scrub_add(&s, str_of(name)), AV_OK);
	}
	assert_int_equal(scrub_add(&s, STR_LIT("needle000007")), AV_OK);
	assert_int_equal(scrub_add(&s, STR_LIT("one-too-many")), AV_ELIMIT);
	scrub_clear(&s);
}

static void
test_only_a_possible_beginning_is_held_back(void **state)
{
	struct scrub s;
	struct buf out;

	(void)state;
	scrub_init(&s);
	buf_init(&out, 4096);
	assert_int_equal(scrub_add(&s, STR_LIT("secret-key")), AV_OK);
	assert_int_equal(scrub_feed(&s, (const uint8_t *)"data: one\n\n", 11, &out), AV_OK);
	assert_int_equal(out.len, 11);
	assert_int_equal(scrub_feed(&s, (const uint8_t *)"it is secre", 11, &out), AV_OK);
	assert_int_equal(out.len, 11 + 6);
	assert_int_equal(scrub_feed(&s, (const uint8_t *)"x", 1, &out), AV_OK);
	assert_int_equal(out.len, 11 + 12);
	buf_clear(&out);
	scrub_clear(&s);
}

static void
test_large_pieces_pass_whole(void **state)
{
	const size_t len = 300000;
	uint8_t *text = malloc(len);
	struct scrub s;
	struct buf out;

	(void)state;
	assert_non_null(text);
	memset(text, 's', len);
	memcpy(text + 65530, "secret-key", 10);
	memcpy(text + len - 10, "secret-key", 10);
	scrub_init(&s);
	buf_init(&out, len + 4096);
	assert_int_equal(scrub_add(&s, STR_LIT("secret-key")), AV_OK);
	assert_int_equal(scrub_feed(&s, text, len, &out), AV_OK);
	assert_int_equal(scrub_end(&s, &out), AV_OK);
	memset(text + 65530, '*', 10);
	memset(text + len - 10, '*', 10);
	assert_int_equal(out.len, len);
	assert_memory_equal(out.data, text, len);
	assert_int_equal(s.hits, 2);
	buf_clear(&out);
	scrub_clear(&s);
	free(text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_secret_is_found_however_the_text_is_cut),
	    cmocka_unit_test(test_whole_text_is_scrubbed_alike),
	    cmocka_unit_test(test_streams_over_a_small_alphabet_match_the_naive_way),
	    cmocka_unit_test(test_small_and_large_pieces_together_match_the_naive_way),
	    cmocka_unit_test(test_needle_longer_than_a_large_piece_is_found),
	    cmocka_unit_test(test_needle_added_after_a_search_is_searched_for_too),
	    cmocka_unit_test(test_block_goes_out_of_bodies_and_stays_in_headers),
	    cmocka_unit_test(test_blocks_in_large_pieces_match_the_naive_way),
	    cmocka_unit_test(test_too_many_needles_are_refused),
	    cmocka_unit_test(test_only_a_possible_beginning_is_held_back),
	    cmocka_unit_test(test_large_pieces_pass_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
