/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "broker/request.h"

#include <stdio.h>
#include <string.h>

static struct message *
parse_head(const char *text)
{
	struct message *m = NULL;
	enum message_event event;
	struct str body;
	size_t used = 0;

	assert_int_equal(message_new(MESSAGE_REQUEST, false, &m), AV_OK);
	assert_int_equal(
	    message_feed(m, (const uint8_t *)text, strlen(text), &used, &event, &body, NULL),
	    AV_OK);
	assert_int_equal(event, MESSAGE_HEAD);
	return m;
}

static void
test_first_mark_ends_the_capability(void **state)
{
	static const struct {
		const char *rest, *capability, *target;
		bool has_path;
	} rows[] = {
	    {"a/b/-/v1/x?q=1", "a/b", "/v1/x?q=1", true},
	    {"a/-/", "a", "/", true},
	    {"a/b/-/c/-/d", "a/b", "/c/-/d", true},
	    {"a/b", "a/b", "", false},
	    {"a/b?q=/-/x", "a/b", "?q=/-/x", false},
	    {"a/b/-", "a/b/-", "", false},
	    {"/-/x", "", "/x", true},
	    {"", "", "", false},
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct str capability, target;
		bool has_path = false;

		invoke_target_split(str_of(rows[i].rest), &capability, &target, &has_path);
		assert_true(str_eq_cstr(capability, rows[i].capability));
		assert_true(str_eq_cstr(target, rows[i].target));
		assert_int_equal(has_path, rows[i].has_path);
	}
}

static void
test_context_headers_are_taken_off(void **state)
{
	struct caller c = {.uid = 1000, .name = "user:ann"};
	struct message *m =
	    parse_head("POST /i/openai/models/-/v1/models?a=b HTTP/1.1\r\nHost: a\r\n"
	               "Aivault-Credential: openai:codex-oauth\r\n"
	               "AIVAULT-WORKSPACE: acme\r\nAivault-Group: ops\r\n"
	               "Aivault-Timeout-Ms: 1500\r\nX-A: b\r\n"
	               "Content-Length: 5\r\n\r\n");
	struct invoke_request r;
	struct fault f;
	size_t i;

	(void)state;
	assert_int_equal(invoke_request_parse(&r, m, &c, &f), AV_OK);
	assert_string_equal(r.capability, "openai/models");
	assert_string_equal(r.credential, "openai:codex-oauth");
	assert_string_equal(r.caller.workspace, "acme");
	assert_string_equal(r.caller.group, "ops");
	assert_string_equal(r.caller.name, "user:ann");
	assert_int_equal(r.timeout_ms, 1500);
	assert_string_equal(r.method, "POST");
	assert_true(str_eq_cstr(r.target, "/v1/models?a=b"));
	assert_true(r.has_body);
	assert_int_equal(r.body_size, 5);
	for (i = 0; i < r.headers->count; i++)
		assert_false(str_starts(r.headers->items[i].name, STR_LIT("aivault-")));
	message_free(m);
}

/* As the vault takes them (vault/credential.h), to the last byte of a long one. */
static void
test_credential_is_named_by_any_id_that_the_vault_takes(void **state)
{
	static const char *const good[] = {"Acme", "acme@Prod", "a:b/c.d_e-f"};
	struct caller c = {0};
	struct invoke_request r;
	struct fault f;
	char head[640], id[CREDENTIAL_ID_MAX + 1];

	(void)state;
	for (size_t i = 0; i < 3 + 2; i++) {
		memset(id, 'a', CREDENTIAL_ID_MAX);
		id[CREDENTIAL_ID_MAX] = '\0';
		if (i == 4)
			id[CREDENTIAL_ID_MAX - 1] = ' ' + 1;
		(void)snprintf(head, sizeof(head),
		    "GET /i/a/b/-/x HTTP/1.1\r\nHost: a\r\nAivault-Credential: %s\r\n\r\n",
		    i < 3 ? good[i] : id);
		struct message *m = parse_head(head);
		enum av_err e = invoke_request_parse(&r, m, &c, &f);
		assert_int_equal(e, i == 4 ? AV_EINVAL : AV_OK);
		if (e == AV_OK)
			assert_string_equal(r.credential, i < 3 ? good[i] : id);
		else
			assert_string_equal(f.reason, "credential_id");
		message_free(m);
	}
}

