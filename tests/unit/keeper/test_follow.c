/* SPDX-License-Identifier: Apache-2.0 */
/* A follower is told each committed row once, what passes its filter, and nothing that was undone. */
#include "house.h"

#include "keeper/follow.h"

/* What one feeding tells: the rows' number; the text is in `json`. */
static size_t
feed(struct house *h, struct follow *w, char *json, size_t room)
{
	struct operator_reply reply;
	struct buf out;
	struct frame f;
	size_t used = 0, rows = 0;
	json[0] = '\0';
	buf_init(&out, FRAME_MAX + 16);
	assert_int_equal(follow_feed(w, &h->k, &out), AV_OK);
	if (out.len > 0) {
		assert_int_equal(frame_parse(out.data, out.len, &f, &used), AV_OK);
		assert_int_equal(used, out.len);
		assert_int_equal(operator_reply_decode(&f, &reply), AV_OK);
		assert_int_equal(reply.more, 1);
		snprintf(json, room, "%.*s", STR_FMT(reply.json));
	}
	for (const char *p = json; (p = strstr(p, "\"tsMs\"")) != NULL; p++)
		rows++;
	buf_clear(&out);
	return rows;
}

static void
note(struct house *h, const char *kind)
{
	struct audit_event e;
	audit_event_init(&e, kind, "daemon");
	keeper_note(&h->k, &e);
}

static void
test_follower_is_told_each_row_once(void **state)
{
	struct house *h = *state;
	struct audit_filter all = {.limit = 0};
	struct follow *w = NULL;
	char json[8192];
	house_store_key(h);
	assert_int_equal(follow_new(&h->k, &all, &w), AV_OK);
	assert_int_equal(feed(h, w, json, sizeof(json)), 0);
	note(h, "one");
	note(h, "two");
	assert_true(follow_is_behind(w, &h->k));
	assert_int_equal(feed(h, w, json, sizeof(json)), 2);
	assert_true(strstr(json, "\"one\"") < strstr(json, "\"two\""));
	assert_false(follow_is_behind(w, &h->k));
	assert_int_equal(feed(h, w, json, sizeof(json)), 0);
	follow_free(w);
}

static void
test_row_that_did_not_commit_is_not_told(void **state)
{
	struct house *h = *state;
	struct audit_filter all = {.limit = 0};
	struct audit_event e;
	struct follow *w = NULL;
	char json[8192];
	house_store_key(h);
	assert_int_equal(follow_new(&h->k, &all, &w), AV_OK);
	audit_event_init(&e, "lost", "daemon");
	assert_int_equal(store_begin(h->k.vault->store), AV_OK);
	assert_int_equal(audit_append(&h->k.log, &e), AV_OK);
	assert_int_equal(feed(h, w, json, sizeof(json)), 0);
	store_rollback(h->k.vault->store);
	audit_log_settle(&h->k.log, false);
	assert_int_equal(feed(h, w, json, sizeof(json)), 0);
	follow_free(w);
}

static void
test_filter_and_rows_from_before_hold(void **state)
{
	struct house *h = *state;
	struct audit_filter filter = {.limit = 2, .event = STR_LIT("one")};
	struct follow *w = NULL;
	char json[8192];
	house_store_key(h);
	for (int i = 0; i < 4; i++) {
		note(h, "one");
		note(h, "two");
	}
	assert_int_equal(follow_new(&h->k, &filter, &w), AV_OK);
	assert_int_equal(feed(h, w, json, sizeof(json)), 2);
	assert_null(strstr(json, "\"two\""));
	note(h, "two");
	assert_int_equal(feed(h, w, json, sizeof(json)), 0);
	assert_false(follow_is_behind(w, &h->k));
	note(h, "one");
	assert_int_equal(feed(h, w, json, sizeof(json)), 1);
	follow_free(w);
}

static void
test_export_pages_and_stats_count(void **state)
{
	struct house *h = *state;
	struct audit_event e;
	house_store_key(h);
	audit_event_init(&e, "invoke.deny", "agent");
	e.decision = "deny";
	e.capability = STR_LIT("acme/chat");
	e.reason = STR_LIT("too_many");
	e.repeats = 5;
	keeper_note(&h->k, &e);
	e.repeats = 1;
	keeper_note(&h->k, &e);
	assert_int_equal(house_op(h, "audit.stats", "{}", ""), AV_OK);
	assert_non_null(strstr(h->json,
	    "{\"capability\":\"acme/chat\",\"decision\":\"deny\","
	    "\"reason\":\"too_many\",\"count\":6}"));
	assert_int_equal(house_op(h, "audit.export", "{\"limit\":1}", ""), AV_OK);
	assert_non_null(strstr(h->json, "\"id\":1,"));
	assert_null(strstr(h->json, "\"id\":2,"));
	assert_int_equal(house_op(h, "audit.export", "{\"afterId\":1000000}", ""), AV_OK);
	assert_string_equal(h->json, "[]");
	/* Without a connection that goes on there is nothing to follow. */
	assert_int_equal(house_op(h, "audit.follow", "{}", ""), AV_ELIMIT);
}

int
main(void)
{
#define FOLLOW_TEST(t) cmocka_unit_test_setup_teardown(t, house_open, house_close)
	const struct CMUnitTest tests[] = {
	    FOLLOW_TEST(test_follower_is_told_each_row_once),
	    FOLLOW_TEST(test_row_that_did_not_commit_is_not_told),
	    FOLLOW_TEST(test_filter_and_rows_from_before_hold),
	    FOLLOW_TEST(test_export_pages_and_stats_count),
	};
	if (box_init() != AV_OK)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
