/* SPDX-License-Identifier: Apache-2.0 */
/* Rendering: what stands on the wire, and which bytes of it are secret. */
#include "room.h"

static void
test_i2_header_is_rendered_and_its_secret_bytes_are_marked(void **state)
{
	struct room r;
	struct auth_output out;
	struct fault f;
	(void)state;
	room_open(&r, AUTH_HEADER, "Authorization", "Bearer {{secret}}");
	room_secret(&r, "secret", "sk-canary");
	assert_int_equal(room_render(&r, &out, &f), AV_OK);
	assert_int_equal(out.part_count, 1);
	assert_int_equal(out.parts[0].place, AUTH_PLACE_HEADER);
	assert_true(str_eq_cstr(out.parts[0].name, "authorization"));
	assert_value(&out.parts[0], "Bearer sk-canary");
	assert_int_equal(out.parts[0].span_count, 1);
	assert_int_equal(out.parts[0].spans[0].offset, 7);
	assert_int_equal(out.parts[0].spans[0].len, 9);
	auth_output_clear(&out);
	room_close(&r);
}

static void
test_secret_with_a_line_break_is_refused_without_showing_it(void **state)
{
	static const char *const bad[] = {"sk-1\r\nx: y", "sk-canary\n", "sk-\x01", "sk-\x7f"};
	struct room r;
	struct auth_output out;
	struct fault f;
	(void)state;
	for (size_t i = 0; i < 4; i++) {
		room_open(&r, AUTH_HEADER, "authorization", "Bearer {{secret}}");
		room_secret(&r, "secret", bad[i]);
		assert_int_equal(room_render(&r, &out, &f), AV_EAUTH);
		assert_string_equal(f.reason, "secret_not_a_header_value");
		assert_null(strstr(f.message, "sk-"));
		assert_int_equal(out.part_count, 0);
		room_close(&r);
	}
}

static void
test_template_that_names_a_missing_secret_is_refused(void **state)
{
	struct room r;
	struct auth_output out;
	struct fault f;
	(void)state;
	room_open(&r, AUTH_HEADER, "authorization", "{{other}}");
	room_secret(&r, "secret", "sk-1");
	assert_int_equal(room_render(&r, &out, &f), AV_EAUTH);
	assert_string_equal(f.reason, "secret_missing");
	room_close(&r);
}

static void
test_several_headers_take_a_secret_each(void **state)
{
	struct room r;
	struct auth_output out;
	struct fault f;
	(void)state;
	room_open(&r, AUTH_MULTI_HEADER, "authorization", "Bearer {{access_token}}");
	room_pair(&r, "Account-Id", "{{account_id}}");
	room_secret(&r, "access_token", "at-canary");
	room_secret(&r, "account_id", "acc-1");
	assert_int_equal(room_render(&r, &out, &f), AV_OK);
	assert_int_equal(out.part_count, 2);
	assert_part(&out, 0, AUTH_PLACE_HEADER, "authorization", "Bearer at-canary");
	assert_span(&out, 0, 7, 9);
	assert_part(&out, 1, AUTH_PLACE_HEADER, "account-id", "acc-1");
	assert_span(&out, 1, 0, 5);
	auth_output_clear(&out);
	room_close(&r);
}

static void
test_managed_names_are_what_the_strategy_sets(void **state)
{
	struct auth_desc a = {.kind = AUTH_HEADER};
	struct string_list headers = {0}, query = {0};
	(void)state;
	assert_int_equal(
	    pair_list_add(&a.pairs, STR_LIT("X-Api-Key"), STR_LIT("{{secret}}")), AV_OK);
	assert_int_equal(auth_managed(&a, &headers, &query), AV_OK);
	assert_int_equal(headers.count, 1);
	assert_string_equal(headers.items[0], "x-api-key");
	assert_int_equal(query.count, 0);
	string_list_clear(&headers);
	auth_desc_clear(&a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_i2_header_is_rendered_and_its_secret_bytes_are_marked),
	    cmocka_unit_test(test_secret_with_a_line_break_is_refused_without_showing_it),
	    cmocka_unit_test(test_template_that_names_a_missing_secret_is_refused),
	    cmocka_unit_test(test_several_headers_take_a_secret_each),
	    cmocka_unit_test(test_managed_names_are_what_the_strategy_sets),
	};
	if (box_init() != AV_OK)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
