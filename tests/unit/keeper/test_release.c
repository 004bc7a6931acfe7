/* SPDX-License-Identifier: Apache-2.0 */
/* What leaves the keeper, when, and what is written before it does. */
#include "house.h"

#include "audit/chain.h"

static void
assert_fault(struct house *h, const struct frame *f, enum av_err err, const char *reason)
{
	struct keeper_fault fault;
	(void)h;
	assert_int_equal(f->type, KEEPER_FAULT);
	assert_int_equal(keeper_fault_decode(f, &fault), AV_OK);
	assert_int_equal(fault.ask_id, 7);
	if (reason != NULL)
		assert_string_equal(fault.fault.reason, reason);
	assert_int_equal(fault.fault.err, err);
	assert_null(strstr(fault.fault.message, HOUSE_CANARY));
}

static void
refuse(struct house *h, const struct keeper_release *ask, enum av_err err, const char *reason)
{
	struct buf out;
	struct frame f = {0};
	house_release(h, ask, &out, &f);
	assert_fault(h, &f, err, reason);
	buf_clear(&out);
}

static void
test_i2_release_carries_rendered_auth_with_its_secret_marked(void **state)
{
	struct house *h = *state;
	struct keeper_release ask = house_ask("acme/chat", "POST", "api.acme.test", "/v1/chat");
	struct keeper_released done;
	struct buf out;
	struct frame f = {0};
	house_store_key(h);
	assert_int_equal(house_release(h, &ask, &out, &f), KEEPER_RELEASED);
	assert_int_equal(keeper_released_decode(&f, &done), AV_OK);
	assert_int_equal(done.ask_id, 7);
	assert_int_equal(done.part_count, 1);
	assert_true(str_eq_cstr(done.parts[0].name, "authorization"));
	assert_true(str_eq_cstr(done.parts[0].value, "Bearer " HOUSE_CANARY));
	assert_int_equal(done.parts[0].spans[0].offset, 7);
	assert_int_equal(done.parts[0].spans[0].len, strlen(HOUSE_CANARY));
	keeper_released_clear(&done);
	buf_clear(&out);
}

static void
test_i3_the_row_is_there_when_the_answer_is(void **state)
{
	struct house *h = *state;
	struct keeper_release ask = house_ask("acme/chat", "POST", "api.acme.test", "/v1/chat");
	struct buf out;
	struct frame f = {0};
	house_store_key(h);
	assert_int_equal(house_release(h, &ask, &out, &f), KEEPER_RELEASED);
	buf_clear(&out);
	/* Read as another would, from the file. */
	house_stop(h);
	house_start(h);
	assert_int_equal(house_count(h,
	                     "SELECT COUNT(*) FROM audit_events WHERE kind = 'invoke.allow' "
	                     "AND request_id = '" HOUSE_REQUEST "'"),
	    1);
	assert_int_equal(house_op(h, "secrets.list", "{}", ""), AV_OK);
	assert_null(strstr(h->json, "\"lastUsedAtMs\":null"));
}

static void
test_i3_release_is_refused_when_the_row_cannot_be_written(void **state)
{
	struct house *h = *state;
	struct keeper_release ask = house_ask("acme/chat", "POST", "api.acme.test", "/v1/chat");
	house_store_key(h);
	house_tamper(h,
	    "CREATE TRIGGER t BEFORE INSERT ON audit_events WHEN NEW.kind = 'invoke.allow' "
	    "BEGIN SELECT RAISE(ABORT, 'disk full'); END;");
	refuse(h, &ask, AV_EAUDIT, "audit_write_failed");
	/* And again, once rows can be written. */
	house_tamper(h, "DROP TRIGGER t");
	struct buf out;
	struct frame f = {0};
	assert_int_equal(house_release(h, &ask, &out, &f), KEEPER_RELEASED);
	buf_clear(&out);
}

