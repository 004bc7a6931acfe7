/* SPDX-License-Identifier: Apache-2.0 */
/* The chain: every edit shows, nothing from a caller is taken at its word. */
#include "audit/log.h"
#include "audit/query.h"
#include "vault/box.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

struct room {
	char dir[64];
	char db[128];
	struct store *store;
	struct audit_log log;
};

static int
setup(void **state)
{
	static struct room r;
	struct fault f = {0};
	snprintf(r.dir, sizeof(r.dir), "/tmp/aivault-chain-XXXXXX");
	if (mkdtemp(r.dir) == NULL)
		return -1;
	snprintf(r.db, sizeof(r.db), "%s/vault.db", r.dir);
	if (store_create(r.db, &r.store, &f) != AV_OK || store_commit(r.store) != AV_OK)
		return -1;
	*state = &r;
	return audit_log_open(&r.log, r.store) == AV_OK ? 0 : -1;
}

static int
teardown(void **state)
{
	static const char *const ends[] = {"", "-wal", "-shm"};
	struct room *r = *state;
	char path[160];
	store_close(r->store);
	for (size_t i = 0; i < 3; i++) {
		snprintf(path, sizeof(path), "%s%s", r->db, ends[i]);
		unlink(path);
	}
	return rmdir(r->dir);
}

static void
add(struct room *r, const char *kind, const char *path)
{
	struct audit_event e;
	audit_event_init(&e, kind, "agent");
	e.path = str_of(path);
	assert_int_equal(store_begin(r->store), AV_OK);
	assert_int_equal(audit_append(&r->log, &e), AV_OK);
	assert_int_equal(store_commit(r->store), AV_OK);
	audit_log_settle(&r->log, true);
}

/* Two rows at a time, so that each test crosses borders. */
static struct chain_report
verify(struct room *r)
{
	struct chain_walk w;
	assert_int_equal(
	    chain_walk_begin(&w, r->store, r->log.in_memory ? r->log.first_id : 1), AV_OK);
	while (!w.over)
		assert_int_equal(chain_walk_on(&w, r->store, 2), AV_OK);
	return w.report;
}

static void
sql(struct room *r, const char *text)
{
	sqlite3_stmt *st = NULL;
	assert_int_equal(store_stmt(r->store, text, &st), AV_OK);
	assert_int_equal(store_run(st), AV_OK);
}

static void
test_untouched_chain_verifies_over_a_restart(void **state)
{
	struct room *r = *state;
	struct fault f = {0};
	add(r, "invoke.deny", "/a");
	add(r, "invoke.deny", "/b");
	store_close(r->store);
	assert_int_equal(store_open(r->db, &r->store, &f), AV_OK);
	assert_int_equal(audit_log_open(&r->log, r->store), AV_OK);
	add(r, "invoke.deny", "/c");
	struct chain_report report = verify(r);
	assert_null(report.problem);
	assert_int_equal(report.rows, 3);
}

static void
test_every_edit_shows_with_its_row(void **state)
{
	static const struct {
		const char *sql, *problem;
		int64_t id;
	} edits[] = {
	    {"UPDATE audit_events SET path = '/z' WHERE id = 2", "hash", 2},
	    {"UPDATE audit_events SET ts_ms = ts_ms + 1 WHERE id = 1", "hash", 1},
	    {"UPDATE audit_events SET status = 200 WHERE id = 3", "hash", 3},
	    {"UPDATE audit_events SET decision = 'allow' WHERE id = 2", "hash", 2},
	    {"UPDATE audit_events SET repeats = 2 WHERE id = 2", "hash", 2},
	    {"DELETE FROM audit_events WHERE id = 2", "gap", 3},
	    {"DELETE FROM audit_events WHERE id = 1", "gap", 2},
	    {"UPDATE audit_events SET prev_hash = zeroblob(32) WHERE id = 2", "link", 2},
	};
	struct room *r = *state;
	for (size_t i = 0; i < sizeof(edits) / sizeof(edits[0]); i++) {
		sql(r, "DELETE FROM audit_events");
		assert_int_equal(audit_log_open(&r->log, r->store), AV_OK);
		add(r, "invoke.deny", "/a");
		add(r, "invoke.deny", "/b");
		add(r, "invoke.deny", "/c");
		assert_null(verify(r).problem);
		sql(r, edits[i].sql);
		struct chain_report report = verify(r);
		assert_string_equal(report.problem, edits[i].problem);
		assert_int_equal(report.first_bad_id, edits[i].id);
	}
}

