/* SPDX-License-Identifier: Apache-2.0 */
/* The database: made whole or not at all, opened with care; rows that prove who wrote them. */
#include "base/io.h"
#include "vault/box.h"
#include "vault/row.h"
#include "vault/scope.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

struct room {
	char dir[64];
	char db[128];
	struct kek *kek;
};

static int
setup(void **state)
{
	static const uint8_t raw[KEK_LEN] = {7};
	static struct room r;
	snprintf(r.dir, sizeof(r.dir), "/tmp/aivault-store-XXXXXX");
	if (mkdtemp(r.dir) == NULL || kek_new(raw, &r.kek) != AV_OK)
		return -1;
	snprintf(r.db, sizeof(r.db), "%s/vault.db", r.dir);
	*state = &r;
	return 0;
}

static int
teardown(void **state)
{
	static const char *const ends[] = {"", "-wal", "-shm", ".link"};
	struct room *r = *state;
	char path[160];
	kek_free(r->kek);
	for (size_t i = 0; i < 4; i++) {
		snprintf(path, sizeof(path), "%s%s", r->db, ends[i]);
		unlink(path);
	}
	return rmdir(r->dir);
}

static struct store *
make(struct room *r)
{
	struct store *s = NULL;
	struct fault f = {0};
	assert_int_equal(store_create(r->db, &s, &f), AV_OK);
	assert_int_equal(store_commit(s), AV_OK);
	return s;
}

