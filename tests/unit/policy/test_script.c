/* SPDX-License-Identifier: Apache-2.0 */
/* Loading, manifests, policies beside the script, rebuilding. */
#include "harness.h"

#include "policy/judge.h"
#include "reach/builtin.h"

static void
assert_load_error(const char *text, const char *words)
{
	struct harness *h = harness_new(text);
	if (h->loaded != AV_EINVAL || strstr(h->message, words) == NULL) {
		fail_msg("wanted \"%s\", got %d \"%s\"", words, h->loaded, h->message);
	}
	/* I10: the fault stays with its provider, and it is a deny. */
	harness_ask(h);
	assert_verdict(h, VERDICT_DENY, "policy_error", words);
	harness_free(h);
}

static void
test_faulty_script_is_named_with_file_line_and_cause(void **state)
{
	(void)state;
	assert_load_error("x x", "capabilities/trial.lua:1: syntax error");
	assert_load_error("\n\nreturn provider 'trial' { secret = {} }",
	    "capabilities/trial.lua:3: provider trial: unknown key 'secret'");
	assert_load_error("\nreturn provider 'trial' { secrets = { K = 'secret' }, auth = 1,\n"
	                  "hosts = { 'a.example.com' },\n\n"
	                  "capability 'x' { methods = { 'GET' }, paths = { '/' } } }",
	    "capabilities/trial.lua:2: provider trial: auth must be made by auth");
	assert_load_error(
	    "return 1", "capabilities/trial.lua:1: the file must return one provider");
	assert_load_error("return nil", "must return one provider");
	assert_load_error("return provider 'trial'", "must return one provider");
	assert_load_error(HARNESS_HEAD "  capability 'x' { methods = { 'POST' } },\n}",
	    "capabilities/trial.lua:5: capability x: paths must be a table");
	assert_load_error(
	    HARNESS_CAPABILITY("methods = { 'GET' }, inspect = 'xml'"), "inspect must be");
	assert_load_error(HARNESS_CAPABILITY("check = true"), "check must be a function");
	assert_load_error(HARNESS_CAPABILITY("policies = { 1 }"), "must be made by instance");
	assert_load_error(HARNESS_CAPABILITY("policies = { rate_limit {} }"),
	    "rate_limit: parameter 'per_minute' is missing");
	assert_load_error(HARNESS_CAPABILITY("policies = { rate_limit { per_minute = -1 } }"),
	    "per_minute must be 0 to");
	assert_load_error(HARNESS_CAPABILITY("policies = { rate_limit { per_minute = 1.5 } }"),
	    "must be a whole number");
	assert_load_error(
	    HARNESS_CAPABILITY("policies = { rate_limit { per_minute = 1, per = 'x' } }"),
	    "must be one of the words");
	assert_load_error(HARNESS_CAPABILITY("policies = { rate_limit { per_hour = 1 } }"),
	    "unknown parameter 'per_hour'");
	assert_load_error(
	    HARNESS_CAPABILITY("policies = { rate_limits {} }"), "there is no 'rate_limits' here");
	assert_load_error("\x1bLua", "attempt to load a binary chunk");
	assert_load_error(
	    "return provider 'other' { secrets = { K = 'secret' }, auth = auth.none(), "
	    "hosts = { 'a.example.com' } }",
	    "must have the file's name");
}

