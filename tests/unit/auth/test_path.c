/* SPDX-License-Identifier: Apache-2.0 */
/* Auth in the path: the secret stands inside one segment and cannot leave it. */
#include "room.h"

static void
test_path_secret_is_rendered_and_marked(void **state)
{
	struct room r;
	struct auth_output out;
	struct fault f;
	(void)state;
	room_open(&r, AUTH_PATH, "", "/bot{{secret}}");
	room_secret(&r, "secret", "12345:AB-c_d~e");
	assert_int_equal(room_render(&r, &out, &f), AV_OK);
	assert_int_equal(out.part_count, 1);
	assert_part(&out, 0, AUTH_PLACE_PATH, "", "/bot12345:AB-c_d~e");
	assert_span(&out, 0, 4, 14);
	auth_output_clear(&out);
	room_close(&r);
}

static void
test_path_secret_cannot_leave_its_segment(void **state)
{
	static const char *const bad[] = {"a/b", "a?b", "a#b", "a%2fb", "..", ".", "a b", "a\\b",
	    "a\r\nb", "a\tb", "a\x7f", "\xc3\xa9", "a\"b", "<a>"};
	struct room r;
	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		room_open(&r, AUTH_PATH, "", "/bot{{secret}}");
		room_secret(&r, "secret", bad[i]);
		assert_refused(&r, "secret_not_a_path_value", bad[i]);
		room_close(&r);
	}
}

static void
test_path_secret_with_a_nul_is_refused(void **state)
{
	struct room r;
	(void)state;
	room_open(&r, AUTH_PATH, "", "/bot{{secret}}");
	room_secret_bytes(&r, "secret", "12345\0AB", 8);
	assert_refused(&r, "secret_not_a_path_value", "12345");
	room_close(&r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_path_secret_is_rendered_and_marked),
	    cmocka_unit_test(test_path_secret_cannot_leave_its_segment),
	    cmocka_unit_test(test_path_secret_with_a_nul_is_refused),
	};
	if (box_init() != AV_OK)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