static void
test_i11_pinned_secret_is_refused_for_other_host(void **state)
{
	struct house *h = *state;
	struct keeper_release ask = house_ask("acme/chat", "POST", "evil.test", "/v1/chat");
	char id[64], args[400];
	house_store_key(h);
	house_copy_json_text(h, "secretId", id, sizeof(id));
	refuse(h, &ask, AV_EPOLICY, "host_not_allowed");
	/* A credential of another provider cannot name it. */
	snprintf(args, sizeof(args),
	    "{\"id\":\"evil\",\"provider\":\"evil\",\"secretRef\":\"vault:secret:%s\","
	    "\"auth\":\"header\",\"hosts\":[\"evil.test\"]}",
	    id);
	assert_int_equal(house_op(h, "credential.create", args, ""), AV_EPOLICY);
	assert_string_equal(h->fault.reason, "secret_pinned");
	/* Nor one of its own provider with another host, nor a capability of it. */
	snprintf(args, sizeof(args),
	    "{\"id\":\"evil\",\"provider\":\"acme\",\"secretRef\":\"vault:secret:%s\","
	    "\"hosts\":[\"evil.test\"]}",
	    id);
	assert_int_equal(house_op(h, "credential.create", args, ""), AV_EUSAGE);
	assert_int_equal(house_op(h, "capability.create",
	                     "{\"id\":\"acme/evil\",\"provider\":\"acme\",\"methods\":[\"GET\"],"
	                     "\"paths\":[\"/\"],\"hosts\":[\"evil.test\"]}",
	                     ""),
	    AV_EPOLICY);
}

static void
test_i11_pin_holds_against_a_row_that_says_otherwise(void **state)
{
	struct house *h = *state;
	struct keeper_release ask = house_ask("evil/all", "GET", "evil.test", "/");
	house_store_key(h);
	/* As if a bug had let it through: rows written with the right key. */
	struct credential c = {.id = (char *)"evil",
	    .provider = (char *)"evil",
	    .alternative = (char *)"",
	    .own_hosts = true,
	    .all_capabilities = true,
	    .path_prefix = (char *)"",
	    .auth = {.kind = AUTH_HEADER}};
	struct capability cap = {.id = (char *)"evil/all", .about = (char *)"", .http = 1};
	assert_int_equal(pair_list_add(&c.auth.pairs, STR_LIT("x"), STR_LIT("{{secret}}")), AV_OK);
	assert_int_equal(
	    pair_list_add(&c.secrets, STR_LIT("secret"), str_of(h->k.vault->secrets[0].id)), AV_OK);
	house_add(&c.hosts, "evil.test");
	house_add(&cap.hosts, "evil.test");
	house_add(&cap.methods, "GET");
	house_add(&cap.paths, "/");
	struct audit_event event;
	audit_event_init(&event, "test", "test");
	assert_int_equal(keeper_change_begin(&h->k, &h->fault), AV_OK);
	assert_int_equal(credential_put(h->k.vault->store, h->k.vault->kek, &c), AV_OK);
	assert_int_equal(vault_capability_put(h->k.vault, "evil", &cap), AV_OK);
	assert_int_equal(keeper_change_end(&h->k, &event, 1, &h->fault), AV_OK);
	refuse(h, &ask, AV_EPOLICY, "secret_pinned");
	auth_desc_clear(&c.auth);
	pair_list_clear(&c.secrets);
	string_list_clear(&c.hosts);
	string_list_clear(&cap.hosts);
	string_list_clear(&cap.methods);
	string_list_clear(&cap.paths);
}

static void
test_i13_reach_is_checked_again_before_release(void **state)
{
	struct house *h = *state;
	struct keeper_release ask = house_ask("acme/chat", "DELETE", "api.acme.test", "/v1/chat");
	house_store_key(h);
	refuse(h, &ask, AV_EPOLICY, "method_not_allowed");
	ask = house_ask("acme/chat", "POST", "api.acme.test", "/v1/chatter");
	refuse(h, &ask, AV_EPOLICY, "path_not_allowed");
	ask = house_ask("acme/chat", "POST", "api.acme.test", "/");
	refuse(h, &ask, AV_EPOLICY, "path_not_allowed");
	assert_int_equal(
	    house_count(h, "SELECT COUNT(*) FROM audit_events WHERE kind = 'invoke.deny'"), 3);
	assert_int_equal(
	    house_count(h, "SELECT COUNT(*) FROM audit_events WHERE kind = 'invoke.allow'"), 0);
}