static void
test_tables_built_by_hand_are_no_way_round_the_vocabulary(void **state)
{
	(void)state;
	static const char *const fields[] = {"secrets = 1", "secrets = { 'a' }", "hosts = 'abc'",
	    "hosts = { 1 }", "hosts = { a = {} }", "auth = 1", "auth = {}",
	    "auth = { type = 'header', pairs = 'ab' }",
	    "auth = { type = 'header', pairs = { { 1 } } }",
	    "auth = { type = 'header', pairs = { 1 } }", "capabilities = 'abc'",
	    "capabilities = { 1 }", "capabilities = { {} }", "alternatives = { {} }",
	    "alternatives = 1",
	    "capabilities = { { name = 'x', methods = { 'GET' }, paths = { '/' }, policies = 1 } }",
	    "capabilities = { { name = 'x', methods = { 'GET' }, paths = { '/' }, policies = { 1 } "
	    "} }",
	    "capabilities = { { name = 'x', about = 'x', methods = { 'GET' }, paths = { '/' }, "
	    "http = 1, "
	    "policies = { { kind = 'instance' } } } }",
	    "capabilities = { { name = 'x', about = 'x', methods = { 'GET' }, paths = { '/' }, "
	    "http = 1, "
	    "policies = { { name = 'a|set', check = function() end, params = {} } } } }"};
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		char text[1024];
		snprintf(text, sizeof(text),
		    "local t = { kind = 'provider', name = 'trial', secrets = { K = 'secret' }, "
		    "line = 1,\n"
		    "hosts = { 'a.example.com' }, auth = auth.none(), capabilities = {}, "
		    "alternatives = {} }\n"
		    "local other = { %s }\n"
		    "for k, v in pairs(other) do t[k] = v end return t",
		    fields[i]);
		assert_load_error(text, "");
	}
}

static void
test_manifest_rules_are_applied_to_a_script(void **state)
{
	(void)state;
	assert_load_error(HARNESS_CAPABILITY("hosts = { 'localhost' }"), "capabilities/trial.lua:");
	assert_load_error(HARNESS_CAPABILITY("methods = { 'BREW' }"), "capabilities/trial.lua:");
	assert_load_error(HARNESS_CAPABILITY("paths = { 'v1' }"), "capabilities/trial.lua:");
}

static void
test_same_script_always_gives_the_same_manifest(void **state)
{
	(void)state;
	struct buf first, again;
	char message[SANDBOX_MESSAGE_MAX + 1];
	buf_init(&first, 1024 * 1024);
	buf_init(&again, 1024 * 1024);
	assert_int_equal(
	    judge_emit_manifests(embedded_lua, embedded_lua_count, &first, message), AV_OK);
	for (int i = 0; i < 20; i++) {
		buf_reset(&again);
		assert_int_equal(
		    judge_emit_manifests(embedded_lua, embedded_lua_count, &again, message), AV_OK);
		assert_int_equal(again.len, first.len);
		assert_memory_equal(again.data, first.data, first.len);
	}
	buf_clear(&first);
	buf_clear(&again);
}

static void
test_openai_has_its_twenty_capabilities_and_two_alternatives(void **state)
{
	(void)state;
	struct buf out;
	char message[SANDBOX_MESSAGE_MAX + 1];
	struct builtin b = {0};
	buf_init(&out, 1024 * 1024);
	assert_int_equal(
	    judge_emit_manifests(embedded_lua, embedded_lua_count, &out, message), AV_OK);
	assert_int_equal(builtin_load(&b, out.data, out.len), AV_OK);
	const struct manifest *m = builtin_provider(&b, STR_LIT("openai"));
	assert_non_null(m);
	assert_int_equal(m->capability_count, 20);
	assert_int_equal(m->alternative_count, 2);
	assert_int_equal(m->auth.kind, AUTH_HEADER);
	assert_string_equal(m->auth.pairs.items[0].name, "authorization");
	assert_string_equal(m->auth.pairs.items[0].value, "Bearer {{secret}}");
	assert_string_equal(m->secrets.items[0].name, "OPENAI_API_KEY");
	const struct capability *c =
	    builtin_capability(&b, STR_LIT("openai/chat-completions"), NULL);
	assert_non_null(c);
	assert_string_equal(c->hosts.items[0], "api.openai.com");
	assert_string_equal(c->paths.items[0], "/v1/chat/completions");
	assert_int_equal(c->methods.count, 2);
	assert_false(c->has_check);
	const struct alternative *a = &m->alternatives[0];
	assert_string_equal(a->id, "codex-oauth");
	assert_int_equal(a->auth.kind, AUTH_MULTI_HEADER);
	assert_int_equal(a->auth.pairs.count, 2);
	assert_int_equal(a->priority, 100);
	assert_string_equal(a->path_prefix, "/backend-api/codex");
	assert_int_equal(a->capabilities.count, 2);
	assert_string_equal(a->capabilities.items[0], "openai/codex-responses");
	builtin_clear(&b);
	buf_clear(&out);
}