static void
test_fields_do_not_run_together(void **state)
{
	uint8_t zero[CHAIN_HASH_LEN] = {0}, a[CHAIN_HASH_LEN], b[CHAIN_HASH_LEN];
	struct audit_event e;
	(void)state;
	audit_event_init(&e, "invoke.deny", "agent");
	e.host = STR_LIT("ab");
	e.method = STR_LIT("c");
	assert_int_equal(chain_hash(zero, 1, &e, a), AV_OK);
	e.host = STR_LIT("a");
	e.method = STR_LIT("bc");
	assert_int_equal(chain_hash(zero, 1, &e, b), AV_OK);
	assert_memory_not_equal(a, b, CHAIN_HASH_LEN);
}

static void
test_i3_row_needs_a_transaction_and_a_rollback_takes_it_back(void **state)
{
	struct room *r = *state;
	struct audit_event e;
	audit_event_init(&e, "invoke.allow", "agent");
	assert_int_equal(audit_append(&r->log, &e), AV_EAUDIT);
	assert_int_equal(store_begin(r->store), AV_OK);
	assert_int_equal(audit_append(&r->log, &e), AV_OK);
	store_rollback(r->store);
	audit_log_settle(&r->log, false);
	add(r, "invoke.deny", "/a");
	struct chain_report report = verify(r);
	assert_null(report.problem);
	assert_int_equal(report.rows, 1);
}

