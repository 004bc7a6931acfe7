/* SPDX-License-Identifier: Apache-2.0 */
/* The group commit: what waits, what does not, what is kept. */
#include "house.h"

struct line {
	int pair[2];
	struct channel *c;
};

static struct line
line_open(struct house *h)
{
	struct line l;
	size_t at = 0;
	assert_int_equal(io_socketpair(l.pair), AV_OK);
	while (h->k.channels[at] != NULL)
		at++;
	assert_int_equal(channel_add(&h->k, l.pair[0]), AV_OK);
	l.c = h->k.channels[at];
	return l;
}

static void
tell_denied(struct house *h, struct line *l, const char *reason)
{
	struct keeper_denied d = {.request_id = STR_LIT(HOUSE_REQUEST),
	    .capability = STR_LIT("acme/chat"),
	    .credential = STR_LIT(""),
	    .method = STR_LIT("POST"),
	    .host = STR_LIT(""),
	    .path = STR_LIT("/v1/chat"),
	    .reason = str_of(reason),
	    .policy = STR_LIT("check"),
	    .status = 403};
	assert_int_equal(keeper_denied_encode(&d, &l->c->in), AV_OK);
	channel_take_frames(&h->k, l->c);
	assert_false(l->c->dead);
}

static void
ask_release(struct house *h, struct line *l, uint64_t id)
{
	struct keeper_release ask = house_ask("acme/chat", "POST", "api.acme.test", "/v1/chat");
	ask.ask_id = id;
	assert_int_equal(keeper_release_encode(&ask, &l->c->in), AV_OK);
	channel_take_frames(&h->k, l->c);
}

/* Takes the frames that wait at the broker's end; counts releases and faults. */
static void
receive(struct line *l, int *released, int *faults)
{
	struct buf in;
	size_t n = 0;
	bool again = false;
	buf_init(&in, 1 << 20);
	*released = *faults = 0;
	assert_int_equal(io_set_nonblock(l->pair[1], true), AV_OK);
	while (io_read_some(l->pair[1], &in, 65536, &n, &again) == AV_OK && n > 0 && !again)
		continue;
	for (size_t at = 0; at < in.len;) {
		struct frame f;
		size_t used = 0;
		assert_int_equal(frame_parse(in.data + at, in.len - at, &f, &used), AV_OK);
		*released += f.type == KEEPER_RELEASED;
		*faults += f.type == KEEPER_FAULT;
		at += used;
	}
	buf_clear(&in);
}

static void
test_denials_wait_for_company_and_releases_do_not(void **state)
{
	struct house *h = *state;
	struct line l;
	house_store_key(h);
	l = line_open(h);
	assert_int_equal(batch_due_ms(&h->k, 1000), -1);
	tell_denied(h, &l, "policy_denied");
	int due = batch_due_ms(&h->k, l.c->pending_since_ms);
	assert_int_equal(due, BATCH_WAIT_MS);
	assert_int_equal(batch_due_ms(&h->k, l.c->pending_since_ms + BATCH_WAIT_MS), 0);
	ask_release(h, &l, 1);
	assert_int_equal(batch_due_ms(&h->k, l.c->pending_since_ms), 0);
	batch_flush(&h->k);
	assert_int_equal(batch_due_ms(&h->k, l.c->pending_since_ms), -1);
	assert_int_equal(
	    house_count(h, "SELECT COUNT(*) FROM audit_events WHERE kind = 'invoke.deny'"), 1);
	assert_int_equal(
	    house_count(h, "SELECT COUNT(*) FROM audit_events WHERE kind = 'invoke.allow'"), 1);
	close(l.pair[1]);
}