static void
test_faulty_builtin_file_stops_the_build_with_its_line(void **state)
{
	(void)state;
	static const char bad[] = "\nreturn provider 'zz' { secrets = {}, hosts = 1 }\n";
	struct embedded_file *files = calloc(embedded_lua_count + 1, sizeof(*files));
	char message[SANDBOX_MESSAGE_MAX + 1];
	struct buf out;
	memcpy(files, embedded_lua, embedded_lua_count * sizeof(*files));
	files[embedded_lua_count] =
	    (struct embedded_file){"capabilities/zz.lua", bad, sizeof(bad) - 1};
	buf_init(&out, 1024 * 1024);
	assert_int_equal(
	    judge_emit_manifests(files, embedded_lua_count + 1, &out, message), AV_EINVAL);
	assert_string_equal(
	    message, "capabilities/zz.lua:2: provider zz: auth must be made by auth");
	buf_clear(&out);
	free(files);
}

static void
test_unknown_capability_is_a_deny(void **state)
{
	(void)state;
	struct harness *h = harness_new(HARNESS_CHECK("return allow()"));
	h->ask.capability = STR_LIT("trial/y");
	harness_ask(h);
	assert_verdict(h, VERDICT_DENY, "policy_error", "no such capability");
	harness_free(h);
}

static void
test_capability_without_policies_or_check_is_allowed(void **state)
{
	(void)state;
	assert_check(HARNESS_CAPABILITY(""), VERDICT_ALLOW, "", "");
	struct harness *h = harness_new(NULL);
	assert_int_equal(harness_ask(h), VERDICT_ALLOW);
	harness_free(h);
}

static void
test_policies_run_in_order_and_the_first_deny_ends_it(void **state)
{
	(void)state;
	struct harness *h = harness_new(HARNESS_CAPABILITY(
	    "policies = { header_shape { set = { ['x-a'] = '1' } }, method_allow { methods = { "
	    "'GET' } },"
	    " rate_limit { per_minute = 1 } }, check = function() error('not reached') end"));
	harness_ask(h);
	assert_verdict(h, VERDICT_DENY, "method_not_allowed", "POST is not on the list");
	assert_string_equal(h->draft.policy, "method_allow");
	assert_int_equal(h->draft.charge_count, 0);
	harness_free(h);
}

static void
test_header_changes_and_sizes_of_all_policies_add_up(void **state)
{
	(void)state;
	struct harness *h = harness_new(HARNESS_CAPABILITY(
	    "policies = { header_shape { set = { ['x-a'] = '1' } }, "
	    "header_shape { drop = { 'x-b' } }, size_limit { max_response_bytes = 100 }, "
	    "size_limit { max_response_bytes = 50, max_request_bytes = 1000 } }, "
	    "check = function() return allow { max_response_bytes = 70 } end"));
	assert_int_equal(h->loaded, AV_OK);
	harness_ask(h);
	assert_verdict(h, VERDICT_ALLOW, "", "");
	assert_int_equal(h->draft.op_count, 2);
	assert_int_equal(h->draft.max_response_bytes, 50);
	assert_int_equal(h->draft.max_request_bytes, 1000);
	harness_free(h);
}

static void
test_size_limit_denies_a_larger_body(void **state)
{
	(void)state;
	struct harness *h = harness_new(NULL);
	harness_set_policy(h, "size_limit", "max_request_bytes", 10);
	harness_ask(h);
	assert_verdict(h, VERDICT_DENY, "size_limit", "19 bytes");
	h->body = STR_LIT("0123456789");
	harness_ask(h);
	assert_verdict(h, VERDICT_ALLOW, "", "");
	assert_int_equal(h->draft.max_request_bytes, 10);
	assert_int_equal(h->draft.max_response_bytes, UINT64_MAX);
	harness_free(h);
}

