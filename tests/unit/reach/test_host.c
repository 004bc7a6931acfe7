/* SPDX-License-Identifier: Apache-2.0 */
#include "reach/host.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void
refused(struct str s, bool wildcard, const char *reason)
{
	struct fault f = {0};
	struct str name;
	uint16_t port;

	if (host_parse(s, wildcard, &name, &port, &f) == AV_OK)
		fail_msg("\"%.*s\" was let pass", STR_FMT(s));
	if (strcmp(f.reason, reason) != 0)
		fail_msg("\"%.*s\": %s, not %s", STR_FMT(s), f.reason, reason);
	assert_int_equal(name.len, 0);
	assert_int_equal(port, 0);
}

static void
accepted(const char *s, bool wildcard, const char *want_name, uint16_t want_port)
{
	struct fault f = {0};
	struct str name;
	uint16_t port;

	if (host_parse(str_of(s), wildcard, &name, &port, &f) != AV_OK)
		fail_msg("\"%s\" was refused: %s", s, f.reason);
	assert_true(str_eq_cstr(name, want_name));
	assert_int_equal(port, want_port);
}

static void
test_public_names_are_accepted(void **state)
{
	char longest[254];

	(void)state;
	accepted("api.openai.com", false, "api.openai.com", 0);
	accepted("a.b", false, "a.b", 0);
	accepted("xn--bcher-kva.example", false, "xn--bcher-kva.example", 0);
	accepted("1password.com", false, "1password.com", 0);
	accepted("a-b--c.1.example2", false, "a-b--c.1.example2", 0);
	accepted("api.example.com:8443", false, "api.example.com", 8443);
	accepted("api.example.com:65535", false, "api.example.com", 65535);
	accepted("localhost.example.com", false, "localhost.example.com", 0);
	accepted("0xyz.example.0xyz", false, "0xyz.example.0xyz", 0);
	memset(longest, 'a', sizeof(longest));
	for (size_t i = 63; i < 253; i += 64)
		longest[i] = '.';
	longest[253] = '\0';
	accepted(longest, false, longest, 0);
}

static void
test_what_is_more_than_a_host_is_refused(void **state)
{
	(void)state;
	refused(STR_LIT(""), false, "host_empty");
	refused(STR_LIT("https://api.example.com"), false, "host_bad_port");
	refused(STR_LIT("user@api.example.com"), false, "host_bad_byte");
	refused(STR_LIT("user:pw@api.example.com"), false, "host_bad_port");
	refused(STR_LIT("api.example.com/v1"), false, "host_bad_byte");
	refused(STR_LIT("api.example.com?x"), false, "host_bad_byte");
	refused(STR_LIT("api.example.com#x"), false, "host_bad_byte");
	refused(STR_LIT("api.example.com\\x"), false, "host_bad_byte");
	refused(STR_LIT("api.example.com\r\nx"), false, "host_bad_byte");
	refused(STR_LIT("api.example.com\0.evil.com"), false, "host_bad_byte");
	refused(STR_LIT(" api.example.com"), false, "host_bad_byte");
	refused(STR_LIT("api.example.com "), false, "host_bad_byte");
	refused(STR_LIT("API.example.com"), false, "host_bad_byte");
	refused(STR_LIT("b\xc3\xbc"
	                "cher.example"),
	    false, "host_bad_byte");
	refused(STR_LIT("a_b.example"), false, "host_bad_byte");
	refused(STR_LIT("a%2eexample"), false, "host_bad_byte");
}

static void
test_bad_ports_are_refused(void **state)
{
	static const char *const bad[] = {"a.b:", "a.b:0", "a.b:65536", "a.b:080", "a.b:+1",
	    "a.b:1x", "a.b:1:2", "a.b: 1", "a.b:99999999999999999999"};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		refused(str_of(bad[i]), false, "host_bad_port");
	refused(STR_LIT(":80"), false, "host_empty_label");
}

