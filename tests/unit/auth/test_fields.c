/* SPDX-License-Identifier: Apache-2.0 */
/* Secrets that are JSON objects, for basic and multi-header auth. */
#include "room.h"

#include <stdio.h>

static void
test_basic_takes_user_and_password_as_json(void **state)
{
	/* RFC 7617 section 2, and the same with escapes and the members in the other order. */
	static const char *const same[] = {
	    "{\"username\":\"Aladdin\",\"password\":\"open sesame\"}",
	    "{ \"password\" : \"open\\u0020sesame\" , \"username\" : \"Al\\u0061ddin\" }\n",
	};
	struct room r;
	struct auth_output out;
	struct fault f;
	(void)state;
	for (size_t i = 0; i < sizeof(same) / sizeof(same[0]); i++) {
		room_open(&r, AUTH_BASIC, NULL, NULL);
		room_secret(&r, "secret", same[i]);
		assert_int_equal(room_render(&r, &out, &f), AV_OK);
		assert_part(&out, 0, AUTH_PLACE_HEADER, "authorization",
		    "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
		assert_span(&out, 0, 6, 28);
		auth_output_clear(&out);
		room_close(&r);
	}
}

static void
test_basic_json_of_another_shape_is_refused_and_not_shown(void **state)
{
	static const char *const bad[] = {
	    "{",
	    "{\"username\":\"joe\",\"password\":\"sesame:1\"",
	    "{\"username\":\"joe\",\"password\":\"sesame:1\"} x",
	    "{\"username\":\"joe\"}",
	    "{\"password\":\"sesame:1\"}",
	    "{\"username\":\"joe\",\"password\":\"sesame:1\",\"more\":\"sesame\"}",
	    "{\"username\":\"joe\",\"password\":\"sesame:1\",\"password\":\"sesame:1\"}",
	    "{\"username\":\"joe\",\"password\":7}",
	    "{\"username\":\"joe\",\"password\":{\"x\":\"sesame:1\"}}",
	    "{\"username\":\"joe\",\"password\":\"sesame\\u000a\"}",
	    "{\"username\":\"joe\",\"password\":\"sesame\\q\"}",
	    "{\"username\":\"joe\",\"password\":\"sesame\xff\"}",
	    "{joe:sesame",
	};
	struct room r;
	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		room_open(&r, AUTH_BASIC, NULL, NULL);
		room_secret(&r, "secret", bad[i]);
		assert_refused(&r, "secret_not_user_password", "sesame");
		room_close(&r);
	}
	room_open(&r, AUTH_BASIC, NULL, NULL);
	room_secret(&r, "secret", "{\"username\":\"j:oe\",\"password\":\"sesame\"}");
	assert_refused(&r, "user_name_invalid", "sesame");
	room_close(&r);
}

static void
test_fixed_user_name_leaves_a_password_that_looks_like_json(void **state)
{
	struct room r;
	struct auth_output out;
	struct fault f;
	(void)state;
	room_open(&r, AUTH_BASIC, "username", "a");
	room_secret(&r, "secret", "{}");
	assert_int_equal(room_render(&r, &out, &f), AV_OK);
	assert_part(&out, 0, AUTH_PLACE_HEADER, "authorization", "Basic YTp7fQ==");
	auth_output_clear(&out);
	room_close(&r);
}

static void
test_fields_of_a_secret_go_where_templates_name_them(void **state)
{
	struct room r;
	struct auth_output out;
	struct fault f;
	(void)state;
	room_open(&r, AUTH_MULTI_HEADER, "X-Id", "{{id}}");
	room_pair(&r, "X-Key", "key={{keys.live}};v={{secret}}");
	room_secret(&r, "secret",
	    "{\"id\":\"i-1\",\"keys\":{\"live\":\"k/"
	    "2\",\"test\":\"\"},\"secret\":\"s\",\"unused\":\"u\"}");
	assert_int_equal(room_render(&r, &out, &f), AV_OK);
	assert_part(&out, 0, AUTH_PLACE_HEADER, "x-id", "i-1");
	assert_span(&out, 0, 0, 3);
	assert_part(&out, 1, AUTH_PLACE_HEADER, "x-key", "key=k/2;v=s");
	assert_int_equal(out.parts[1].span_count, 2);
	auth_output_clear(&out);
	room_close(&r);
}

