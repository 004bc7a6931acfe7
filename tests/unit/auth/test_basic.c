/* SPDX-License-Identifier: Apache-2.0 */
/* Basic auth: RFC 7617. */
#include "room.h"

static void
test_basic_is_rfc7617(void **state)
{
	struct room r;
	struct auth_output out;
	struct fault f;
	(void)state;
	/* RFC 7617 section 2 */
	room_open(&r, AUTH_BASIC, NULL, NULL);
	room_secret(&r, "username", "Aladdin");
	room_secret(&r, "password", "open sesame");
	assert_int_equal(room_render(&r, &out, &f), AV_OK);
	assert_part(
	    &out, 0, AUTH_PLACE_HEADER, "authorization", "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
	assert_span(&out, 0, 6, 28);
	auth_output_clear(&out);
	room_close(&r);
}

static void
test_fixed_user_name_goes_with_either_placeholder(void **state)
{
	static const char *const names[] = {"secret", "password"};
	struct room r;
	struct auth_output out;
	struct fault f;
	(void)state;
	for (size_t i = 0; i < 2; i++) {
		room_open(&r, AUTH_BASIC, "username", "api");
		room_secret(&r, names[i], "key");
		assert_int_equal(room_render(&r, &out, &f), AV_OK);
		assert_part(&out, 0, AUTH_PLACE_HEADER, "authorization", "Basic YXBpOmtleQ==");
		auth_output_clear(&out);
		room_close(&r);
	}
}

static void
test_password_may_hold_colons_and_a_user_name_may_not(void **state)
{
	struct room r;
	struct auth_output out;
	struct fault f;
	(void)state;
	room_open(&r, AUTH_BASIC, "username", "api");
	room_secret(&r, "password", "a:b");
	assert_int_equal(room_render(&r, &out, &f), AV_OK);
	assert_part(&out, 0, AUTH_PLACE_HEADER, "authorization", "Basic YXBpOmE6Yg==");
	auth_output_clear(&out);
	room_close(&r);
	room_open(&r, AUTH_BASIC, "username", "a:pi");
	room_secret(&r, "password", "open-sesame");
	assert_refused(&r, "user_name_invalid", "open-sesame");
	room_close(&r);
	room_open(&r, AUTH_BASIC, NULL, NULL);
	room_secret(&r, "username", "Ala:ddin");
	room_secret(&r, "password", "open-sesame");
	assert_refused(&r, "user_name_invalid", "ddin");
	room_close(&r);
}

static void
test_one_secret_is_user_and_password_or_refused(void **state)
{
	struct room r;
	struct auth_output out;
	struct fault f;
	(void)state;
	room_open(&r, AUTH_BASIC, NULL, NULL);
	room_secret(&r, "secret", "Aladdin:open sesame");
	assert_int_equal(room_render(&r, &out, &f), AV_OK);
	assert_part(
	    &out, 0, AUTH_PLACE_HEADER, "authorization", "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
	auth_output_clear(&out);
	room_close(&r);
	room_open(&r, AUTH_BASIC, NULL, NULL);
	room_secret(&r, "secret", "open-sesame");
	assert_refused(&r, "secret_not_user_password", "open-sesame");
	room_close(&r);
}

static void
test_control_characters_are_refused(void **state)
{
	static const char *const bad[] = {"key\n", "key\r\nx: y", "k\tey", "key\x7f"};
	struct room r;
	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		room_open(&r, AUTH_BASIC, "username", "api");
		room_secret(&r, "password", bad[i]);
		assert_refused(&r, "secret_not_user_password", bad[i]);
		room_close(&r);
	}
}

static void
test_password_that_is_not_there_is_named_as_missing(void **state)
{
	struct room r;
	(void)state;
	room_open(&r, AUTH_BASIC, "username", "api");
	assert_refused(&r, "secret_missing", "api");
	room_close(&r);
}

static void
test_authorization_is_managed(void **state)
{
	struct auth_desc a = {.kind = AUTH_BASIC};
	struct string_list headers = {0}, query = {0};
	(void)state;
	assert_int_equal(auth_managed(&a, &headers, &query), AV_OK);
	assert_int_equal(headers.count, 1);
	assert_string_equal(headers.items[0], "authorization");
	assert_int_equal(query.count, 0);
	string_list_clear(&headers);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_basic_is_rfc7617),
	    cmocka_unit_test(test_fixed_user_name_goes_with_either_placeholder),
	    cmocka_unit_test(test_password_may_hold_colons_and_a_user_name_may_not),
	    cmocka_unit_test(test_one_secret_is_user_and_password_or_refused),
	    cmocka_unit_test(test_control_characters_are_refused),
	    cmocka_unit_test(test_password_that_is_not_there_is_named_as_missing),
	    cmocka_unit_test(test_authorization_is_managed),
	};
	if (box_init() != AV_OK)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