static void
test_caller_text_is_escaped_and_cut(void **state)
{
	struct room *r = *state;
	char big[5000], out[64];
	struct buf json;
	audit_escape(STR_LIT("a\n\x1b[31m\\\xff"
	                     "b"),
	    40, out, sizeof(out));
	assert_string_equal(out, "a\\x0a\\x1b[31m\\\\\\xffb");
	audit_escape(STR_LIT("0123456789"), 5, out, sizeof(out));
	assert_string_equal(out, "01234...");
	assert_int_equal(audit_fit(STR_LIT("a\n\\bc"), 8).len, 4);
	assert_int_equal(audit_fit(STR_LIT("a\n\\bc"), 4).len, 1);
	assert_int_equal(audit_fit(STR_LIT("abc"), 8).len, 3);
	memset(big, '\n', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	add(r, "invoke.deny", big);
	buf_init(&json, 65536);
	struct audit_filter filter = {.limit = 10};
	assert_int_equal(audit_query(r->store, &filter, &json), AV_OK);
	const char *text = buf_cstr(&json);
	assert_null(strchr(text, '\n'));
	assert_true(json.len < 3000);
	assert_null(verify(r).problem);
	buf_clear(&json);
}

static size_t
count(struct room *r, const struct audit_filter *filter)
{
	struct buf json;
	size_t n = 0;
	buf_init(&json, 1 << 20);
	assert_int_equal(audit_query(r->store, filter, &json), AV_OK);
	for (const char *p = buf_cstr(&json); (p = strstr(p, "\"tsMs\"")) != NULL; p++)
		n++;
	buf_clear(&json);
	return n;
}

static void
test_filters_and_limit_hold(void **state)
{
	struct room *r = *state;
	for (int i = 0; i < 5; i++)
		add(r, i % 2 == 0 ? "invoke.deny" : "daemon.start", "/p");
	assert_int_equal(count(r, &(struct audit_filter){.limit = 0}), 0);
	assert_int_equal(count(r, &(struct audit_filter){.limit = 2}), 2);
	assert_int_equal(count(r, &(struct audit_filter){.limit = 100}), 5);
	assert_int_equal(
	    count(r, &(struct audit_filter){.limit = 100, .event = STR_LIT("invoke.deny")}), 3);
	assert_int_equal(count(r, &(struct audit_filter){.limit = 100, .before_ms = 1}), 0);
	assert_int_equal(
	    count(r, &(struct audit_filter){.limit = 100, .capability = STR_LIT("' OR 1 --")}), 0);
}

static void
call(struct room *r, const char *kind, const char *request_id)
{
	struct audit_event e;
	audit_event_init(&e, kind, "agent");
	e.request_id = str_of(request_id);
	e.ts_ms = 1700000000000;
	if (strcmp(kind, "invoke.outcome") == 0)
		e.status = 200;
	assert_int_equal(store_begin(r->store), AV_OK);
	assert_int_equal(audit_append(&r->log, &e), AV_OK);
	assert_int_equal(store_commit(r->store), AV_OK);
	audit_log_settle(&r->log, true);
}

/* Twelve calls of one millisecond, their outcomes behind them all: each is on one page, with its
 * outcome, wherever the border falls. */
static void
test_pages_lose_no_row_of_a_millisecond_and_join_over_their_borders(void **state)
{
	struct room *r = *state;
	char id[40];
	for (int pass = 0; pass < 2; pass++) {
		for (int i = 0; i < 12; i++) {
			snprintf(id, sizeof(id), "%016d%016d", i, i);
			call(r, pass == 0 ? "invoke.allow" : "invoke.outcome", id);
		}
	}
	for (uint64_t limit = 1; limit < 14; limit++) {
		int64_t before = 0, seen = 13;
		size_t n = 1, rows = 0, joined = 0;
		while (n > 0) {
			struct audit_filter f = {.limit = limit, .before_id = before};
			struct buf json;
			buf_init(&json, 1 << 20);
			assert_int_equal(audit_query(r->store, &f, &json), AV_OK);
			n = 0;
			for (const char *p = buf_cstr(&json); (p = strstr(p, "\"id\":")) != NULL;
			     p++, n++) {
				before = strtoll(p + 5, NULL, 10);
				assert_int_equal(before, --seen);
			}
			for (const char *p = buf_cstr(&json);
			     (p = strstr(p, "\"status\":200")) != NULL; p++)
				joined++;
			assert_true(n <= limit);
			rows += n;
			buf_clear(&json);
		}
		assert_int_equal(rows, 12);
		assert_int_equal(joined, 12);
	}
}

static void
test_log_in_memory_leaves_the_file_as_it_was(void **state)
{
	struct room *r = *state;
	struct fault f = {0};
	add(r, "invoke.deny", "/on-disk");
	assert_int_equal(audit_log_open_in_memory(&r->log, r->store), AV_OK);
	assert_int_equal(verify(r).rows, 0);
	add(r, "invoke.deny", "/a");
	add(r, "invoke.deny", "/b");
	struct chain_report report = verify(r);
	assert_null(report.problem);
	assert_int_equal(report.rows, 2);
	store_close(r->store);
	assert_int_equal(store_open(r->db, &r->store, &f), AV_OK);
	assert_int_equal(audit_log_open(&r->log, r->store), AV_OK);
	report = verify(r);
	assert_null(report.problem);
	assert_int_equal(report.rows, 1);
}

static void
test_log_in_memory_forgets_its_oldest_rows_and_verifies(void **state)
{
	struct room *r = *state;
	struct audit_event e;
	audit_event_init(&e, "invoke.deny", "agent");
	assert_int_equal(audit_log_open_in_memory(&r->log, r->store), AV_OK);
	for (int i = 0; i < AUDIT_MEMORY_ROWS / 1000 * 12 / 10; i++) {
		assert_int_equal(store_begin(r->store), AV_OK);
		for (int k = 0; k < 1000; k++)
			assert_int_equal(audit_append(&r->log, &e), AV_OK);
		assert_int_equal(store_commit(r->store), AV_OK);
		audit_log_settle(&r->log, true);
	}
	/* 55,000 became 50,000; then there came 5,000 more, and so once again. */
	assert_int_equal(r->log.last_id, 60000);
	struct chain_report report = verify(r);
	assert_null(report.problem);
	assert_true(report.rows >= AUDIT_MEMORY_ROWS);
	assert_true(report.rows <= AUDIT_MEMORY_ROWS + AUDIT_MEMORY_ROWS / 10);
	assert_int_equal(r->log.first_id + (int64_t)report.rows - 1, 60000);
	/* What is taken away by others still shows. */
	sql(r, "DELETE FROM audit_events WHERE id = 59000");
	assert_string_equal(verify(r).problem, "gap");
	sql(r, "DELETE FROM audit_events WHERE id < 58000");
	assert_string_equal(verify(r).problem, "gap");
}

int
main(void)
{
#define CHAIN_TEST(t) cmocka_unit_test_setup_teardown(t, setup, teardown)
	const struct CMUnitTest tests[] = {
	    CHAIN_TEST(test_untouched_chain_verifies_over_a_restart),
	    CHAIN_TEST(test_every_edit_shows_with_its_row),
	    cmocka_unit_test(test_fields_do_not_run_together),
	    CHAIN_TEST(test_i3_row_needs_a_transaction_and_a_rollback_takes_it_back),
	    CHAIN_TEST(test_caller_text_is_escaped_and_cut),
	    CHAIN_TEST(test_filters_and_limit_hold),
	    CHAIN_TEST(test_pages_lose_no_row_of_a_millisecond_and_join_over_their_borders),
	    CHAIN_TEST(test_log_in_memory_leaves_the_file_as_it_was),
	    CHAIN_TEST(test_log_in_memory_forgets_its_oldest_rows_and_verifies),
	};
	if (box_init() != AV_OK)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