static void
test_body_of_unknown_length_is_told_apart(void **state)
{
	struct caller c = {0};
	struct message *m =
	    parse_head("POST /i/a/b/-/x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
	struct invoke_request r;

	(void)state;
	assert_int_equal(invoke_request_parse(&r, m, &c, NULL), AV_OK);
	assert_true(r.has_body);
	assert_true(r.body_size == UINT64_MAX);
	message_free(m);
	m = parse_head("POST /i/a/b/-/x HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n");
	assert_int_equal(invoke_request_parse(&r, m, &c, NULL), AV_OK);
	assert_false(r.has_body);
	assert_int_equal(r.body_size, 0);
	message_free(m);
}

static void
test_what_is_no_request_is_refused_by_name(void **state)
{
	static const struct {
		const char *head, *reason;
	} rows[] = {
	    {"GET /i/ HTTP/1.1\r\nHost: a\r\n\r\n", "capability_id"},
	    {"GET /i/A/b/-/x HTTP/1.1\r\nHost: a\r\n\r\n", "capability_id"},
	    {"GET /i/a//b/-/x HTTP/1.1\r\nHost: a\r\n\r\n", "capability_id"},
	    {"GET /i/../b/-/x HTTP/1.1\r\nHost: a\r\n\r\n", "capability_id"},
	    {"GET /i/a%2fb/-/x HTTP/1.1\r\nHost: a\r\n\r\n", "capability_id"},
	    {"TRACE /i/a/b/-/x HTTP/1.1\r\nHost: a\r\n\r\n", "method"},
	    {"GET /i/a/-/x HTTP/1.1\r\nHost: a\r\nAivault-Credential: :x\r\n\r\n", "credential_id"},
	    {"GET /i/a/-/x HTTP/1.1\r\nHost: a\r\nAivault-Credential: a b\r\n\r\n",
	        "credential_id"},
	    {"GET /i/a/-/x HTTP/1.1\r\nHost: a\r\nAivault-Group: a\r\nAivault-Group: b\r\n\r\n",
	        "context_header"},
	    {"GET /i/a/-/x HTTP/1.1\r\nHost: a\r\nAivault-Workspace: \xff\r\n\r\n",
	        "context_header"},
	    {"GET /i/a/-/x HTTP/1.1\r\nHost: a\r\nAivault-Timeout-Ms: 0\r\n\r\n", "timeout"},
	    {"GET /i/a/-/x HTTP/1.1\r\nHost: a\r\nAivault-Timeout-Ms: -1\r\n\r\n", "timeout"},
	    {"GET /i/a/-/x HTTP/1.1\r\nHost: a\r\nAivault-Timeout-Ms: 1e3\r\n\r\n", "timeout"},
	    {"GET /i/a/-/x HTTP/1.1\r\nHost: a\r\nAivault-Timeout-Ms: 99999999999\r\n\r\n",
	        "timeout"},
	};
	struct caller c = {0};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct message *m = parse_head(rows[i].head);
		struct invoke_request r;
		struct fault f = {0};

		if (invoke_request_parse(&r, m, &c, &f) != AV_EINVAL ||
		    strcmp(f.reason, rows[i].reason) != 0)
			fail_msg("row %zu: %s", i, f.reason);
		message_free(m);
	}
}

static void
test_ids_over_the_limit_are_refused(void **state)
{
	char text[512], id[200];
	struct caller c = {0};
	struct message *m;
	struct invoke_request r;
	struct fault f = {0};

	(void)state;
	memset(id, 'a', sizeof(id));
	id[129] = '\0';
	(void)snprintf(text, sizeof(text), "GET /i/%s/-/x HTTP/1.1\r\nHost: a\r\n\r\n", id);
	m = parse_head(text);
	assert_int_equal(invoke_request_parse(&r, m, &c, &f), AV_EINVAL);
	message_free(m);
	id[128] = '\0';
	(void)snprintf(text, sizeof(text), "GET /i/%s/-/x HTTP/1.1\r\nHost: a\r\n\r\n", id);
	m = parse_head(text);
	assert_int_equal(invoke_request_parse(&r, m, &c, &f), AV_OK);
	message_free(m);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_first_mark_ends_the_capability),
	    cmocka_unit_test(test_context_headers_are_taken_off),
	    cmocka_unit_test(test_credential_is_named_by_any_id_that_the_vault_takes),
	    cmocka_unit_test(test_body_of_unknown_length_is_told_apart),
	    cmocka_unit_test(test_what_is_no_request_is_refused_by_name),
	    cmocka_unit_test(test_ids_over_the_limit_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
