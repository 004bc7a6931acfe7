/* SPDX-License-Identifier: Apache-2.0 */
/* Who may call what, with which credential, at which host. */
#include "house.h"

static enum av_err
resolve(struct house *h, const char *capability, const char *credential, const char *ws,
    const char *group, struct resolution *out)
{
	struct caller c = {.uid = (uint32_t)geteuid()};
	snprintf(c.workspace, sizeof(c.workspace), "%s", ws);
	snprintf(c.group, sizeof(c.group), "%s", group);
	memset(&h->fault, 0, sizeof(h->fault));
	return resolve_call(&h->k, str_of(capability), str_of(credential), &c, out, &h->fault);
}

static void
test_without_a_vault_everything_says_so(void **state)
{
	struct house *h = *state;
	struct resolution r;
	assert_int_equal(resolve(h, "acme/chat", "", "", "", &r), AV_ENOVAULT);
	assert_non_null(strstr(h->fault.remedy, "aivault secrets create"));
	assert_int_equal(house_op(h, "secrets.list", "{}", ""), AV_ENOVAULT);
	assert_int_equal(house_op(h, "status", "{}", ""), AV_OK);
	assert_non_null(strstr(h->json, "\"enabled\":false"));
}

static void
test_claimed_name_lights_the_provider_up(void **state)
{
	struct house *h = *state;
	struct resolution r;
	house_store_key(h);
	assert_non_null(strstr(h->json, "\"pinnedProvider\":\"acme\""));
	assert_int_equal(resolve(h, "acme/chat", "", "", "", &r), AV_OK);
	assert_string_equal(r.credential->id, "acme");
	assert_string_equal(r.host, "api.acme.test");
	assert_false(r.custom);
	assert_int_equal(resolve(h, "acme/none", "", "", "", &r), AV_ENOCAP);
}

static void
test_missing_credential_names_the_secret_to_store(void **state)
{
	struct house *h = *state;
	struct resolution r;
	assert_int_equal(house_op(h, "init", "{}", ""), AV_OK);
	assert_int_equal(resolve(h, "acme/chat", "", "", "", &r), AV_ENOCRED);
	assert_non_null(strstr(h->fault.remedy, "aivault secrets create --name ACME_KEY"));
}

static void
test_group_wins_over_workspace_over_global(void **state)
{
	struct house *h = *state;
	struct resolution r;
	house_store_key(h);
	assert_int_equal(
	    house_op(h, "secrets.create",
	        "{\"name\":\"ACME_KEY\",\"scope\":\"workspace\",\"workspaceId\":\"w\"}", "k2"),
	    AV_OK);
	assert_int_equal(house_op(h, "secrets.create",
	                     "{\"name\":\"ACME_KEY\",\"scope\":\"group\",\"workspaceId\":\"w\","
	                     "\"groupId\":\"g\"}",
	                     "k3"),
	    AV_OK);
	assert_int_equal(resolve(h, "acme/chat", "", "", "", &r), AV_OK);
	assert_string_equal(r.credential->id, "acme");
	assert_int_equal(resolve(h, "acme/chat", "", "w", "", &r), AV_OK);
	assert_string_equal(r.credential->id, "acme:ws:w");
	assert_int_equal(resolve(h, "acme/chat", "", "w", "g", &r), AV_OK);
	assert_string_equal(r.credential->id, "acme:group:w:g");
	assert_int_equal(resolve(h, "acme/chat", "", "w", "other", &r), AV_OK);
	assert_string_equal(r.credential->id, "acme:ws:w");
	assert_int_equal(resolve(h, "acme/chat", "", "v", "", &r), AV_OK);
	assert_string_equal(r.credential->id, "acme");
	assert_int_equal(resolve(h, "acme/chat", "acme:ws:w", "v", "", &r), AV_EPOLICY);
	assert_string_equal(h->fault.reason, "credential_out_of_scope");
	assert_int_equal(resolve(h, "acme/chat", "", "", "g", &r), AV_EINVAL);
}

static void
test_two_that_fit_alike_are_ambiguous(void **state)
{
	struct house *h = *state;
	struct resolution r;
	char id[64], args[256];
	house_store_key(h);
	house_copy_json_text(h, "secretId", id, sizeof(id));
	snprintf(args, sizeof(args),
	    "{\"id\":\"acme-two\",\"provider\":\"acme\",\"secretRef\":\"vault:secret:%s\"}", id);
	assert_int_equal(house_op(h, "credential.create", args, ""), AV_OK);
	assert_int_equal(resolve(h, "acme/chat", "", "", "", &r), AV_EAMBIG);
	assert_int_equal(resolve(h, "acme/chat", "acme-two", "", "", &r), AV_OK);
	assert_string_equal(r.credential->id, "acme-two");
}

