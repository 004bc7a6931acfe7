/* SPDX-License-Identifier: Apache-2.0 */
/* Auth in the query: one parameter, and several with a secret each. */
#include "room.h"

static void
test_query_secret_goes_as_it_is_for_the_broker_to_encode_once(void **state)
{
	struct room r;
	struct auth_output out;
	struct fault f;
	(void)state;
	room_open(&r, AUTH_QUERY, "key", "");
	room_secret(&r, "secret", "a b&c=/\xc3\xa9");
	assert_int_equal(room_render(&r, &out, &f), AV_OK);
	assert_int_equal(out.part_count, 1);
	assert_part(&out, 0, AUTH_PLACE_QUERY, "key", "a b&c=/\xc3\xa9");
	assert_span(&out, 0, 0, 9);
	auth_output_clear(&out);
	room_close(&r);
}

static void
test_several_parameters_take_a_secret_each(void **state)
{
	struct room r;
	struct auth_output out;
	struct fault f;
	(void)state;
	room_open(&r, AUTH_MULTI_QUERY, "key", "{{key}}");
	room_pair(&r, "token", "v1-{{token}}");
	room_secret(&r, "token", "of-the-user");
	room_secret(&r, "key", "of-the-app");
	assert_int_equal(room_render(&r, &out, &f), AV_OK);
	assert_int_equal(out.part_count, 2);
	assert_part(&out, 0, AUTH_PLACE_QUERY, "key", "of-the-app");
	assert_span(&out, 0, 0, 10);
	assert_part(&out, 1, AUTH_PLACE_QUERY, "token", "v1-of-the-user");
	assert_span(&out, 1, 3, 11);
	auth_output_clear(&out);
	room_close(&r);
}

static void
test_several_parameters_without_one_secret_are_none(void **state)
{
	struct room r;
	(void)state;
	room_open(&r, AUTH_MULTI_QUERY, "key", "{{key}}");
	room_pair(&r, "token", "{{token}}");
	room_secret(&r, "key", "of-the-app");
	assert_refused(&r, "secret_missing", "of-the-app");
	room_close(&r);
}

static void
test_names_of_parameters_are_managed(void **state)
{
	struct auth_desc a = {.kind = AUTH_MULTI_QUERY};
	struct string_list headers = {0}, query = {0};
	(void)state;
	assert_int_equal(pair_list_add(&a.pairs, STR_LIT("key"), STR_LIT("{{key}}")), AV_OK);
	assert_int_equal(pair_list_add(&a.pairs, STR_LIT("token"), STR_LIT("{{token}}")), AV_OK);
	assert_int_equal(auth_managed(&a, &headers, &query), AV_OK);
	assert_int_equal(headers.count, 0);
	assert_int_equal(query.count, 2);
	assert_string_equal(query.items[0], "key");
	assert_string_equal(query.items[1], "token");
	string_list_clear(&query);
	auth_desc_clear(&a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_query_secret_goes_as_it_is_for_the_broker_to_encode_once),
	    cmocka_unit_test(test_several_parameters_take_a_secret_each),
	    cmocka_unit_test(test_several_parameters_without_one_secret_are_none),
	    cmocka_unit_test(test_names_of_parameters_are_managed),
	};
	if (box_init() != AV_OK)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