static void
test_path_and_caller_policies_narrow(void **state)
{
	(void)state;
	assert_check(HARNESS_CAPABILITY("policies = { path_allow { paths = { '/v1/things/*' } } }"),
	    VERDICT_ALLOW, "", "");
	assert_check(HARNESS_CAPABILITY("policies = { path_allow { paths = { '/v1/*' } } }"),
	    VERDICT_DENY, "path_not_allowed", "not on the list");
	assert_check(HARNESS_CAPABILITY("policies = { caller_allow { callers = { 'user:ann' } } }"),
	    VERDICT_ALLOW, "", "");
	assert_check(HARNESS_CAPABILITY("policies = { caller_allow { callers = { 'user:bob' } } }"),
	    VERDICT_DENY, "caller_not_allowed", "not on the list");
}

static void
test_rate_limit_counts_only_what_was_allowed(void **state)
{
	(void)state;
	struct harness *h = harness_new(HARNESS_CAPABILITY(
	    "policies = { rate_limit { per_minute = 2 } }, check = function(req) "
	    "return req.query.a == '1' and allow() or deny('no') end"));
	for (int i = 0; i < 5; i++) {
		h->ask.query = STR_LIT("a=2");
		harness_ask(h);
		assert_verdict(h, VERDICT_DENY, "policy_denied", "no");
	}
	h->ask.query = STR_LIT("a=1");
	assert_int_equal(harness_ask(h), VERDICT_ALLOW);
	assert_int_equal(h->draft.charge_count, 1);
	assert_true(str_eq_cstr(h->draft.charges[0].key, "trial/x|rate_limit|script|all"));
	assert_int_equal(harness_ask(h), VERDICT_ALLOW);
	harness_ask(h);
	assert_verdict(h, VERDICT_DENY, "rate_limit", "2 calls a minute");
	assert_in_range(h->draft.retry_after, 59, 61);
	h->ask.now_ms += 61000;
	assert_int_equal(harness_ask(h), VERDICT_ALLOW);
	harness_free(h);
}

static void
test_rate_limit_by_agent_has_one_counter_over_capabilities(void **state)
{
	(void)state;
	struct harness *h = harness_new(
	    HARNESS_HEAD "  capability 'x' { methods = { 'POST' }, paths = { '/' }, "
	                 "policies = { rate_limit { per_minute = 2, per = 'agent' } } },\n"
	                 "  capability 'y' { methods = { 'POST' }, paths = { '/' }, "
	                 "policies = { rate_limit { per_minute = 2, per = 'agent' } } },\n}\n");
	assert_int_equal(harness_ask(h), VERDICT_ALLOW);
	assert_true(str_eq_cstr(h->draft.charges[0].key, "*|rate_limit|script|user:ann"));
	h->ask.capability = STR_LIT("trial/y");
	assert_int_equal(harness_ask(h), VERDICT_ALLOW);
	harness_ask(h);
	assert_verdict(h, VERDICT_DENY, "rate_limit", "");
	snprintf(h->ask.caller.name, sizeof(h->ask.caller.name), "user:bob");
	assert_int_equal(harness_ask(h), VERDICT_ALLOW);
	harness_free(h);
}

static void
test_the_stricter_of_script_and_cli_wins(void **state)
{
	(void)state;
	struct harness *h =
	    harness_new(HARNESS_CAPABILITY("policies = { rate_limit { per_minute = 5 } }"));
	harness_set_policy(h, "rate_limit", "per_minute", 1);
	assert_int_equal(harness_ask(h), VERDICT_ALLOW);
	assert_int_equal(h->draft.charge_count, 2);
	assert_true(str_eq_cstr(h->draft.charges[1].key, "trial/x|rate_limit|set|all"));
	harness_ask(h);
	assert_verdict(h, VERDICT_DENY, "rate_limit", "1 calls a minute");
	harness_free(h);
}