static void
test_bad_labels_are_refused(void **state)
{
	static char label[70], name[256];

	(void)state;
	refused(STR_LIT("."), false, "host_empty_label");
	refused(STR_LIT(".a.b"), false, "host_empty_label");
	refused(STR_LIT("a..b"), false, "host_empty_label");
	refused(STR_LIT("a.b."), false, "host_empty_label");
	refused(STR_LIT("-a.b"), false, "host_bad_label");
	refused(STR_LIT("a-.b"), false, "host_bad_label");
	refused(STR_LIT("a.-"), false, "host_bad_label");
	refused(STR_LIT("example"), false, "host_no_dot");
	refused(STR_LIT("localhost"), false, "host_no_dot");
	memset(label, 'a', 64);
	label[64] = '.';
	label[65] = 'b';
	refused(str_of(label), false, "host_label_too_long");
	accepted(label + 1, false, label + 1, 0);
	memset(name, 'a', sizeof(name));
	for (size_t i = 63; i < sizeof(name) - 2; i += 64)
		name[i] = '.';
	refused((struct str){name, 254}, false, "host_too_long");
}

static void
test_addresses_in_every_spelling_are_refused(void **state)
{
	static const char *const addresses[] = {"127.0.0.1", "10.1", "127.1", "0177.0.0.1",
	    "127.0.0.0x1", "0x7f.0x1", "1.2.3.0x", "a.0xabc", "256.256.256.256", "a.b.1", "0.0"};

	(void)state;
	for (size_t i = 0; i < sizeof(addresses) / sizeof(addresses[0]); i++)
		refused(str_of(addresses[i]), false, "host_is_address");
	refused(STR_LIT("2130706433"), false, "host_no_dot");
	refused(STR_LIT("[::1]"), false, "host_bad_port");
	refused(STR_LIT("::1"), false, "host_bad_port");
	refused(STR_LIT("[a.b]"), false, "host_bad_byte");
}

static void
test_local_names_are_refused(void **state)
{
	static const char *const local[] = {"x.localhost", "a.b.localhost", "printer.local",
	    "metadata.google.internal", "x.localhost:80"};

	(void)state;
	for (size_t i = 0; i < sizeof(local) / sizeof(local[0]); i++)
		refused(str_of(local[i]), true, "host_is_local");
	refused(STR_LIT("*.x.local"), true, "host_is_local");
}

static void
test_wildcards_only_in_front_and_only_where_allowed(void **state)
{
	static const char *const bad[] = {"*.", "*.*.example.com", "a.*.example.com",
	    "*a.example.com", "*", "**.example.com", "a.example.*", "*.*"};

	(void)state;
	accepted("*.example.com", true, "*.example.com", 0);
	accepted("*.example.com:444", true, "*.example.com", 444);
	refused(STR_LIT("*.example.com"), false, "host_wildcard");
	refused(STR_LIT("*.com"), true, "host_no_dot");
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct str name;
		uint16_t port;
		assert_int_not_equal(host_parse(str_of(bad[i]), true, &name, &port, NULL), AV_OK);
	}
}

static bool
matches(const char *pattern, const char *host)
{
	return host_matches(str_of(pattern), str_of(host));
}

static void
test_i13_pattern_matches_deeper_names_and_not_the_apex(void **state)
{
	(void)state;
	assert_true(matches("api.example.com", "api.example.com"));
	assert_true(matches("api.example.com:8443", "api.example.com"));
	assert_true(matches("*.example.com", "a.example.com"));
	assert_true(matches("*.example.com", "a.b.example.com"));
	assert_true(matches("*.example.com:8443", "a.example.com"));
	assert_false(matches("*.example.com", "example.com"));
	assert_false(matches("*.example.com", ".example.com"));
	assert_false(matches("*.example.com", "evilexample.com"));
	assert_false(matches("*.example.com", "a.example.com.evil.com"));
	assert_false(matches("*.example.com", "a.example.co"));
	assert_false(matches("example.com", "a.example.com"));
	assert_false(matches("a.example.com", "example.com"));
	assert_false(matches("*.", "a."));
	assert_false(matches("*", "a.b"));
	assert_false(matches("", ""));
	assert_false(matches("example.com", ""));
	assert_false(matches("*.example.com", "a.EXAMPLE.com"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_public_names_are_accepted),
	    cmocka_unit_test(test_what_is_more_than_a_host_is_refused),
	    cmocka_unit_test(test_bad_ports_are_refused),
	    cmocka_unit_test(test_bad_labels_are_refused),
	    cmocka_unit_test(test_addresses_in_every_spelling_are_refused),
	    cmocka_unit_test(test_local_names_are_refused),
	    cmocka_unit_test(test_wildcards_only_in_front_and_only_where_allowed),
	    cmocka_unit_test(test_i13_pattern_matches_deeper_names_and_not_the_apex),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