/* As another process reads it. */
static int
rows_outside(const struct house *h)
{
	char path[128];
	sqlite3 *db = NULL;
	sqlite3_stmt *st = NULL;
	int n;
	snprintf(path, sizeof(path), "%s/vault.db", h->dir);
	assert_int_equal(sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
	assert_int_equal(
	    sqlite3_prepare_v2(
	        db, "SELECT COUNT(*) FROM audit_events WHERE kind = 'invoke.deny'", -1, &st, NULL),
	    SQLITE_OK);
	assert_int_equal(sqlite3_step(st), SQLITE_ROW);
	n = sqlite3_column_int(st, 0);
	sqlite3_finalize(st);
	sqlite3_close(db);
	return n;
}

static void
test_rows_that_wait_are_gathered_and_seen_only_when_committed(void **state)
{
	struct house *h = *state;
	struct line l;
	house_store_key(h);
	l = line_open(h);
	batch_gather(&h->k);
	assert_false(batch_is_open(&h->k));
	tell_denied(h, &l, "policy_denied");
	batch_gather(&h->k);
	assert_true(batch_is_open(&h->k));
	assert_int_equal(rows_outside(h), 0);
	/* Gathering again does not write them again. */
	batch_gather(&h->k);
	ask_release(h, &l, 1);
	batch_flush(&h->k);
	assert_false(batch_is_open(&h->k));
	assert_int_equal(rows_outside(h), 1);
	close(l.pair[1]);
}

static void
test_gathered_rows_outlive_their_channel(void **state)
{
	struct house *h = *state;
	struct line l;
	house_store_key(h);
	l = line_open(h);
	tell_denied(h, &l, "policy_denied");
	batch_gather(&h->k);
	channel_free(l.c);
	memset(h->k.channels, 0, sizeof(h->k.channels));
	assert_int_equal(batch_due_ms(&h->k, clock_mono_ms()), 0);
	batch_flush(&h->k);
	assert_int_equal(rows_outside(h), 1);
	assert_int_equal(batch_due_ms(&h->k, clock_mono_ms()), -1);
	close(l.pair[1]);
}

static void
test_gathering_that_fails_keeps_the_rows_for_later(void **state)
{
	struct house *h = *state;
	struct line l;
	house_store_key(h);
	house_tamper(h,
	    "CREATE TRIGGER t BEFORE INSERT ON audit_events WHEN NEW.reason = 'two' "
	    "BEGIN SELECT RAISE(ABORT, 'disk full'); END;");
	l = line_open(h);
	tell_denied(h, &l, "one");
	batch_gather(&h->k);
	tell_denied(h, &l, "two");
	batch_gather(&h->k);
	assert_false(batch_is_open(&h->k));
	assert_int_equal(rows_outside(h), 0);
	assert_true(l.c->pending.len > 0);
	assert_true(l.c->pending_since_ms > clock_mono_ms());
	house_tamper(h, "DROP TRIGGER t;");
	l = line_open(h);
	tell_denied(h, &l, "one");
	batch_flush(&h->k);
	assert_int_equal(rows_outside(h), 1);
	close(l.pair[1]);
}

static void
test_i3_no_answer_leaves_before_the_commit(void **state)
{
	struct house *h = *state;
	struct line a, b;
	int released = 0, faults = 0;
	house_store_key(h);
	a = line_open(h);
	b = line_open(h);
	for (uint64_t i = 0; i < 10; i++)
		ask_release(h, i % 2 == 0 ? &a : &b, i);
	receive(&a, &released, &faults);
	assert_int_equal(released + faults, 0);
	batch_flush(&h->k);
	receive(&a, &released, &faults);
	assert_int_equal(released, 5);
	receive(&b, &released, &faults);
	assert_int_equal(released, 5);
	assert_int_equal(
	    house_count(h, "SELECT COUNT(*) FROM audit_events WHERE kind = 'invoke.allow'"), 10);
	close(a.pair[1]);
	close(b.pair[1]);
}

static void
test_i3_failed_commit_refuses_all_and_keeps_the_other_rows(void **state)
{
	struct house *h = *state;
	struct line l;
	int released = 0, faults = 0;
	house_store_key(h);
	house_tamper(h,
	    "CREATE TRIGGER t BEFORE INSERT ON audit_events WHEN NEW.kind = 'invoke.allow' "
	    "BEGIN SELECT RAISE(ABORT, 'disk full'); END;");
	l = line_open(h);
	tell_denied(h, &l, "one");
	ask_release(h, &l, 1);
	ask_release(h, &l, 2);
	tell_denied(h, &l, "two");
	batch_flush(&h->k);
	receive(&l, &released, &faults);
	assert_int_equal(released, 0);
	assert_int_equal(faults, 2);
	assert_int_equal(
	    house_count(h, "SELECT COUNT(*) FROM audit_events WHERE kind = 'invoke.deny'"), 0);
	/* Without the release that could not be written, the rows go in: once each. */
	batch_flush(&h->k);
	batch_flush(&h->k);
	assert_int_equal(
	    house_count(h, "SELECT COUNT(*) FROM audit_events WHERE kind = 'invoke.deny'"), 2);
	assert_int_equal(house_op(h, "audit.verify", "{}", ""), AV_OK);
	assert_non_null(strstr(h->json, "\"ok\":true"));
	close(l.pair[1]);
}

static void
test_malformed_frame_ends_the_channel(void **state)
{
	static const struct {
		const char *bytes;
		size_t len;
	} bad[] = {
	    {"\x00\x00\x00\x00\x63\x00\x00\x00", 8}, /* unknown type */
	    {"\x01\x00\x00\x00\x01\x00\x00\x00\x00", 9}, /* resolve that ends early */
	    {"\xff\xff\xff\xff\x01\x00\x00\x00", 8}, /* over FRAME_MAX */
	    {"\x00\x00\x00\x00\x02\x00\x00\x00", 8}, /* release without fields */
	};
	struct house *h = *state;
	house_store_key(h);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct line l = line_open(h);
		assert_int_equal(buf_append(&l.c->in, bad[i].bytes, bad[i].len), AV_OK);
		channel_take_frames(&h->k, l.c);
		batch_flush(&h->k);
		assert_true(l.c->dead);
		channel_reap(&h->k);
		assert_null(h->k.channels[0]);
		close(l.pair[1]);
	}
}