static void
test_unknown_policy_or_parameter_set_by_cli_is_a_deny(void **state)
{
	(void)state;
	struct harness *h = harness_new(NULL);
	harness_set_policy(h, "no_such", "x", 1);
	harness_ask(h);
	assert_verdict(h, VERDICT_DENY, "policy_error", "no policy of the name");
	h->policies[0].policy = STR_LIT("rate_limit");
	harness_ask(h);
	assert_verdict(h, VERDICT_DENY, "policy_error", "unknown parameter 'x'");
	h->policies[0].params[0].name = STR_LIT("per_minute");
	harness_ask(h);
	assert_verdict(h, VERDICT_ALLOW, "", "");
	harness_free(h);
}

static void
test_parameters_that_change_for_ever_do_not_use_up_the_script(void **state)
{
	(void)state;
	struct harness *h = harness_new(NULL);
	harness_set_policy(h, "rate_limit", "per_minute", 1);
	for (uint64_t i = 0; i < 3 * SCRIPT_MAX_STEPS; i++) {
		h->policies[0].params[0].value = i + 1000000;
		assert_int_equal(harness_ask(h), VERDICT_ALLOW);
	}
	assert_true(h->script.step_count < SCRIPT_MAX_STEPS);
	harness_free(h);
}

static void
test_script_works_again_after_each_limit(void **state)
{
	(void)state;
	struct harness *h = harness_new(HARNESS_CHECK(
	    "if req.query.a == 'time' then while true do end end\n"
	    "if req.query.a == 'memory' then local s = 'x' while true do s = s .. s end end\n"
	    "return allow()"));
	static const char *const query[] = {"a=time", "a=1", "a=memory", "a=1"};
	static const char *const reason[] = {"policy_timeout", "", "policy_memory", ""};
	for (int i = 0; i < 4; i++) {
		h->ask.query = str_of(query[i]);
		harness_ask(h);
		assert_verdict(h, i % 2 == 1 ? VERDICT_ALLOW : VERDICT_DENY, reason[i], "");
		assert_int_equal(h->draft.limit_hit, i % 2 == 0);
	}
	harness_free(h);
}

static void
test_memory_of_a_state_stays_level_over_many_calls(void **state)
{
	(void)state;
	struct harness *h = harness_new(
	    HARNESS_CHECK("local t = {} for i = 1, 20 do t[i] = req.path .. i end "
	                  "return allow { set_headers = { ['x-a'] = table.concat(t) } }"));
	size_t most = 0;
	for (int i = 0; i < 3000; i++) {
		assert_int_equal(harness_ask(h), VERDICT_ALLOW);
		most = h->script.box.used > most ? h->script.box.used : most;
	}
	assert_true(most < 1024 * 1024);
	harness_free(h);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_faulty_script_is_named_with_file_line_and_cause),
	    cmocka_unit_test(test_tables_built_by_hand_are_no_way_round_the_vocabulary),
	    cmocka_unit_test(test_manifest_rules_are_applied_to_a_script),
	    cmocka_unit_test(test_same_script_always_gives_the_same_manifest),
	    cmocka_unit_test(test_openai_has_its_twenty_capabilities_and_two_alternatives),
	    cmocka_unit_test(test_faulty_builtin_file_stops_the_build_with_its_line),
	    cmocka_unit_test(test_unknown_capability_is_a_deny),
	    cmocka_unit_test(test_capability_without_policies_or_check_is_allowed),
	    cmocka_unit_test(test_policies_run_in_order_and_the_first_deny_ends_it),
	    cmocka_unit_test(test_header_changes_and_sizes_of_all_policies_add_up),
	    cmocka_unit_test(test_size_limit_denies_a_larger_body),
	    cmocka_unit_test(test_path_and_caller_policies_narrow),
	    cmocka_unit_test(test_rate_limit_counts_only_what_was_allowed),
	    cmocka_unit_test(test_rate_limit_by_agent_has_one_counter_over_capabilities),
	    cmocka_unit_test(test_the_stricter_of_script_and_cli_wins),
	    cmocka_unit_test(test_unknown_policy_or_parameter_set_by_cli_is_a_deny),
	    cmocka_unit_test(test_parameters_that_change_for_ever_do_not_use_up_the_script),
	    cmocka_unit_test(test_script_works_again_after_each_limit),
	    cmocka_unit_test(test_memory_of_a_state_stays_level_over_many_calls),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