static void
test_disabled_capability_is_refused_until_enabled(void **state)
{
	struct house *h = *state;
	struct resolution r;
	house_store_key(h);
	assert_int_equal(house_op(h, "capability.disable", "{\"id\":\"acme/chat\"}", ""), AV_OK);
	assert_int_equal(resolve(h, "acme/chat", "", "", "", &r), AV_EPOLICY);
	assert_string_equal(h->fault.reason, "capability_disabled");
	assert_int_equal(resolve(h, "acme/models", "", "", "", &r), AV_OK);
	assert_int_equal(house_op(h, "capability.enable", "{\"id\":\"acme/chat\"}", ""), AV_OK);
	assert_int_equal(resolve(h, "acme/chat", "", "", "", &r), AV_OK);
}

static void
test_only_what_was_enabled_is_lit(void **state)
{
	struct house *h = *state;
	struct resolution r;
	assert_int_equal(
	    house_op(h, "secrets.create",
	        "{\"name\":\"ACME_KEY\",\"create\":true,\"enable\":[\"acme/models\"]}", "k"),
	    AV_OK);
	assert_int_equal(resolve(h, "acme/models", "", "", "", &r), AV_OK);
	assert_int_equal(resolve(h, "acme/chat", "", "", "", &r), AV_EPOLICY);
	assert_string_equal(h->fault.reason, "capability_not_enabled");
}

static void
test_other_user_has_no_context(void **state)
{
	struct house *h = *state;
	struct resolution r;
	struct caller c = {.uid = 54321};
	house_store_key(h);
	/* A test run as root cannot tell root from the owner; this uid is neither. */
	assert_int_equal(
	    resolve_call(&h->k, STR_LIT("acme/chat"), STR_LIT(""), &c, &r, &h->fault), AV_OK);
	snprintf(c.workspace, sizeof(c.workspace), "w");
	assert_int_equal(
	    resolve_call(&h->k, STR_LIT("acme/chat"), STR_LIT(""), &c, &r, &h->fault), AV_EPOLICY);
	assert_string_equal(h->fault.reason, "context_not_granted");
}

static void
test_custom_credential_and_capability_resolve(void **state)
{
	struct house *h = *state;
	struct resolution r;
	char id[64], args[400];
	assert_int_equal(
	    house_op(h, "secrets.create", "{\"name\":\"mine\",\"create\":true}", "v"), AV_OK);
	house_copy_json_text(h, "secretId", id, sizeof(id));
	snprintf(args, sizeof(args),
	    "{\"id\":\"mine\",\"provider\":\"mine\",\"secretRef\":\"vault:secret:%s\",\"auth\":"
	    "\"header\","
	    "\"headerName\":\"X-Key\",\"valueTemplate\":\"{{secret}}\",\"hosts\":[\"api.mine."
	    "test\"]}",
	    id);
	assert_int_equal(house_op(h, "credential.create", args, ""), AV_OK);
	assert_int_equal(
	    house_op(h, "capability.create",
	        "{\"id\":\"mine/things\",\"credential\":\"mine\",\"methods\":[\"GET\"],"
	        "\"paths\":[\"/things\"]}",
	        ""),
	    AV_OK);
	assert_int_equal(house_op(h, "capability.create",
	                     "{\"id\":\"mine/else\",\"credential\":\"mine\",\"methods\":[\"GET\"],"
	                     "\"paths\":[\"/things\"],\"hosts\":[\"else.mine.test\"]}",
	                     ""),
	    AV_EPOLICY);
	assert_int_equal(resolve(h, "mine/else", "", "", "", &r), AV_ENOCAP);
	assert_int_equal(resolve(h, "mine/things", "", "", "", &r), AV_OK);
	assert_true(r.custom);
	assert_string_equal(r.host, "api.mine.test");
	/* Over a restart too. */
	house_stop(h);
	house_start(h);
	assert_int_equal(resolve(h, "mine/things", "", "", "", &r), AV_OK);
}

