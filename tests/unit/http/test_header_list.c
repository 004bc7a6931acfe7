/* SPDX-License-Identifier: Apache-2.0 */
#include "http/header_list.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static enum av_err
add(struct header_list *l, const char *name, const char *value)
{
	return header_list_add(l, str_of(name), str_of(value));
}

static void
is_at(const struct header_list *l, size_t i, const char *name, const char *value)
{
	assert_true(i < l->count);
	assert_true(str_eq_cstr(l->items[i].name, name));
	assert_true(str_eq_cstr(l->items[i].value, value));
}

static void
test_names_are_lower_cased_and_values_trimmed_in_order(void **state)
{
	struct header_list l;

	(void)state;
	header_list_init(&l);
	assert_int_equal(add(&l, "X-B", " \t two words\t "), AV_OK);
	assert_int_equal(add(&l, "x-a", ""), AV_OK);
	assert_int_equal(add(&l, "X-b", "caf\xc3\xa9\tx"), AV_OK);
	is_at(&l, 0, "x-b", "two words");
	is_at(&l, 1, "x-a", "");
	is_at(&l, 2, "x-b", "caf\xc3\xa9\tx");
	assert_int_equal(header_list_count(&l, STR_LIT("X-B")), 2);
	assert_ptr_equal(header_list_find(&l, STR_LIT("X-B")), &l.items[0]);
	assert_null(header_list_find(&l, STR_LIT("x")));
	assert_int_equal(header_list_remove(&l, STR_LIT("x-B")), 2);
	assert_int_equal(l.count, 1);
	is_at(&l, 0, "x-a", "");
	assert_int_equal(l.bytes, 3);
	header_list_clear(&l);
	assert_int_equal(l.bytes, 0);
}

static void
test_names_that_are_no_token_are_refused(void **state)
{
	static const char separators[] = " \t\"(),/:;<=>?@[\\]{}\r\n\x7f\x80\xff";
	struct header_list l;

	(void)state;
	header_list_init(&l);
	assert_int_equal(add(&l, "", "a"), AV_EFORMAT);
	assert_int_equal(header_list_add(&l, STR_LIT("a\0b"), STR_LIT("")), AV_EFORMAT);
	for (size_t i = 0; separators[i] != '\0'; i++) {
		char name[] = {'a', separators[i], 'b', '\0'};
		assert_int_equal(add(&l, name, "a"), AV_EFORMAT);
	}
	assert_int_equal(add(&l, "!#$%&'*+-.^_`|~09azAZ", "a"), AV_OK);
	assert_int_equal(l.count, 1);
	header_list_clear(&l);
}

static void
test_values_with_control_bytes_are_refused(void **state)
{
	struct header_list l;

	(void)state;
	header_list_init(&l);
	for (unsigned c = 0; c < 256; c++) {
		char value[] = {'a', (char)c, 'b'};
		bool bad = (c < 0x20 && c != '\t') || c == 0x7f;
		assert_int_equal(header_list_add(&l, STR_LIT("x"), (struct str){value, 3}),
		    bad ? AV_EFORMAT : AV_OK);
		header_list_clear(&l);
	}
	assert_int_equal(add(&l, "x", "a\r\nevil: b"), AV_EFORMAT);
	/* A line break at the end is no blank to be trimmed. */
	assert_int_equal(add(&l, "x", "a\n"), AV_EFORMAT);
	assert_int_equal(header_list_set(&l, STR_LIT("x"), STR_LIT("a\r")), AV_EFORMAT);
	assert_int_equal(l.count, 0);
	header_list_clear(&l);
}

static void
test_set_leaves_one_field_of_a_name(void **state)
{
	struct header_list l;

	(void)state;
	header_list_init(&l);
	assert_int_equal(add(&l, "a", "1"), AV_OK);
	assert_int_equal(add(&l, "b", "2"), AV_OK);
	assert_int_equal(add(&l, "A", "3"), AV_OK);
	assert_int_equal(add(&l, "c", "4"), AV_OK);
	/* The value may be one that goes. */
	assert_int_equal(header_list_set(&l, l.items[2].name, l.items[2].value), AV_OK);
	assert_int_equal(l.count, 3);
	is_at(&l, 0, "a", "3");
	is_at(&l, 1, "b", "2");
	is_at(&l, 2, "c", "4");
	assert_int_equal(header_list_set(&l, STR_LIT("D"), STR_LIT("5")), AV_OK);
	is_at(&l, 3, "d", "5");
	/* So may the name. */
	assert_int_equal(header_list_remove(&l, l.items[1].name), 1);
	is_at(&l, 1, "c", "4");
	assert_int_equal(l.bytes, 6);
	header_list_clear(&l);
}

