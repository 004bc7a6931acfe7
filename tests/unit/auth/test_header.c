/* SPDX-License-Identifier: Apache-2.0 */
/* Rendering: what stands on the wire, and which bytes of it are secret. */
#include "auth/render.h"
#include "vault/box.h"
#include "vault/secret.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

struct room {
	struct secret_pool *pool;
	struct auth_desc auth;
	struct auth_secret secrets[2];
	size_t count;
};

static void
room_open(struct room *r, enum auth_kind kind, const char *name, const char *value)
{
	memset(r, 0, sizeof(*r));
	assert_int_equal(secret_pool_new(64 * 1024, &r->pool), AV_OK);
	r->auth.kind = kind;
	if (name != NULL)
		assert_int_equal(pair_list_add(&r->auth.pairs, str_of(name), str_of(value)), AV_OK);
}

static void
room_secret(struct room *r, const char *placeholder, const char *value)
{
	struct secret *s = NULL;
	assert_int_equal(secret_copy(r->pool, value, strlen(value), &s), AV_OK);
	r->secrets[r->count++] = (struct auth_secret){ str_of(placeholder), s };
}

static void
room_close(struct room *r)
{
	for (size_t i = 0; i < r->count; i++)
		secret_free((struct secret *)(uintptr_t)r->secrets[i].value);
	auth_desc_clear(&r->auth);
	secret_pool_free(r->pool);
}

static enum av_err
room_render(struct room *r, struct auth_output *out, struct fault *f)
{
	struct auth_input in = { &r->auth, r->secrets, r->count, r->pool };
	memset(f, 0, sizeof(*f));
	return auth_render(&in, out, f);
}

static void
assert_value(const struct auth_part *p, const char *want)
{
	assert_int_equal(p->value.len, strlen(want));
	assert_memory_equal(p->value.p, want, p->value.len);
}

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
	static const char *const bad[] = { "sk-1\r\nx: y", "sk-canary\n", "sk-\x01", "sk-\x7f" };
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
test_query_secret_is_escaped_and_marked_whole(void **state)
{
	struct room r;
	struct auth_output out;
	struct fault f;
	(void)state;
	room_open(&r, AUTH_QUERY, "key", "");
	room_secret(&r, "secret", "a b&c=/\xc3\xa9");
	assert_int_equal(room_render(&r, &out, &f), AV_OK);
	assert_int_equal(out.parts[0].place, AUTH_PLACE_QUERY);
	assert_value(&out.parts[0], "a%20b%26c%3D%2F%C3%A9");
	assert_int_equal(out.parts[0].spans[0].len, out.parts[0].value.len);
	auth_output_clear(&out);
	room_close(&r);
}

static void
test_path_secret_cannot_leave_its_segment(void **state)
{
	static const char *const bad[] = { "a/b", "a?b", "a#b", "a%2fb", "..", "a b", "a\\b" };
	struct room r;
	struct auth_output out;
	struct fault f;
	(void)state;
	room_open(&r, AUTH_PATH, "", "/bot{{secret}}");
	room_secret(&r, "secret", "12:AB-c");
	assert_int_equal(room_render(&r, &out, &f), AV_OK);
	assert_value(&out.parts[0], "/bot12:AB-c");
	auth_output_clear(&out);
	room_close(&r);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		room_open(&r, AUTH_PATH, "", "/bot{{secret}}");
		room_secret(&r, "secret", bad[i]);
		assert_int_equal(room_render(&r, &out, &f), AV_EAUTH);
		assert_string_equal(f.reason, "secret_not_a_path_value");
		room_close(&r);
	}
}

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
	assert_value(&out.parts[0], "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
	assert_int_equal(out.parts[0].spans[0].offset, 6);
	auth_output_clear(&out);
	room_close(&r);
	room_open(&r, AUTH_BASIC, "username", "api");
	room_secret(&r, "secret", "key");
	assert_int_equal(room_render(&r, &out, &f), AV_OK);
	assert_value(&out.parts[0], "Basic YXBpOmtleQ==");
	auth_output_clear(&out);
	room_close(&r);
}

static void
test_managed_names_are_what_the_strategy_sets(void **state)
{
	struct auth_desc a = { .kind = AUTH_HEADER };
	struct string_list headers = { 0 }, query = { 0 };
	(void)state;
	assert_int_equal(pair_list_add(&a.pairs, STR_LIT("X-Api-Key"), STR_LIT("{{secret}}")), AV_OK);
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
		cmocka_unit_test(test_query_secret_is_escaped_and_marked_whole),
		cmocka_unit_test(test_path_secret_cannot_leave_its_segment),
		cmocka_unit_test(test_basic_is_rfc7617),
		cmocka_unit_test(test_managed_names_are_what_the_strategy_sets),
	};
	if (box_init() != AV_OK)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