static void
test_i10_bad_row_disables_itself(void **state)
{
	struct house *h = *state;
	struct keeper_release ask = house_ask("acme/chat", "POST", "api.acme.test", "/v1/chat");
	struct buf out;
	struct frame f = {0};
	house_store_key(h);
	assert_int_equal(
	    house_op(h, "secrets.create",
	        "{\"name\":\"ACME_KEY\",\"scope\":\"workspace\",\"workspaceId\":\"w\"}", "k2"),
	    AV_OK);
	/* One byte of one row's body: its credential goes, the other stays. */
	house_tamper(
	    h, "UPDATE credentials SET body = CAST(body || x'00' AS BLOB) WHERE id = 'acme'");
	assert_int_equal(h->k.vault->fault.err, AV_OK);
	refuse(h, &ask, AV_ECORRUPT, "credential_row_changed");
	snprintf(ask.caller.workspace, sizeof(ask.caller.workspace), "w");
	assert_int_equal(house_release(h, &ask, &out, &f), KEEPER_RELEASED);
	buf_clear(&out);
}

static void
test_i10_value_that_was_swapped_is_refused_and_the_rest_works(void **state)
{
	struct house *h = *state;
	struct keeper_release ask = house_ask("acme/chat", "POST", "api.acme.test", "/v1/chat");
	house_store_key(h);
	assert_int_equal(
	    house_op(h, "secrets.create",
	        "{\"name\":\"ACME_KEY\",\"scope\":\"workspace\",\"workspaceId\":\"w\"}", "k2"),
	    AV_OK);
	house_tamper(h,
	    "CREATE TABLE x AS SELECT * FROM secret_values;"
	    "UPDATE secret_values SET value = (SELECT value FROM x WHERE x.id <> "
	    "secret_values.id), dek_wrapped = (SELECT dek_wrapped FROM x WHERE x.id <> "
	    "secret_values.id); DROP TABLE x;");
	refuse(h, &ask, AV_ECORRUPT, "secret_corrupt");
	assert_int_equal(house_count(h,
	                     "SELECT COUNT(*) FROM audit_events WHERE kind = "
	                     "'invoke.outcome' AND reason = 'auth_failed'"),
	    1);
}

static void
test_deleted_or_restored_row_is_refused(void **state)
{
	struct house *h = *state;
	struct keeper_release ask = house_ask("acme/chat", "POST", "api.acme.test", "/v1/chat");
	house_store_key(h);
	assert_int_equal(house_op(h, "capability.disable", "{\"id\":\"acme/chat\"}", ""), AV_OK);
	house_tamper(h, "DELETE FROM disabled");
	refuse(h, &ask, AV_ECORRUPT, "rows_changed");
	assert_int_equal(house_op(h, "status", "{}", ""), AV_OK);
	assert_non_null(strstr(h->json, "rows_changed"));
	assert_int_equal(house_op(h, "audit", "{}", ""), AV_OK);
}

static void
test_wrong_key_is_refused_by_name(void **state)
{
	struct house *h = *state;
	struct keeper_release ask = house_ask("acme/chat", "POST", "api.acme.test", "/v1/chat");
	struct kek *k = NULL;
	char path[128];
	house_store_key(h);
	house_stop(h);
	snprintf(path, sizeof(path), "%s/kek.key", h->dir);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(kek_file_create(path, &k, &h->fault), AV_OK);
	kek_free(k);
	house_start(h);
	refuse(h, &ask, AV_EKEY, "key_mismatch");
	assert_int_equal(house_op(h, "secrets.create", "{\"name\":\"x\"}", "v"), AV_EKEY);
	assert_non_null(strstr(h->fault.message, path));
}