static void
test_bad_operator_input_is_refused_by_name(void **state)
{
	static const struct {
		const char *op, *args, *reason;
	} bad[] = {
	    {"secrets.create", "{\"name\":\"\",\"create\":true}", "name_missing"},
	    {"secrets.create", "{\"name\":\"a\\u0001\",\"create\":true}", "name_control_byte"},
	    {"secrets.create", "{\"name\":\"a\\u0000b\"}", "arguments_malformed"},
	    {"secrets.create", "{\"name\":\"a\",\"wrong\":1}", "unknown_argument"},
	    {"secrets.create", "{\"name\":\"a\",\"name\":\"b\"}", "duplicate_argument"},
	    {"secrets.create", "{\"name\":7}", "argument_type"},
	    {"secrets.create", "[]", "arguments_malformed"},
	    {"secrets.create", "{\"name\":\"a\",\"scope\":\"workspace\"}", "workspace_missing"},
	    {"secrets.create", "{\"name\":\"a\",\"enable\":[\"acme/chat\"]}", "nothing_to_enable"},
	    {"capability.create", "{\"id\":\"acme/chat\",\"provider\":\"x\"}", "capability_exists"},
	    {"capability.create",
	        "{\"id\":\"x/y\",\"provider\":\"x\",\"methods\":[\"GET\"],"
	        "\"paths\":[\"/\"],\"hosts\":[\"*.x.test\"]}",
	        NULL},
	    {"capability.create",
	        "{\"id\":\"x/y\",\"provider\":\"x\",\"methods\":[\"GET\"],"
	        "\"paths\":[\"/\"],\"hosts\":[\"a.x.test\",\"b.x.test\"]}",
	        "one_host"},
	    {"capability.create",
	        "{\"id\":\"x/y\",\"provider\":\"x\",\"methods\":[\"GET\"],"
	        "\"paths\":[\"/a/../b\"],\"hosts\":[\"a.x.test\"]}",
	        NULL},
	    {"credential.create",
	        "{\"id\":\"c\",\"provider\":\"x\",\"secretRef\":\"../vault\","
	        "\"auth\":\"header\",\"hosts\":[\"a.x.test\"]}",
	        "secret_ref_malformed"},
	    {"credential.create",
	        "{\"id\":\"c\",\"provider\":\"x\",\"auth\":\"header\","
	        "\"hosts\":[\"u@a.x.test\"]}",
	        NULL},
	    {"nothing.like.it", "{}", "unknown_operation"},
	};
	struct house *h = *state;
	assert_int_equal(house_op(h, "init", "{}", ""), AV_OK);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		bool secret = strcmp(bad[i].op, "secrets.create") == 0;
		assert_int_not_equal(house_op(h, bad[i].op, bad[i].args, secret ? "v" : ""), AV_OK);
		if (bad[i].reason != NULL)
			assert_string_equal(h->fault.reason, bad[i].reason);
		else
			assert_true(h->fault.reason[0] != '\0');
	}
	assert_int_equal(house_op(h, "secrets.create", "{\"name\":\"a\"}", ""), AV_EUSAGE);
	assert_string_equal(h->fault.reason, "value_empty");
	assert_int_equal(house_op(h, "secrets.list", "{}", ""), AV_OK);
	assert_string_equal(h->json, "[]");
}

static void
test_second_secret_of_a_name_is_refused_in_its_scope_only(void **state)
{
	struct house *h = *state;
	house_store_key(h);
	assert_int_equal(house_op(h, "secrets.create", "{\"name\":\"ACME_KEY\"}", "v"), AV_EEXISTS);
	assert_int_equal(
	    house_op(h, "secrets.create",
	        "{\"name\":\"ACME_KEY\",\"scope\":\"workspace\",\"workspaceId\":\"w\"}", "v"),
	    AV_OK);
}

int
main(void)
{
#define HOUSE_TEST(t) cmocka_unit_test_setup_teardown(t, house_open, house_close)
	const struct CMUnitTest tests[] = {
	    HOUSE_TEST(test_without_a_vault_everything_says_so),
	    HOUSE_TEST(test_claimed_name_lights_the_provider_up),
	    HOUSE_TEST(test_missing_credential_names_the_secret_to_store),
	    HOUSE_TEST(test_group_wins_over_workspace_over_global),
	    HOUSE_TEST(test_two_that_fit_alike_are_ambiguous),
	    HOUSE_TEST(test_disabled_capability_is_refused_until_enabled),
	    HOUSE_TEST(test_only_what_was_enabled_is_lit),
	    HOUSE_TEST(test_other_user_has_no_context),
	    HOUSE_TEST(test_custom_credential_and_capability_resolve),
	    HOUSE_TEST(test_bad_operator_input_is_refused_by_name),
	    HOUSE_TEST(test_second_secret_of_a_name_is_refused_in_its_scope_only),
	};
	if (box_init() != AV_OK)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