static void
test_rows_of_a_broker_that_died_are_written(void **state)
{
	struct house *h = *state;
	struct line l;
	house_store_key(h);
	l = line_open(h);
	tell_denied(h, &l, "policy_denied");
	close(l.pair[1]);
	channel_read(&h->k, l.c);
	assert_true(l.c->dead);
	channel_reap(&h->k);
	assert_int_equal(batch_due_ms(&h->k, clock_mono_ms()), 0);
	batch_flush(&h->k);
	channel_reap(&h->k);
	assert_null(h->k.channels[0]);
	assert_int_equal(
	    house_count(h, "SELECT COUNT(*) FROM audit_events WHERE kind = 'invoke.deny'"), 1);
}

static void
run_sql(struct house *h, const char *text)
{
	sqlite3_stmt *st = NULL;
	assert_int_equal(store_stmt(h->k.vault->store, text, &st), AV_OK);
	assert_int_equal(store_run(st), AV_OK);
}

static void
tell_outcome(struct house *h, struct line *l)
{
	struct keeper_outcome o = {.request_id = STR_LIT(HOUSE_REQUEST),
	    .capability = STR_LIT("acme/chat"),
	    .status = 200};
	assert_int_equal(keeper_outcome_encode(&o, &l->c->in), AV_OK);
	channel_take_frames(&h->k, l->c);
}

static void
die(struct house *h, struct line *l)
{
	close(l->pair[1]);
	channel_read(&h->k, l->c);
	assert_true(l->c->dead);
}

