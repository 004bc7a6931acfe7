/* SPDX-License-Identifier: Apache-2.0 */
/* Rows that somebody changes behind a running keeper, and changes that fail half way. */
#include "house.h"

/* Another program, with the vault's file. */
static void
outside(const struct house *h, const char *sql)
{
	char path[128], *message = NULL;
	sqlite3 *db = NULL;

	(void)snprintf(path, sizeof(path), "%s/vault.db", h->dir);
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	sqlite3_busy_timeout(db, 2000);
	if (sqlite3_exec(db, sql, NULL, NULL, &message) != SQLITE_OK)
		fail_msg("%s", message);
	sqlite3_close(db);
}

static void
inside(struct house *h, const char *sql)
{
	sqlite3_stmt *st = NULL;

	assert_int_equal(store_stmt(h->k.vault->store, sql, &st), AV_OK);
	assert_int_equal(store_run(st), AV_OK);
}

/* "released", or the reason why not. */
static const char *
outcome(struct house *h, const char *capability, const char *method, const char *path)
{
	static char reason[64];
	struct keeper_release ask = house_ask(capability, method, "api.acme.test", path);
	struct keeper_fault fault;
	struct frame f = {0};
	struct buf out;
	uint16_t type = house_release(h, &ask, &out, &f);

	(void)snprintf(reason, sizeof(reason), "%s", "released");
	if (type == KEEPER_FAULT && keeper_fault_decode(&f, &fault) == AV_OK)
		(void)snprintf(reason, sizeof(reason), "%s", fault.fault.reason);
	buf_clear(&out);
	return reason;
}

static void
test_row_taken_away_is_found_by_the_next_change(void **state)
{
	struct house *h = *state;

	house_store_key(h);
	assert_int_equal(house_op(h, "capability.disable", "{\"id\":\"acme/chat\"}", ""), AV_OK);
	assert_int_equal(house_op(h, "capability.policy.set",
	                     "{\"capability\":\"acme/models\",\"rateLimitPerMinute\":0}", ""),
	    AV_OK);
	outside(h, "DELETE FROM disabled; DELETE FROM policy_params;");
	/* What was read stays in force; the change is refused, and so is everything after it. */
	assert_string_equal(outcome(h, "acme/chat", "POST", "/v1/chat"), "capability_disabled");
	assert_int_equal(
	    house_op(h, "secrets.create", "{\"name\":\"OTHER\"}", "value-of-another"), AV_ECORRUPT);
	assert_string_equal(h->fault.reason, "rows_changed");
	assert_int_equal(house_count(h, "SELECT COUNT(*) FROM secrets"), 1);
	assert_string_equal(outcome(h, "acme/chat", "POST", "/v1/chat"), "rows_changed");
	assert_string_equal(outcome(h, "acme/models", "GET", "/v1/models"), "rows_changed");
	house_stop(h);
	house_start(h);
	assert_string_equal(outcome(h, "acme/models", "GET", "/v1/models"), "rows_changed");
}

static void
test_old_rows_put_back_are_found_by_the_next_change(void **state)
{
	struct house *h = *state;
	char id[64], args[128];

	house_store_key(h);
	house_copy_json_text(h, "secretId", id, sizeof(id));
	outside(h,
	    "CREATE TABLE a AS SELECT * FROM secrets; "
	    "CREATE TABLE b AS SELECT * FROM secret_values;");
	(void)snprintf(args, sizeof(args), "{\"id\":\"%s\"}", id);
	assert_int_equal(house_op(h, "secrets.rotate", args, "sk-rotated-0123456789"), AV_OK);
	outside(h,
	    "PRAGMA foreign_keys = OFF; INSERT OR REPLACE INTO secrets SELECT * FROM a; "
	    "INSERT OR REPLACE INTO secret_values SELECT * FROM b; "
	    "DROP TABLE a; DROP TABLE b;");
	assert_int_equal(
	    house_op(h, "secrets.create", "{\"name\":\"OTHER\"}", "value-of-another"), AV_ECORRUPT);
	assert_string_equal(outcome(h, "acme/chat", "POST", "/v1/chat"), "rows_changed");
}

static void
test_change_that_failed_is_not_served(void **state)
{
	struct house *h = *state;

	assert_int_equal(
	    house_op(h, "secrets.create",
	        "{\"name\":\"ACME_KEY\",\"create\":true,\"enable\":[\"acme/chat\"]}", HOUSE_CANARY),
	    AV_OK);
	assert_string_equal(
	    outcome(h, "acme/models", "GET", "/v1/models"), "capability_not_enabled");
	inside(h,
	    "CREATE TEMP TRIGGER t BEFORE INSERT ON main.audit_events WHEN NEW.kind = "
	    "'capability.enable' BEGIN SELECT RAISE(ABORT, 'no'); END");
	assert_int_equal(
	    house_op(h, "capability.enable", "{\"id\":\"acme/models\"}", ""), AV_EAUDIT);
	inside(h, "DROP TRIGGER t");
	assert_string_equal(
	    outcome(h, "acme/models", "GET", "/v1/models"), "capability_not_enabled");
	assert_string_equal(outcome(h, "acme/chat", "POST", "/v1/chat"), "released");
	assert_int_equal(house_op(h, "capability.enable", "{\"id\":\"acme/models\"}", ""), AV_OK);
	assert_string_equal(outcome(h, "acme/models", "GET", "/v1/models"), "released");
}

int
main(void)
{
#define HOUSE_TEST(t) cmocka_unit_test_setup_teardown(t, house_open, house_close)
	static const struct CMUnitTest tests[] = {
	    HOUSE_TEST(test_row_taken_away_is_found_by_the_next_change),
	    HOUSE_TEST(test_old_rows_put_back_are_found_by_the_next_change),
	    HOUSE_TEST(test_change_that_failed_is_not_served),
	};

	return box_init() == AV_OK ? cmocka_run_group_tests(tests, NULL, NULL) : 1;
}