static void
test_charges_hold_and_denials_are_not_charged(void **state)
{
	struct house *h = *state;
	struct charge charge = {STR_LIT("rate_limit"), STR_LIT("acme/chat"), 1, 2, 3600};
	struct keeper_release ask = house_ask("acme/chat", "POST", "api.acme.test", "/v1/chat");
	struct buf out;
	struct frame f = {0};
	house_store_key(h);
	ask.charges = &charge;
	ask.charge_count = 1;
	ask.path = STR_LIT("/other");
	refuse(h, &ask, AV_EPOLICY, "path_not_allowed");
	ask.path = STR_LIT("/v1/chat");
	for (int i = 0; i < 2; i++) {
		assert_int_equal(house_release(h, &ask, &out, &f), KEEPER_RELEASED);
		buf_clear(&out);
	}
	refuse(h, &ask, AV_ERATE, "rate_limit");
	house_stop(h);
	house_start(h);
	refuse(h, &ask, AV_ERATE, "rate_limit");
}

static void
test_rate_that_was_set_is_charged_whatever_the_judge_says(void **state)
{
	struct house *h = *state;
	struct charge lie = {
	    STR_LIT("rate_limit"), STR_LIT("acme/chat|rate_limit|set|all"), 1, 1000, 60};
	struct keeper_release ask = house_ask("acme/chat", "POST", "api.acme.test", "/v1/chat");
	struct buf out;
	struct frame f = {0};
	house_store_key(h);
	assert_int_equal(house_op(h, "capability.policy.set",
	                     "{\"capability\":\"acme/chat\",\"rateLimitPerMinute\":3,"
	                     "\"maxRequestBodyBytes\":100}",
	                     ""),
	    AV_OK);
	ask.request_bytes = 101;
	refuse(h, &ask, AV_ETOOBIG, "request_too_big");
	ask.request_bytes = 100;
	for (int i = 0; i < 3; i++) {
		ask.charges = i == 1 ? &lie : NULL;
		ask.charge_count = i == 1;
		assert_int_equal(house_release(h, &ask, &out, &f), KEEPER_RELEASED);
		buf_clear(&out);
	}
	refuse(h, &ask, AV_ERATE, "rate_limit");
	assert_int_equal(house_count(h, "SELECT SUM(n) FROM counters"), 3);
	house_stop(h);
	house_start(h);
	refuse(h, &ask, AV_ERATE, "rate_limit");
	/* Raised: the calls that were made still count. */
	assert_int_equal(house_op(h, "capability.policy.set",
	                     "{\"capability\":\"acme/chat\",\"rateLimitPerMinute\":4}", ""),
	    AV_OK);
	assert_int_equal(house_release(h, &ask, &out, &f), KEEPER_RELEASED);
	buf_clear(&out);
	refuse(h, &ask, AV_ERATE, "rate_limit");
	assert_int_equal(
	    house_op(h, "capability.policy.clear", "{\"capability\":\"acme/chat\"}", ""), AV_OK);
	assert_int_equal(house_release(h, &ask, &out, &f), KEEPER_RELEASED);
	buf_clear(&out);
}

static void
test_i10_policy_row_that_was_changed_closes_its_capability_alone(void **state)
{
	struct house *h = *state;
	struct keeper_release ask = house_ask("acme/chat", "POST", "api.acme.test", "/v1/chat");
	struct keeper_release other =
	    house_ask("acme/models", "GET", "api.acme.test", "/v1/models");
	struct buf out;
	struct frame f = {0};
	house_store_key(h);
	assert_int_equal(house_op(h, "capability.policy.set",
	                     "{\"capability\":\"acme/chat\",\"rateLimitPerMinute\":0}", ""),
	    AV_OK);
	refuse(h, &ask, AV_ERATE, "rate_limit");
	house_tamper(h, "UPDATE policy_params SET body = CAST(body || x'00' AS BLOB)");
	refuse(h, &ask, AV_ECORRUPT, "policy_row_changed");
	assert_int_equal(house_release(h, &other, &out, &f), KEEPER_RELEASED);
	buf_clear(&out);
	assert_int_equal(house_op(h, "capability.policy.set",
	                     "{\"capability\":\"acme/chat\",\"rateLimitPerMinute\":9}", ""),
	    AV_OK);
	assert_int_equal(house_release(h, &ask, &out, &f), KEEPER_RELEASED);
	buf_clear(&out);
}

