/* SPDX-License-Identifier: Apache-2.0 */
/* What a caller may invoke, and whether a capability can be called by anybody. */
#include "house.h"

#include "keeper/list.h"

struct asked {
	enum av_err e;
	struct fault fault;
	char json[4096];
};

static struct asked
ask(struct house *h, const char *capability, const char *credential, const char *workspace)
{
	struct keeper_list m = {
	    .ask_id = 1, .capability = str_of(capability), .credential = str_of(credential)};
	struct keeper_listed listed;
	struct keeper_fault fault;
	struct asked a = {.e = AV_OK};
	struct frame f;
	struct buf out;
	size_t used;
	m.caller.uid = (uint32_t)geteuid();
	snprintf(m.caller.workspace, sizeof(m.caller.workspace), "%s", workspace);
	buf_init(&out, FRAME_MAX + 16);
	assert_int_equal(list_answer(&h->k, &m, &out), AV_OK);
	assert_int_equal(frame_parse(out.data, out.len, &f, &used), AV_OK);
	if (keeper_listed_decode(&f, &listed) == AV_OK) {
		snprintf(a.json, sizeof(a.json), "%.*s", STR_FMT(listed.json));
	} else {
		assert_int_equal(keeper_fault_decode(&f, &fault), AV_OK);
		a.fault = fault.fault;
		a.e = fault.fault.err;
	}
	buf_clear(&out);
	return a;
}

static void
store_for_workspace(struct house *h)
{
	assert_int_equal(house_op(h, "secrets.create",
	                     "{\"name\":\"ACME_KEY\",\"scope\":\"workspace\",\"workspaceId\":\"w\","
	                     "\"create\":true}",
	                     "k2"),
	    AV_OK);
}

static void
test_capability_of_a_workspace_is_told_to_who_names_it(void **state)
{
	struct house *h = *state;
	struct asked a;
	store_for_workspace(h);
	a = ask(h, "acme/chat", "", "w");
	assert_int_equal(a.e, AV_OK);
	assert_non_null(strstr(a.json, "\"credential\":\"acme:ws:w\""));
	assert_non_null(strstr(a.json, "/v1/chat"));
	assert_non_null(strstr(ask(h, "", "", "w").json, "acme/models"));
	a = ask(h, "acme/chat", "", "");
	assert_int_equal(a.e, AV_EPOLICY);
	assert_string_equal(a.fault.reason, "credential_out_of_scope");
	assert_null(strstr(ask(h, "", "", "").json, "acme/models"));
}

static void
store_second_credential(struct house *h)
{
	char args[512], id[64];
	assert_int_equal(house_op(h, "secrets.create", "{\"name\":\"OTHER\"}", "k3"), AV_OK);
	const char *at = strstr(h->json, "\"secretId\":\"");
	assert_non_null(at);
	snprintf(id, sizeof(id), "%.36s", at + strlen("\"secretId\":\""));
	snprintf(args, sizeof(args),
	    "{\"id\":\"second\",\"provider\":\"acme\",\"secretRef\":\"vault:secret:%s\"}", id);
	if (house_op(h, "credential.create", args, "") != AV_OK)
		fail_msg("%s", h->fault.message);
}

static void
test_capability_that_two_credentials_fit_is_told_with_both(void **state)
{
	struct house *h = *state;
	struct asked a;
	house_store_key(h);
	store_second_credential(h);
	a = ask(h, "acme/chat", "", "");
	assert_int_equal(a.e, AV_OK);
	assert_non_null(strstr(a.json, "\"credentials\":[\"acme\",\"second\"]"));
	assert_null(strstr(a.json, "\"credential\":"));
	assert_non_null(strstr(ask(h, "", "", "").json, "acme/models"));
	a = ask(h, "acme/chat", "second", "");
	assert_non_null(strstr(a.json, "\"credential\":\"second\""));
	assert_int_equal(ask(h, "acme/chat", "third", "").e, AV_ENOCRED);
}

static void
test_ready_is_what_somebody_can_call(void **state)
{
	struct house *h = *state;
	assert_int_equal(list_state(&h->k, "acme/chat"), LIST_NEEDS_CREDENTIAL);
	store_for_workspace(h);
	assert_int_equal(list_state(&h->k, "acme/chat"), LIST_READY);
	house_store_key(h);
	store_second_credential(h);
	assert_int_equal(list_state(&h->k, "acme/chat"), LIST_READY);
	assert_int_equal(house_op(h, "capability.disable", "{\"id\":\"acme/chat\"}", ""), AV_OK);
	assert_int_equal(list_state(&h->k, "acme/chat"), LIST_DISABLED);
	assert_int_equal(list_state(&h->k, "acme/models"), LIST_READY);
}

static void
test_capability_that_its_credential_does_not_serve_is_disabled(void **state)
{
	struct house *h = *state;
	assert_int_equal(
	    house_op(h, "secrets.create",
	        "{\"name\":\"ACME_KEY\",\"create\":true,\"enable\":[\"acme/chat\"]}", "k1"),
	    AV_OK);
	assert_int_equal(list_state(&h->k, "acme/chat"), LIST_READY);
	assert_int_equal(list_state(&h->k, "acme/models"), LIST_DISABLED);
	assert_int_equal(house_op(h, "capability.describe", "{\"id\":\"acme/models\"}", ""), AV_OK);
	assert_non_null(strstr(h->json, "\"state\":\"disabled\""));
	assert_non_null(strstr(h->json, "\"remedy\":\"aivault capability enable acme/models\""));
	assert_int_equal(house_op(h, "capability.enable", "{\"id\":\"acme/models\"}", ""), AV_OK);
	assert_int_equal(list_state(&h->k, "acme/models"), LIST_READY);
}

static void
test_capabilities_of_a_locked_vault_are_locked(void **state)
{
	struct house *h = *state;
	assert_int_equal(
	    house_op(h, "init", "{\"provider\":\"passphrase\",\"cost\":\"interactive\"}",
	        "correct horse"),
	    AV_OK);
	house_store_key(h);
	assert_int_equal(house_op(h, "lock", "{}", ""), AV_OK);
	assert_int_equal(list_state(&h->k, "acme/chat"), LIST_LOCKED);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(
	        test_capability_of_a_workspace_is_told_to_who_names_it, house_open, house_close),
	    cmocka_unit_test_setup_teardown(
	        test_capability_that_two_credentials_fit_is_told_with_both, house_open,
	        house_close),
	    cmocka_unit_test_setup_teardown(
	        test_ready_is_what_somebody_can_call, house_open, house_close),
	    cmocka_unit_test_setup_teardown(
	        test_capability_that_its_credential_does_not_serve_is_disabled, house_open,
	        house_close),
	    cmocka_unit_test_setup_teardown(
	        test_capabilities_of_a_locked_vault_are_locked, house_open, house_close),
	};
	if (box_init() != AV_OK)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
