/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "broker/checks.h"

#include <string.h>

struct world {
	struct keeper_resolved r;
	struct target target;
	struct header_list headers;
};

static void
world_begin(struct world *w, const char *target)
{
	memset(w, 0, sizeof(*w));
	w->r.host = "api.acme.test:8443";
	w->r.max_request_bytes = 1000;
	w->r.max_response_bytes = UINT64_MAX;
	assert_int_equal(string_list_add(&w->r.capability.hosts, STR_LIT("api.acme.test")), AV_OK);
	assert_int_equal(string_list_add(&w->r.capability.methods, STR_LIT("GET")), AV_OK);
	assert_int_equal(string_list_add(&w->r.capability.methods, STR_LIT("POST")), AV_OK);
	assert_int_equal(string_list_add(&w->r.capability.paths, STR_LIT("/v1/items")), AV_OK);
	assert_int_equal(string_list_add(&w->r.managed_headers, STR_LIT("x-goog-api-key")), AV_OK);
	assert_int_equal(string_list_add(&w->r.managed_query, STR_LIT("key")), AV_OK);
	target_init(&w->target);
	assert_int_equal(target_parse(&w->target, str_of(target), false, NULL), AV_OK);
	header_list_init(&w->headers);
}

static void
world_end(struct world *w)
{
	string_list_clear(&w->r.capability.hosts);
	string_list_clear(&w->r.capability.methods);
	string_list_clear(&w->r.capability.paths);
	string_list_clear(&w->r.managed_headers);
	string_list_clear(&w->r.managed_query);
	target_clear(&w->target);
	header_list_clear(&w->headers);
}

static void
header(struct world *w, const char *name, const char *value)
{
	assert_int_equal(header_list_add(&w->headers, str_of(name), str_of(value)), AV_OK);
}

/* "" for "it may go", else the reason. */
static const char *
check(struct world *w, const char *method, bool has_body, uint64_t size)
{
	static struct fault f;
	struct check_subject c = {
	    .resolved = &w->r,
	    .method = str_of(method),
	    .target = &w->target,
	    .headers = &w->headers,
	    .has_body = has_body,
	    .body_size = size,
	};

	memset(&f, 0, sizeof(f));
	return checks_request(&c, &f) == AV_OK ? "" : f.reason;
}

static const char *
check_target(const char *method, const char *target)
{
	struct world w;
	const char *reason;

	world_begin(&w, target);
	reason = check(&w, method, false, 0);
	world_end(&w);
	return reason;
}

static const char *
check_header(const char *name, const char *value)
{
	struct world w;
	const char *reason;

	world_begin(&w, "/v1/items");
	header(&w, name, value);
	reason = check(&w, "POST", true, 10);
	world_end(&w);
	return reason;
}

static void
test_i13_reach_is_enforced(void **state)
{
	(void)state;
	assert_string_equal(check_target("GET", "/v1/items"), "");
	assert_string_equal(check_target("GET", "/v1/items/7?a=b"), "");
	assert_string_equal(check_target("GET", "/v1/itemsX"), "path_not_allowed");
	assert_string_equal(check_target("GET", "/v1"), "path_not_allowed");
	assert_string_equal(check_target("DELETE", "/v1/items"), "method_not_allowed");
	assert_string_equal(check_target("get", "/v1/items"), "method_not_allowed");
	assert_string_equal(check_target("BREW", "/v1/items"), "method_not_allowed");
}

static void
test_host_is_compared_without_its_port(void **state)
{
	struct world w;

	(void)state;
	world_begin(&w, "/v1/items");
	w.r.host = "other.acme.test";
	assert_string_equal(check(&w, "GET", false, 0), "host_not_allowed");
	world_end(&w);
}

static void
test_auth_headers_are_refused(void **state)
{
	static const char *const names[] = {"Authorization", "proxy-authorization", "COOKIE",
	    "x-api-key", "api-key", "x-auth-token", "X-Goog-Api-Key", "x_goog_api_key",
	    "X_Api_Key"};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (strcmp(check_header(names[i], "x"), "auth_header") != 0)
			fail_msg("%s passes", names[i]);
	}
	assert_string_equal(check_header("x-other", "x"), "");
}

static void
test_i5_reserved_headers_are_dropped(void **state)
{
	static const char *const names[] = {"host", "content-length", "connection", "keep-alive",
	    "te", "trailer", "transfer-encoding", "upgrade", "expect", "sec-websocket-key",
	    "x-http-method-override", "x-original-url", "x-rewrite-url", "forwarded",
	    "x-forwarded-for", "aivault-anything", "accept-encoding", "proxy-connection",
	    "x_http_method_override"};
	struct world w;
	size_t i;

	(void)state;
	world_begin(&w, "/v1/items");
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		header(&w, names[i], "x");
	header(&w, "x-kept", "1");
	header(&w, "content-type", "text/plain");
	assert_string_equal(check(&w, "POST", true, 10), "");
	assert_int_equal(w.headers.count, 2);
	assert_non_null(header_list_find(&w.headers, STR_LIT("x-kept")));
	assert_non_null(header_list_find(&w.headers, STR_LIT("content-type")));
	world_end(&w);
}