/* Capabilities made on the command line: what they reach is what the operator said, or nothing. */
static void
test_i12_capability_row_from_outside_reaches_nothing(void **state)
{
	struct house *h = *state;
	struct keeper_release ask = house_ask("mine/things", "GET", "api.mine.test", "/things");
	struct keeper_release wide = house_ask("mine/things", "GET", "api.mine.test", "/thimbs");
	struct keeper_release other = house_ask("acme/chat", "POST", "api.acme.test", "/v1/chat");
	char id[64], args[400];
	struct buf out;
	struct frame f = {0};
	assert_int_equal(
	    house_op(h, "secrets.create", "{\"name\":\"mine\",\"create\":true}", HOUSE_CANARY),
	    AV_OK);
	house_copy_json_text(h, "secretId", id, sizeof(id));
	house_store_key(h);
	snprintf(args, sizeof(args),
	    "{\"id\":\"mine\",\"provider\":\"mine\",\"secretRef\":\"vault:secret:%s\",\"auth\":"
	    "\"header\","
	    "\"headerName\":\"X-Key\",\"valueTemplate\":\"{{secret}}\",\"hosts\":[\"api.mine."
	    "test\"]}",
	    id);
	assert_int_equal(house_op(h, "credential.create", args, ""), AV_OK);
	refuse(h, &ask, AV_ENOCAP, NULL);
	assert_int_equal(
	    house_op(h, "capability.create",
	        "{\"id\":\"mine/things\",\"credential\":\"mine\",\"methods\":[\"GET\"],"
	        "\"paths\":[\"/things\"]}",
	        ""),
	    AV_OK);
	assert_int_equal(house_release(h, &ask, &out, &f), KEEPER_RELEASED);
	buf_clear(&out);
	refuse(h, &wide, AV_EPOLICY, "path_not_allowed");
	house_tamper(h,
	    "UPDATE capabilities SET body = CAST(substr(body, 1, instr(body, x'2f7468696e6773')"
	    " - 1) || '/thimbs' || substr(body, instr(body, x'2f7468696e6773') + 7) AS BLOB)");
	refuse(h, &wide, AV_ECORRUPT, "capability_row_changed");
	refuse(h, &ask, AV_ECORRUPT, "capability_row_changed");
	assert_int_equal(house_release(h, &other, &out, &f), KEEPER_RELEASED);
	buf_clear(&out);
	house_tamper(h,
	    "INSERT INTO capabilities SELECT 'mine/more', row_version, body, mac FROM "
	    "capabilities WHERE id = 'mine/things'");
	ask.capability = STR_LIT("mine/more");
	refuse(h, &ask, AV_ECORRUPT, "rows_changed");
}

static void
test_call_is_shown_as_one_event_and_the_chain_holds(void **state)
{
	struct house *h = *state;
	struct keeper_release ask = house_ask("acme/chat", "POST", "api.acme.test", "/v1/chat");
	struct keeper_outcome o = {.request_id = STR_LIT(HOUSE_REQUEST),
	    .capability = STR_LIT("acme/chat"),
	    .status = 200,
	    .request_bytes = 10,
	    .response_bytes = 20,
	    .duration_ms = 5,
	    .reason = STR_LIT("")};
	struct buf out;
	struct frame f = {0};
	house_store_key(h);
	assert_int_equal(house_release(h, &ask, &out, &f), KEEPER_RELEASED);
	buf_clear(&out);
	assert_int_equal(store_begin(h->k.vault->store), AV_OK);
	assert_int_equal(release_note_outcome(&h->k, &o), AV_OK);
	assert_int_equal(store_commit(h->k.vault->store), AV_OK);
	audit_log_settle(&h->k.log, true);
	assert_int_equal(house_op(h, "audit", "{\"capability\":\"acme/chat\"}", ""), AV_OK);
	cJSON *all = cJSON_Parse(h->json);
	assert_int_equal(cJSON_GetArraySize(all), 1);
	const cJSON *e = cJSON_GetArrayItem(all, 0);
	assert_string_equal(cJSON_GetObjectItem(e, "kind")->valuestring, "invoke.allow");
	assert_int_equal(cJSON_GetObjectItem(e, "status")->valueint, 200);
	assert_int_equal(cJSON_GetObjectItem(e, "durationMs")->valueint, 5);
	cJSON_Delete(all);
	assert_int_equal(house_op(h, "audit.verify", "{}", ""), AV_OK);
	assert_non_null(strstr(h->json, "\"ok\":true"));
	house_tamper(h, "UPDATE audit_events SET path = '/v1/other' WHERE kind = 'invoke.allow'");
	assert_int_equal(house_op(h, "audit.verify", "{}", ""), AV_OK);
	assert_non_null(strstr(h->json, "\"ok\":false"));
	assert_non_null(strstr(h->json, "\"problem\":\"hash\""));
}

