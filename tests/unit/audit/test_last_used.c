/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "audit/last_used.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static char dir[64], path[96];

static int
setup(void **state)
{
	struct store *s = NULL;

	(void)snprintf(dir, sizeof(dir), "/tmp/last_used.XXXXXX");
	assert_non_null(mkdtemp(dir));
	(void)snprintf(path, sizeof(path), "%s/vault.db", dir);
	assert_int_equal(store_create(path, &s, NULL), AV_OK);
	assert_int_equal(store_commit(s), AV_OK);
	*state = s;
	return 0;
}

static int
teardown(void **state)
{
	store_close(*state);
	(void)unlink(path);
	return rmdir(dir);
}

static void
expect(struct store *s, const char *id, int64_t want)
{
	int64_t got = -1;

	assert_int_equal(last_used_read(s, str_of(id), &got), AV_OK);
	assert_int_equal(got, want);
}

static void
test_last_of_each_secret_is_kept(void **state)
{
	static const struct {
		const char *id;
		int64_t ts;
	} uses[] = {{"a", 1001}, {"a", 2002}, {"b", 3003}, {"a", 4004}, {"", 5005}, {"b", 6006},
	    {"b", 7999}};
	struct last_used u = {0};
	struct store *s = *state;
	size_t i;

	expect(s, "a", 0);
	assert_int_equal(store_begin(s), AV_OK);
	for (i = 0; i < sizeof(uses) / sizeof(uses[0]); i++)
		assert_int_equal(last_used_note(&u, s, str_of(uses[i].id), uses[i].ts), AV_OK);
	assert_int_equal(last_used_write(&u, s), AV_OK);
	assert_int_equal(last_used_write(&u, s), AV_OK);
	assert_int_equal(store_commit(s), AV_OK);
	expect(s, "a", 4000);
	expect(s, "b", 7000);
	expect(s, "", 0);
}

static void
note(struct store *s, struct last_used *u, int64_t ts_ms, bool want_written)
{
	assert_int_equal(last_used_note(u, s, STR_LIT("a"), ts_ms), AV_OK);
	assert_int_equal(u->waits, want_written);
	assert_int_equal(last_used_write(u, s), AV_OK);
}

static void
test_second_is_written_once_unless_it_was_given_up(void **state)
{
	struct last_used u = {0};
	struct store *s = *state;

	assert_int_equal(store_begin(s), AV_OK);
	note(s, &u, 5000, true);
	note(s, &u, 5001, false);
	note(s, &u, 5999, false);
	assert_int_equal(store_commit(s), AV_OK);
	expect(s, "a", 5000);
	assert_int_equal(store_begin(s), AV_OK);
	note(s, &u, 6000, true);
	store_rollback(s);
	last_used_forget(&u);
	expect(s, "a", 5000);
	assert_int_equal(store_begin(s), AV_OK);
	note(s, &u, 6001, true);
	/* The clock was set back. */
	note(s, &u, 4000, true);
	assert_int_equal(store_commit(s), AV_OK);
	expect(s, "a", 4000);
}

static void
test_ids_of_any_length_do_no_harm(void **state)
{
	char id[200];
	struct last_used u = {0};
	struct store *s = *state;
	size_t len;

	assert_int_equal(store_begin(s), AV_OK);
	for (len = 0; len < sizeof(id); len++) {
		id[len] = 'x';
		assert_int_equal(last_used_note(&u, s, (struct str){id, len}, 9000), AV_OK);
	}
	assert_int_equal(last_used_write(&u, s), AV_OK);
	assert_int_equal(store_commit(s), AV_OK);
	id[LAST_USED_ID_MAX] = '\0';
	expect(s, id, 9000);
	id[LAST_USED_ID_MAX] = 'x';
	id[LAST_USED_ID_MAX + 1] = '\0';
	expect(s, id, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(test_last_of_each_secret_is_kept, setup, teardown),
	    cmocka_unit_test_setup_teardown(
	        test_second_is_written_once_unless_it_was_given_up, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_ids_of_any_length_do_no_harm, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
