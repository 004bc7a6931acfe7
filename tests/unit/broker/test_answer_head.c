/* SPDX-License-Identifier: Apache-2.0 */
/* What an upstream's head may say, and what is believed of it. */
#include "broker/answer_head.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

/* Takes lines up to a NULL; the reason where one is refused. */
static const char *
take(struct header_list *l, const char *const *lines, bool *end)
{
	const char *reason = NULL;

	header_list_init(l);
	*end = false;
	for (; *lines != NULL; lines++)
		if (answer_head_take(l, str_of(*lines), end, &reason) != AV_OK)
			return reason;
	return NULL;
}

static void
expect_length(const char *const *lines, uint64_t want)
{
	struct header_list l;
	bool end;

	assert_null(take(&l, lines, &end));
	assert_true(end);
	assert_int_equal(answer_head_length(&l), want);
	header_list_clear(&l);
}

static void
test_length_is_believed_where_nothing_contradicts_it(void **state)
{
	static const char *const plain[] = {
	    "HTTP/1.1 200 OK\r\n", "Content-Length:  12 \r\n", "\r\n", NULL};
	static const char *const two[] = {"content-length: 12\r\n", "content-length: 12\r\n", "\r\n", NULL};
	static const char *const coded[] = {
	    "content-length: 12\r\n", "content-encoding: gzip\r\n", "\r\n", NULL};
	static const char *const chunked[] = {
	    "content-length: 12\r\n", "transfer-encoding: chunked\r\n", "\r\n", NULL};
	static const char *const odd[] = {"content-length: +12\r\n", "\r\n", NULL};
	static const char *const identity[] = {
	    "content-length: 12\r\n", "content-encoding: Identity\r\n", "\r\n", NULL};

	(void)state;
	expect_length(plain, 12);
	expect_length(two, UINT64_MAX);
	expect_length(coded, UINT64_MAX);
	expect_length(chunked, UINT64_MAX);
	expect_length(odd, UINT64_MAX);
	expect_length(identity, 12);
}

static void
test_another_status_line_begins_another_head(void **state)
{
	static const char *const lines[] = {"HTTP/1.1 100 Continue\r\n", "a: 1\r\n",
	    "HTTP/1.1 200 OK\r\n", "b: 2\r\n", "\r\n", NULL};
	struct header_list l;
	bool end;

	(void)state;
	assert_null(take(&l, lines, &end));
	assert_int_equal(l.count, 1);
	assert_true(str_eq_cstr(l.items[0].name, "b"));
	header_list_clear(&l);
}

static void
test_malformed_lines_are_refused(void **state)
{
	static const char *const bad[] = {"no colon\r\n", " folded: x\r\n", ": x\r\n", "a b: c\r\n",
	    "a: b\rc\r\n", "a: \x01\r\n"};
	struct header_list l;
	bool end;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		const char *const lines[] = {"HTTP/1.1 200 OK\r\n", bad[i], NULL};
		const char *reason = take(&l, lines, &end);

		assert_non_null(reason);
		assert_string_equal(reason, "upstream_malformed");
		header_list_clear(&l);
	}
}

static void
test_head_is_limited(void **state)
{
	const char *reason = NULL;
	struct header_list l;
	enum av_err e = AV_OK;
	size_t n = 0;
	bool end;

	(void)state;
	header_list_init(&l);
	while (e == AV_OK && n++ <= HEADER_MAX_COUNT)
		e = answer_head_take(&l, STR_LIT("a: b\r\n"), &end, &reason);
	assert_int_equal(e, AV_ELIMIT);
	assert_string_equal(reason, "upstream_head_too_large");
	assert_int_equal(n, HEADER_MAX_COUNT + 1);
	header_list_clear(&l);
}

static void
test_framing_is_said_once_and_in_words_that_are_known(void **state)
{
	static const struct {
		const char *first, *second;
		bool plain;
	} heads[] = {
	    {"x: y", "z: w", true},
	    {"content-length: 12", "x: y", true},
	    {"transfer-encoding: Chunked", "x: y", true},
	    {"content-length: 12", "content-length: 12", false},
	    {"content-length: 12", "content-length: 13", false},
	    {"content-length: 12", "transfer-encoding: chunked", false},
	    {"content-length: +12", "x: y", false},
	    {"content-length: 12, 12", "x: y", false},
	    {"content-length:", "x: y", false},
	    {"content-length: 9223372036854775808", "x: y", false},
	    {"transfer-encoding: gzip, chunked", "x: y", false},
	    {"transfer-encoding: chunked", "transfer-encoding: chunked", false},
	};
	struct header_list l;
	bool end;

	(void)state;
	for (size_t i = 0; i < sizeof(heads) / sizeof(heads[0]); i++) {
		const char *const lines[] = {heads[i].first, heads[i].second, "", NULL};

		assert_null(take(&l, lines, &end));
		assert_int_equal(answer_head_is_plain(&l), heads[i].plain);
		header_list_clear(&l);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_length_is_believed_where_nothing_contradicts_it),
	    cmocka_unit_test(test_another_status_line_begins_another_head),
	    cmocka_unit_test(test_malformed_lines_are_refused),
	    cmocka_unit_test(test_head_is_limited),
	    cmocka_unit_test(test_framing_is_said_once_and_in_words_that_are_known),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