static void
test_canary_is_in_no_file_and_no_listing(void **state)
{
	static const char *const names[] = {"vault.db", "vault.db-wal"};
	struct house *h = *state;
	struct keeper_release ask = house_ask("acme/chat", "POST", "api.acme.test", "/v1/chat");
	struct buf out, file;
	struct frame f = {0};
	char path[128];
	house_store_key(h);
	assert_int_equal(house_release(h, &ask, &out, &f), KEEPER_RELEASED);
	buf_clear(&out);
	for (size_t i = 0; i < 2; i++) {
		snprintf(path, sizeof(path), "%s/%s", h->dir, names[i]);
		buf_init(&file, 16u * 1024u * 1024u);
		assert_int_equal(io_read_file(-1, path, 16u * 1024u * 1024u, &file), AV_OK);
		assert_true(file.len > 0);
		assert_null(memmem(file.data, file.len, HOUSE_CANARY, strlen(HOUSE_CANARY)));
		buf_clear(&file);
	}
	assert_int_equal(house_op(h, "audit", "{}", ""), AV_OK);
	assert_null(strstr(h->json, HOUSE_CANARY));
	assert_int_equal(house_op(h, "credential.list", "{}", ""), AV_OK);
	assert_null(strstr(h->json, HOUSE_CANARY));
}

int
main(void)
{
#define HOUSE_TEST(t) cmocka_unit_test_setup_teardown(t, house_open, house_close)
	const struct CMUnitTest tests[] = {
	    HOUSE_TEST(test_i2_release_carries_rendered_auth_with_its_secret_marked),
	    HOUSE_TEST(test_i3_the_row_is_there_when_the_answer_is),
	    HOUSE_TEST(test_i3_release_is_refused_when_the_row_cannot_be_written),
	    HOUSE_TEST(test_i11_pinned_secret_is_refused_for_other_host),
	    HOUSE_TEST(test_i11_pin_holds_against_a_row_that_says_otherwise),
	    HOUSE_TEST(test_i13_reach_is_checked_again_before_release),
	    HOUSE_TEST(test_i10_bad_row_disables_itself),
	    HOUSE_TEST(test_i10_value_that_was_swapped_is_refused_and_the_rest_works),
	    HOUSE_TEST(test_deleted_or_restored_row_is_refused),
	    HOUSE_TEST(test_wrong_key_is_refused_by_name),
	    HOUSE_TEST(test_charges_hold_and_denials_are_not_charged),
	    HOUSE_TEST(test_rate_that_was_set_is_charged_whatever_the_judge_says),
	    HOUSE_TEST(test_i12_capability_row_from_outside_reaches_nothing),
	    HOUSE_TEST(test_i10_policy_row_that_was_changed_closes_its_capability_alone),
	    HOUSE_TEST(test_call_is_shown_as_one_event_and_the_chain_holds),
	    HOUSE_TEST(test_canary_is_in_no_file_and_no_listing),
	};
	if (box_init() != AV_OK)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