static void
test_count_and_size_have_limits(void **state)
{
	static char big[HEADER_MAX_BYTES];
	struct header_list l;

	(void)state;
	header_list_init(&l);
	for (unsigned i = 0; i < HEADER_MAX_COUNT; i++)
		assert_int_equal(add(&l, "x", "y"), AV_OK);
	assert_int_equal(add(&l, "x", "y"), AV_ELIMIT);
	assert_int_equal(header_list_set(&l, STR_LIT("z"), STR_LIT("y")), AV_ELIMIT);
	assert_int_equal(header_list_set(&l, STR_LIT("x"), STR_LIT("z")), AV_OK);
	assert_int_equal(l.count, 1);
	header_list_clear(&l);
	memset(big, 'a', sizeof(big));
	assert_int_equal(
	    header_list_add(&l, STR_LIT("xy"), (struct str){big, sizeof(big) - 1}), AV_ELIMIT);
	assert_int_equal(
	    header_list_add(&l, STR_LIT("x"), (struct str){big, sizeof(big) - 1}), AV_OK);
	assert_int_equal(add(&l, "y", ""), AV_ELIMIT);
	assert_int_equal(
	    header_list_set(&l, STR_LIT("x"), (struct str){big, sizeof(big) - 1}), AV_OK);
	header_list_clear(&l);
}

static void
test_reserved_names_are_known_in_any_spelling(void **state)
{
	static const char *const reserved[] = {"Host", "content-length", "Expect", "Upgrade",
	    "Connection", "keep-alive", "Proxy-Connection", "TE", "Trailer", "Transfer-Encoding",
	    "Sec-WebSocket-Key", "X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override",
	    "X_HTTP_Method_Override", "X-Original-URL", "x-rewrite-url", "Forwarded",
	    "X-Forwarded-For", "X-Forwarded-Host", "x_forwarded_for", "Aivault-Credential",
	    "AIVAULT-x"};
	static const char *const free_names[] = {"accept", "content-type", "authorization",
	    "x-api-key", "hosts", "x-forwarded", "aivault", "openai-organization", "x-stainless-os",
	    "t", ""};

	(void)state;
	for (size_t i = 0; i < sizeof(reserved) / sizeof(reserved[0]); i++)
		assert_true(header_is_reserved(str_of(reserved[i])));
	for (size_t i = 0; i < sizeof(free_names) / sizeof(free_names[0]); i++)
		assert_false(header_is_reserved(str_of(free_names[i])));
	assert_true(header_is_hop_by_hop(STR_LIT("TE")));
	assert_false(header_is_hop_by_hop(STR_LIT("host")));
}

static void
test_auth_class_names_are_those_of_the_contract(void **state)
{
	static const char *const names[] = {"Authorization", "Proxy-Authorization", "Cookie",
	    "X-API-Key", "api-key", "x-auth-token", "X_Api_Key"};

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		assert_true(header_is_auth_class(str_of(names[i])));
	assert_false(header_is_auth_class(STR_LIT("set-cookie")));
	assert_false(header_is_auth_class(STR_LIT("accept")));
	assert_false(header_is_auth_class(STR_LIT("")));
}

static void
test_response_headers_that_carry_state_or_auth_do_not_reach_the_agent(void **state)
{
	static const char *const unsafe[] = {"Set-Cookie", "WWW-Authenticate", "Proxy-Authenticate",
	    "Proxy-Status", "Connection", "Keep-Alive", "Transfer-Encoding", "Trailer", "Upgrade",
	    "Aivault-Request-Id", "aivault-error"};
	static const char *const safe[] = {"content-type", "content-length", "x-request-id", "etag",
	    "retry-after", "location", "openai-version"};

	(void)state;
	for (size_t i = 0; i < sizeof(unsafe) / sizeof(unsafe[0]); i++)
		assert_false(header_is_response_safe(str_of(unsafe[i])));
	for (size_t i = 0; i < sizeof(safe) / sizeof(safe[0]); i++)
		assert_true(header_is_response_safe(str_of(safe[i])));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_names_are_lower_cased_and_values_trimmed_in_order),
	    cmocka_unit_test(test_names_that_are_no_token_are_refused),
	    cmocka_unit_test(test_values_with_control_bytes_are_refused),
	    cmocka_unit_test(test_set_leaves_one_field_of_a_name),
	    cmocka_unit_test(test_count_and_size_have_limits),
	    cmocka_unit_test(test_reserved_names_are_known_in_any_spelling),
	    cmocka_unit_test(test_auth_class_names_are_those_of_the_contract),
	    cmocka_unit_test(test_response_headers_that_carry_state_or_auth_do_not_reach_the_agent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