static void
test_what_connection_names_is_dropped(void **state)
{
	struct world w;

	(void)state;
	world_begin(&w, "/v1/items");
	header(&w, "connection", "close, X-Hop , connection,, authorization");
	header(&w, "x-hop", "1");
	header(&w, "x-kept", "1");
	assert_string_equal(check(&w, "GET", false, 0), "");
	assert_int_equal(w.headers.count, 1);
	world_end(&w);
}

static void
test_repeated_header_is_refused(void **state)
{
	struct world w;

	(void)state;
	world_begin(&w, "/v1/items");
	header(&w, "x-a", "1");
	header(&w, "X-A", "2");
	assert_string_equal(check(&w, "GET", false, 0), "duplicate_header");
	world_end(&w);
}

static void
test_managed_query_parameter_is_refused_however_it_is_spelt(void **state)
{
	(void)state;
	assert_string_equal(check_target("GET", "/v1/items?key=1"), "auth_query");
	assert_string_equal(check_target("GET", "/v1/items?a=b&key"), "auth_query");
	assert_string_equal(check_target("GET", "/v1/items?%6bey=1"), "auth_query");
	assert_string_equal(check_target("GET", "/v1/items?keys=1&a=key"), "");
}

static void
test_sizes_are_limited(void **state)
{
	struct world w;

	(void)state;
	world_begin(&w, "/v1/items");
	assert_string_equal(check(&w, "POST", true, 1000), "");
	assert_string_equal(check(&w, "POST", true, 1001), "request_too_big");
	assert_string_equal(check(&w, "POST", true, UINT64_MAX), "");
	w.r.max_request_bytes = UINT64_MAX;
	w.r.capability.inspect = INSPECT_JSON;
	assert_string_equal(check(&w, "POST", true, JUDGE_BODY_MAX), "");
	assert_string_equal(check(&w, "POST", true, JUDGE_BODY_MAX + 1), "body_too_big_to_inspect");
	header(&w, "content-encoding", "gzip");
	assert_string_equal(check(&w, "POST", true, 10), "body_encoded");
	assert_string_equal(check(&w, "GET", false, 0), "");
	world_end(&w);
}

static void
test_i5_inspected_body_is_text(void **state)
{
	(void)state;
	assert_int_equal(checks_inspected_body(STR_LIT("{\"a\":\"\xc3\xa9\"}"), NULL), AV_OK);
	assert_int_equal(checks_inspected_body(STR_LIT(""), NULL), AV_OK);
	assert_int_equal(checks_inspected_body(STR_LIT("\xc0\x80"), NULL), AV_EPOLICY);
	assert_int_equal(checks_inspected_body(STR_LIT("\xed\xa0\x80"), NULL), AV_EPOLICY);
}

static void
test_judge_may_not_set_what_is_not_its_own(void **state)
{
	static const char *const names[] = {"authorization", "cookie", "host", "x-goog-api-key",
	    "content-length", "x-forwarded-for", "accept-encoding", "aivault-x"};
	struct header_op ok[] = {
	    {.name = STR_LIT("x-new"), .value = STR_LIT("1")},
	    {.name = STR_LIT("x-old"), .drop = 1},
	    {.name = STR_LIT("accept"), .value = STR_LIT("a/b")},
	};
	struct header_op split = {.name = STR_LIT("x-new"), .value = STR_LIT("1\r\nx-evil: 1")};
	struct world w;
	struct fault f;
	size_t i;

	(void)state;
	world_begin(&w, "/v1/items");
	header(&w, "x-old", "1");
	header(&w, "accept", "*/*");
	assert_int_equal(checks_apply_ops(&w.headers, &w.r, ok, 3, &f), AV_OK);
	assert_int_equal(w.headers.count, 2);
	assert_null(header_list_find(&w.headers, STR_LIT("x-old")));
	assert_true(str_eq_cstr(header_list_find(&w.headers, STR_LIT("accept"))->value, "a/b"));
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct header_op op = {.name = str_of(names[i]), .value = STR_LIT("1")};
		struct header_op drop = {.name = str_of(names[i]), .drop = 1};

		assert_int_equal(checks_apply_ops(&w.headers, &w.r, &op, 1, &f), AV_EPOLICY);
		assert_string_equal(f.reason, "policy_error");
		assert_int_equal(checks_apply_ops(&w.headers, &w.r, &drop, 1, &f), AV_EPOLICY);
	}
	assert_int_equal(checks_apply_ops(&w.headers, &w.r, &split, 1, &f), AV_EPOLICY);
	assert_string_equal(f.reason, "policy_error");
	world_end(&w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_i13_reach_is_enforced),
	    cmocka_unit_test(test_host_is_compared_without_its_port),
	    cmocka_unit_test(test_auth_headers_are_refused),
	    cmocka_unit_test(test_i5_reserved_headers_are_dropped),
	    cmocka_unit_test(test_what_connection_names_is_dropped),
	    cmocka_unit_test(test_repeated_header_is_refused),
	    cmocka_unit_test(test_managed_query_parameter_is_refused_however_it_is_spelt),
	    cmocka_unit_test(test_sizes_are_limited),
	    cmocka_unit_test(test_i5_inspected_body_is_text),
	    cmocka_unit_test(test_judge_may_not_set_what_is_not_its_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