static void
test_text_stays_text_where_templates_name_no_field(void **state)
{
	struct room r;
	struct auth_output out;
	struct fault f;
	(void)state;
	room_open(&r, AUTH_MULTI_HEADER, "X-Key", "{{secret}}");
	room_secret(&r, "secret", "{\"id\":\"i-1\"}");
	assert_int_equal(room_render(&r, &out, &f), AV_OK);
	assert_part(&out, 0, AUTH_PLACE_HEADER, "x-key", "{\"id\":\"i-1\"}");
	auth_output_clear(&out);
	room_close(&r);
}

static void
test_fields_of_another_shape_are_refused_and_not_shown(void **state)
{
	static const struct {
		const char *secret, *reason;
	} bad[] = {
	    {"sesame", "secret_not_fields"},
	    {"[\"sesame\"]", "secret_not_fields"},
	    {"{\"id\":[\"sesame\"]}", "secret_not_fields"},
	    {"{\"id\":\"sesame\",\"n\":1}", "secret_not_fields"},
	    {"{\"id\":\"sesame\",\"n\":null}", "secret_not_fields"},
	    {"{\"id\":\"sesame\",\"id\":\"sesame\"}", "secret_not_fields"},
	    {"{\"a\":{\"b\":\"sesame\"},\"a.b\":\"sesame\",\"id\":\"x\"}", "secret_not_fields"},
	    {"{\"i\\u0000d\":\"sesame\"}", "secret_not_fields"},
	    {"{\"id\":\"sesame\"}}", "secret_not_fields"},
	    {"{\"ID\":\"sesame\"}", "secret_missing"},
	    {"{\"id\":{\"x\":\"sesame\"}}", "secret_missing"},
	    {"{}", "secret_missing"},
	    {"{\"id\":\"sesame\\r\\nx: y\"}", "secret_not_a_header_value"},
	};
	struct room r;
	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		room_open(&r, AUTH_MULTI_HEADER, "X-Id", "{{id}}");
		room_secret(&r, "secret", bad[i].secret);
		assert_refused(&r, bad[i].reason, "sesame");
		room_close(&r);
	}
}

/* One more than there may be, a name that is too long, and nesting without end. */
static void
test_limits_of_fields_hold(void **state)
{
	char text[2000];
	struct room r;
	(void)state;
	for (int kind = 0; kind < 3; kind++) {
		size_t at = 0;
		text[at++] = '{';
		for (int i = 0; kind == 0 && i < 33; i++)
			at +=
			    (size_t)snprintf(text + at, 20, "%s\"f%d\":\"x\"", i > 0 ? "," : "", i);
		if (kind == 1)
			at += (size_t)snprintf(text + at, 200, "\"%0129d\":\"x\"", 7);
		for (int i = 0; kind == 2 && i < 100; i++)
			at += (size_t)snprintf(text + at, 20, "\"\":{");
		text[at++] = '}';
		room_open(&r, AUTH_MULTI_HEADER, "X-Id", "{{f0}}");
		room_secret_bytes(&r, "secret", text, at);
		assert_refused(&r, "secret_not_fields", "f31");
		room_close(&r);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_basic_takes_user_and_password_as_json),
	    cmocka_unit_test(test_basic_json_of_another_shape_is_refused_and_not_shown),
	    cmocka_unit_test(test_fixed_user_name_leaves_a_password_that_looks_like_json),
	    cmocka_unit_test(test_fields_of_a_secret_go_where_templates_name_them),
	    cmocka_unit_test(test_text_stays_text_where_templates_name_no_field),
	    cmocka_unit_test(test_fields_of_another_shape_are_refused_and_not_shown),
	    cmocka_unit_test(test_limits_of_fields_hold),
	};
	if (box_init() != AV_OK)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