static void
test_rows_of_a_broker_that_died_outlive_a_failed_commit(void **state)
{
	struct house *h = *state;
	struct line l;
	house_store_key(h);
	l = line_open(h);
	ask_release(h, &l, 1);
	tell_denied(h, &l, "policy_denied");
	tell_outcome(h, &l);
	die(h, &l);
	run_sql(h,
	    "CREATE TEMP TRIGGER t BEFORE INSERT ON main.audit_events "
	    "BEGIN SELECT RAISE(ABORT, 'disk full'); END");
	for (int i = 0; i < 3; i++) {
		batch_flush(&h->k);
		channel_reap(&h->k);
		assert_ptr_equal(h->k.channels[0], l.c);
		/* A try a second, not one after the other. */
		int due = batch_due_ms(&h->k, clock_mono_ms());
		assert_true(due > 500 && due <= 1000);
		batch_gather(&h->k);
		assert_false(batch_is_open(&h->k));
	}
	/* Of what it would have been told nothing is kept, nor its end of the line. */
	assert_int_equal(l.c->out.len, 0);
	assert_int_equal(l.c->fd, -1);
	run_sql(h, "DROP TRIGGER t");
	batch_flush(&h->k);
	channel_reap(&h->k);
	assert_null(h->k.channels[0]);
	assert_int_equal(batch_due_ms(&h->k, clock_mono_ms()), -1);
	assert_int_equal(rows_outside(h), 1);
	assert_int_equal(
	    house_count(h, "SELECT COUNT(*) FROM audit_events WHERE kind = 'invoke.outcome'"), 1);
	/* Nobody was left to be let through. */
	assert_int_equal(
	    house_count(h, "SELECT COUNT(*) FROM audit_events WHERE kind = 'invoke.allow'"), 0);
}

static void
test_rows_of_a_broker_that_died_are_written_in_as_many_batches_as_it_takes(void **state)
{
	struct house *h = *state;
	struct line l;
	house_store_key(h);
	l = line_open(h);
	for (uint64_t i = 0; i < BATCH_MAX + 1; i++)
		ask_release(h, &l, i);
	tell_outcome(h, &l);
	die(h, &l);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(batch_due_ms(&h->k, clock_mono_ms()), 0);
		batch_flush(&h->k);
		channel_reap(&h->k);
	}
	assert_null(h->k.channels[0]);
	assert_int_equal(
	    house_count(h, "SELECT COUNT(*) FROM audit_events WHERE kind = 'invoke.outcome'"), 1);
}

static void
test_without_a_vault_a_release_is_refused(void **state)
{
	struct house *h = *state;
	struct keeper_release ask = house_ask("acme/chat", "POST", "api.acme.test", "/v1/chat");
	struct keeper_fault fault;
	struct buf out;
	struct frame f = {0};
	assert_int_equal(house_release(h, &ask, &out, &f), KEEPER_FAULT);
	assert_int_equal(keeper_fault_decode(&f, &fault), AV_OK);
	assert_int_equal(fault.fault.err, AV_ENOVAULT);
	buf_clear(&out);
}

int
main(void)
{
#define HOUSE_TEST(t) cmocka_unit_test_setup_teardown(t, house_open, house_close)
	const struct CMUnitTest tests[] = {
	    HOUSE_TEST(test_denials_wait_for_company_and_releases_do_not),
	    HOUSE_TEST(test_rows_that_wait_are_gathered_and_seen_only_when_committed),
	    HOUSE_TEST(test_gathered_rows_outlive_their_channel),
	    HOUSE_TEST(test_gathering_that_fails_keeps_the_rows_for_later),
	    HOUSE_TEST(test_i3_no_answer_leaves_before_the_commit),
	    HOUSE_TEST(test_i3_failed_commit_refuses_all_and_keeps_the_other_rows),
	    HOUSE_TEST(test_malformed_frame_ends_the_channel),
	    HOUSE_TEST(test_rows_of_a_broker_that_died_are_written),
	    HOUSE_TEST(test_rows_of_a_broker_that_died_outlive_a_failed_commit),
	    HOUSE_TEST(test_rows_of_a_broker_that_died_are_written_in_as_many_batches_as_it_takes),
	    HOUSE_TEST(test_without_a_vault_a_release_is_refused),
	};
	if (box_init() != AV_OK)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
