/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "broker/outgoing.h"

#include <string.h>

static void
expect(const char *target, const struct auth_part *parts, size_t count, const char *sent,
    const char *shown)
{
	struct keeper_resolved r = {.host = "api.acme.test", .path_prefix = "/pre"};
	struct keeper_released released = {.parts = (struct auth_part *)parts, .part_count = count};
	struct buf out, text;
	struct target t;
	struct fault f = {0};

	target_init(&t);
	buf_init(&out, 4096);
	buf_init(&text, 4096);
	assert_int_equal(target_parse(&t, str_of(target), false, NULL), AV_OK);
	if (sent == NULL) {
		assert_int_equal(outgoing_build(&r, &t, &released, &out, &text, &f), AV_EAUTH);
	} else {
		assert_int_equal(outgoing_build(&r, &t, &released, &out, &text, &f), AV_OK);
		assert_string_equal(buf_cstr(&out), sent);
		assert_string_equal(buf_cstr(&text), shown);
	}
	target_clear(&t);
	buf_clear(&out);
	buf_clear(&text);
}

static void
test_only_prefix_and_auth_are_added(void **state)
{
	struct auth_part head = {.place = AUTH_PLACE_HEADER,
	    .name = STR_LIT("authorization"),
	    .value = STR_LIT("Bearer k")};
	struct auth_part query = {.place = AUTH_PLACE_QUERY,
	    .name = STR_LIT("api key"),
	    .value = STR_LIT("k&=+/%"),
	    .spans = {{0, 6}},
	    .span_count = 1};
	struct auth_part path = {.place = AUTH_PLACE_PATH,
	    .value = STR_LIT("/bot12:AB C"),
	    .spans = {{4, 7}},
	    .span_count = 1};

	(void)state;
	expect("/a/b", &head, 1, "/pre/a/b", "https://api.acme.test/pre/a/b");
	expect("/a?x=%2f", &head, 1, "/pre/a?x=%2F", "https://api.acme.test/pre/a?x=%2F");
	expect("/a?", &head, 1, "/pre/a?", "https://api.acme.test/pre/a?");
	expect("/a", &query, 1, "/pre/a?api%20key=k%26%3D%2B%2F%25",
	    "https://api.acme.test/pre/a?api%20key=REDACTED");
	expect("/a?b=c", &query, 1, "/pre/a?b=c&api%20key=k%26%3D%2B%2F%25",
	    "https://api.acme.test/pre/a?b=c&api%20key=REDACTED");
	expect("/sendMessage", &path, 1, "/pre/bot12:AB%20C/sendMessage",
	    "https://api.acme.test/pre/botREDACTED/sendMessage");
}

static void
test_secret_cannot_leave_its_segment(void **state)
{
	static const char *const values[] = {"/bota/../b", "/bota?b", "/bota#b", "/bota\nb"};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		struct auth_part path = {.place = AUTH_PLACE_PATH, .span_count = 1};

		path.value = str_of(values[i]);
		path.spans[0] = (struct secret_span){4, (uint32_t)strlen(values[i]) - 4};
		expect("/x", &path, 1, NULL, NULL);
	}
}

static void
test_secret_spans_become_needles(void **state)
{
	struct auth_part parts[] = {
	    {.place = AUTH_PLACE_HEADER,
	        .value = STR_LIT("Bearer 0123456789"),
	        .spans = {{7, 10}},
	        .span_count = 1},
	    {.place = AUTH_PLACE_QUERY,
	        .value = STR_LIT("short"),
	        .spans = {{0, 5}},
	        .span_count = 1},
	};
	struct keeper_released released = {.parts = parts, .part_count = 2};
	struct scrub s;
	struct buf out;

	(void)state;
	scrub_init(&s);
	buf_init(&out, 4096);
	assert_int_equal(outgoing_needles(&released, &s), AV_OK);
	assert_int_equal(s.count, 5); /* itself and base64; of the short one nothing */
	assert_int_equal(scrub_text(&s, STR_LIT("Bearer 0123456789 short"), &out), AV_OK);
	assert_string_equal(buf_cstr(&out), "Bearer ********** short");
	buf_clear(&out);
	scrub_clear(&s);
}

static void
expect_scrubbed(struct auth_part *part, const char *text, const char *want)
{
	struct keeper_released released = {.parts = part, .part_count = 1};
	struct scrub s;
	struct buf out;

	scrub_init(&s);
	buf_init(&out, 4096);
	assert_int_equal(outgoing_needles(&released, &s), AV_OK);
	assert_int_equal(scrub_text(&s, str_of(text), &out), AV_OK);
	assert_string_equal(buf_cstr(&out), want);
	buf_clear(&out);
	scrub_clear(&s);
}

static void
test_query_secret_is_scrubbed_as_it_is_and_as_it_went(void **state)
{
	struct auth_part part = {.place = AUTH_PLACE_QUERY,
	    .name = STR_LIT("key"),
	    .value = STR_LIT("k+0123/9"),
	    .spans = {{0, 8}},
	    .span_count = 1};

	(void)state;
	expect_scrubbed(&part, "raw k+0123/9 url k%2B0123%2F9.", "raw ******** url ************.");
}

static void
test_basic_password_is_scrubbed_alone_and_encoded(void **state)
{
	/* base64 of api:key-0123 */
	struct auth_part part = {.place = AUTH_PLACE_HEADER,
	    .name = STR_LIT("authorization"),
	    .value = STR_LIT("Basic YXBpOmtleS0wMTIz"),
	    .spans = {{6, 16}},
	    .span_count = 1};

	(void)state;
	expect_scrubbed(&part, "Basic YXBpOmtleS0wMTIz", "Basic ****************");
	expect_scrubbed(&part, "the key key-0123 of api", "the key ******** of api");
	expect_scrubbed(&part, "api:key-0123", "************");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_only_prefix_and_auth_are_added),
	    cmocka_unit_test(test_secret_cannot_leave_its_segment),
	    cmocka_unit_test(test_secret_spans_become_needles),
	    cmocka_unit_test(test_query_secret_is_scrubbed_as_it_is_and_as_it_went),
	    cmocka_unit_test(test_basic_password_is_scrubbed_alone_and_encoded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