static void
test_database_is_private_and_opens_again(void **state)
{
	struct room *r = *state;
	struct store *s = make(r);
	struct fault f = {0};
	struct stat st;
	int64_t n = 0;
	assert_int_equal(store_meta_put_int(s, "generation", 41), AV_OK);
	store_close(s);
	assert_int_equal(stat(r->db, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(store_open(r->db, &s, &f), AV_OK);
	assert_int_equal(store_meta_get_int(s, "generation", &n), AV_OK);
	assert_int_equal(n, 41);
	store_close(s);
}

static void
test_creation_that_is_cut_short_leaves_no_vault(void **state)
{
	struct room *r = *state;
	struct store *s = NULL;
	struct fault f = {0};
	assert_int_equal(store_create(r->db, &s, &f), AV_OK);
	store_close(s);
	assert_int_equal(store_open(r->db, &s, &f), AV_ENOVAULT);
	s = make(r);
	store_close(s);
	assert_int_equal(store_create(r->db, &s, &f), AV_EEXISTS);
}

static void
test_file_that_is_no_database_is_refused_by_name(void **state)
{
	struct room *r = *state;
	struct store *s = NULL;
	struct fault f = {0};
	char junk[8192];
	memset(junk, 'x', sizeof(junk));
	assert_int_equal(io_create_file(AT_FDCWD, r->db, 0600, junk, sizeof(junk)), AV_OK);
	assert_int_equal(store_open(r->db, &s, &f), AV_ECORRUPT);
	assert_non_null(strstr(f.message, r->db));
}

static void
test_link_and_foreign_modes_are_refused(void **state)
{
	struct room *r = *state;
	struct fault f = {0};
	char link_path[160];
	struct store *s = make(r);
	store_close(s);
	snprintf(link_path, sizeof(link_path), "%s.link", r->db);
	assert_int_equal(symlink(r->db, link_path), 0);
	assert_int_not_equal(store_open(link_path, &s, &f), AV_OK);
	assert_int_equal(chmod(r->db, 0622), 0);
	assert_int_not_equal(store_open(r->db, &s, &f), AV_OK);
	assert_string_equal(f.reason, "database_mode");
}

struct seen {
	int genuine;
	int other;
	uint64_t version;
};

static enum av_err
see(void *ctx, const struct row *row)
{
	struct seen *s = ctx;
	if (row->genuine)
		s->genuine++;
	else
		s->other++;
	s->version = row->version;
	return AV_OK;
}

static void
sql(struct store *s, const char *text)
{
	sqlite3_stmt *st = NULL;
	assert_int_equal(store_stmt(s, text, &st), AV_OK);
	assert_int_equal(store_run(st), AV_OK);
}

static void
test_i10_edited_row_is_known(void **state)
{
	static const char *const edits[] = {
	    "UPDATE grants SET body = x'00' WHERE id = 'a'",
	    "UPDATE grants SET row_version = 9 WHERE id = 'a'",
	    "UPDATE grants SET mac = zeroblob(32) WHERE id = 'a'",
	    "UPDATE grants SET mac = x'' WHERE id = 'a'",
	};
	struct room *r = *state;
	struct store *s = make(r);
	for (size_t i = 0; i < sizeof(edits) / sizeof(edits[0]); i++) {
		struct seen seen = {0};
		assert_int_equal(
		    row_put(s, r->kek, ROW_GRANT, STR_LIT("a"), STR_LIT("one")), AV_OK);
		assert_int_equal(
		    row_put(s, r->kek, ROW_GRANT, STR_LIT("b"), STR_LIT("two")), AV_OK);
		sql(s, edits[i]);
		assert_int_equal(row_each(s, r->kek, ROW_GRANT, see, &seen), AV_OK);
		assert_int_equal(seen.genuine, 1);
		assert_int_equal(seen.other, 1);
	}
	store_close(s);
}

static void
test_i12_row_of_another_table_or_id_is_not_genuine(void **state)
{
	struct room *r = *state;
	struct store *s = make(r);
	struct seen seen = {0};
	assert_int_equal(row_put(s, r->kek, ROW_GRANT, STR_LIT("a"), STR_LIT("one")), AV_OK);
	sql(s, "INSERT INTO bindings SELECT * FROM grants");
	assert_int_equal(row_each(s, r->kek, ROW_BINDING, see, &seen), AV_OK);
	assert_int_equal(seen.other, 1);
	sql(s, "UPDATE grants SET id = 'b'");
	memset(&seen, 0, sizeof(seen));
	assert_int_equal(row_each(s, r->kek, ROW_GRANT, see, &seen), AV_OK);
	assert_int_equal(seen.other, 1);
	store_close(s);
}

static void
test_every_change_counts_the_version_up(void **state)
{
	struct room *r = *state;
	struct store *s = make(r);
	struct seen seen = {0};
	for (int i = 0; i < 3; i++)
		assert_int_equal(
		    row_put(s, r->kek, ROW_GRANT, STR_LIT("a"), STR_LIT("same")), AV_OK);
	assert_int_equal(row_each(s, r->kek, ROW_GRANT, see, &seen), AV_OK);
	assert_int_equal(seen.genuine, 1);
	assert_int_equal(seen.version, 3);
	store_close(s);
}

static void
test_i12_deleted_added_or_rolled_back_rows_do_not_verify(void **state)
{
	static const char *const edits[] = {
	    "DELETE FROM grants WHERE id = 'a'",
	    "DELETE FROM disabled",
	    "INSERT INTO grants SELECT 'c', row_version, body, mac FROM grants WHERE id = 'a'",
	    "UPDATE meta SET value = value - 1 WHERE key = 'generation'",
	    "DELETE FROM meta WHERE key = 'digest'",
	};
	struct room *r = *state;
	for (size_t i = 0; i < sizeof(edits) / sizeof(edits[0]); i++) {
		struct store *s = make(r);
		uint8_t digest[ROW_MAC_LEN];
		uint64_t generation = 0;
		struct fault f = {0};
		assert_int_equal(
		    row_put(s, r->kek, ROW_GRANT, STR_LIT("a"), STR_LIT("one")), AV_OK);
		assert_int_equal(
		    row_put(s, r->kek, ROW_DISABLED, STR_LIT("x"), STR_LIT("")), AV_OK);
		assert_int_equal(row_seal(s, r->kek, &generation, digest), AV_OK);
		assert_int_equal(generation, 1);
		assert_int_equal(row_verify(s, r->kek, &generation, &f), AV_OK);
		sql(s, edits[i]);
		assert_int_equal(row_verify(s, r->kek, &generation, &f), AV_ECORRUPT);
		assert_string_equal(f.reason, "rows_changed");
		store_close(s);
		unlink(r->db);
	}
}

static void
test_scopes_reach_what_they_own_and_no_more(void **state)
{
	struct scope global = {0}, w, v, g, h;
	char text[SCOPE_TEXT_MAX];
	struct str ws = STR_LIT("workspace"), group = STR_LIT("group");
	(void)state;
	assert_int_equal(scope_make(ws, STR_LIT("w"), STR_LIT(""), &w, NULL), AV_OK);
	assert_int_equal(scope_make(ws, STR_LIT("v"), STR_LIT(""), &v, NULL), AV_OK);
	assert_int_equal(scope_make(group, STR_LIT("w"), STR_LIT("g"), &g, NULL), AV_OK);
	assert_int_equal(scope_make(group, STR_LIT("w"), STR_LIT("h"), &h, NULL), AV_OK);
	assert_true(scope_reaches(&global, &global) && scope_reaches(&global, &g));
	assert_true(scope_reaches(&w, &w) && scope_reaches(&w, &g));
	assert_false(scope_reaches(&w, &global) || scope_reaches(&w, &v));
	assert_true(scope_reaches(&g, &g));
	assert_false(scope_reaches(&g, &h) || scope_reaches(&g, &w) || scope_reaches(&g, &global));
	scope_text(&g, text);
	assert_string_equal(text, "group:w:g");
	/* Nothing can be written that reads as another scope. */
	assert_int_equal(scope_make(ws, STR_LIT("w:g"), STR_LIT(""), &w, NULL), AV_EUSAGE);
	assert_int_equal(scope_make(ws, STR_LIT("  "), STR_LIT(""), &w, NULL), AV_EUSAGE);
	assert_int_equal(scope_make(group, STR_LIT("w"), STR_LIT(""), &w, NULL), AV_EUSAGE);
}

int
main(void)
{
#define STORE_TEST(t) cmocka_unit_test_setup_teardown(t, setup, teardown)
	const struct CMUnitTest tests[] = {
	    STORE_TEST(test_database_is_private_and_opens_again),
	    STORE_TEST(test_creation_that_is_cut_short_leaves_no_vault),
	    STORE_TEST(test_file_that_is_no_database_is_refused_by_name),
	    STORE_TEST(test_link_and_foreign_modes_are_refused),
	    STORE_TEST(test_i10_edited_row_is_known),
	    STORE_TEST(test_i12_row_of_another_table_or_id_is_not_genuine),
	    STORE_TEST(test_every_change_counts_the_version_up),
	    STORE_TEST(test_i12_deleted_added_or_rolled_back_rows_do_not_verify),
	    cmocka_unit_test(test_scopes_reach_what_they_own_and_no_more),
	};
	if (box_init() != AV_OK)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
