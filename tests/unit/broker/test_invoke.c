/* SPDX-License-Identifier: Apache-2.0 */
/* The conductor, with keeper, judge, supervisor and agent played by the test. */
#include "peers.h"

#define GET_ITEM "GET /i/acme/any/-/v1/item HTTP/1.1\r\nHost: a\r\n\r\n"
#define POST_HEAD "POST /i/acme/any/-/v1/item HTTP/1.1\r\nHost: a\r\n"

static const struct broker_options options = {
    .max_connections = 8,
    .max_per_caller = 4,
    .first_byte_ms = 20000,
    .idle_ms = 20000,
    .judge_deadline_ms = 300,
};

static int
start(void **state)
{
	*state = peers_start(&options);
	return 0;
}

static int
stop(void **state)
{
	peers_stop(*state);
	return 0;
}

static void
test_health_answers_without_a_call(void **state)
{
	struct peers *p = *state;
	int fd = agent_connect(p);

	agent_send(fd, "GET /aivault/health HTTP/1.1\r\nHost: a\r\n\r\n");
	assert_int_equal(agent_answer(p, fd), 200);
	agent_expect(p, "\"version\":\"" AV_VERSION "\"");
	agent_expect(p, "Aivault-Request-Id: ");
	/* Kept alive: the same connection serves the next one. */
	agent_send(fd, "GET /nothing HTTP/1.1\r\nHost: a\r\n\r\n");
	assert_int_equal(agent_answer(p, fd), 404);
	agent_expect(p, "Aivault-Error: invalid_request");
	agent_send(fd, "GET /v/acme/v1/item HTTP/1.1\r\nHost: a\r\n\r\n");
	assert_int_equal(agent_answer(p, fd), 501);
	agent_send(fd, "GET /aivault/health HTTP/1.1\r\nHost: a\r\n\r\n");
	assert_int_equal(agent_answer(p, fd), 200);
	close(fd);
}

static void
test_malformed_request_is_answered_and_closed(void **state)
{
	struct peers *p = *state;
	int fd = agent_connect(p);

	agent_send(fd, "GET /aivault/health HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n" GET_ITEM);
	assert_int_equal(agent_answer(p, fd), 400);
	agent_expect_close(fd);
	close(fd);
}

static void
test_denied_by_reach_asks_no_judge(void **state)
{
	struct peers *p = *state;
	int fd = agent_connect(p);

	agent_send(fd, "GET /i/acme/any/-/v2/item HTTP/1.1\r\nHost: a\r\n\r\n");
	keeper_answer_resolved(p, keeper_take_resolve(p), 1, INSPECT_NONE);
	assert_int_equal(agent_answer(p, fd), 403);
	agent_expect(p, "\"reason\":\"path_not_allowed\"");
	agent_expect(p, "Aivault-Error: policy_violation");
	keeper_expect_denied(p, "path_not_allowed", 403);
	/* The second time the resolution comes from the cache: no question to the keeper. */
	agent_send(fd, "DELETE /i/acme/any/-/v1/item HTTP/1.1\r\nHost: a\r\n\r\n");
	assert_int_equal(agent_answer(p, fd), 403);
	keeper_expect_denied(p, "method_not_allowed", 403);
	/* A new generation empties the cache. */
	peers_send_state(p, 2, false);
	keeper_sync(p, fd);
	agent_send(fd, "GET /i/acme/any/-/v1/item HTTP/1.1\r\nHost: a\r\nX_Acme_Key: k\r\n\r\n");
	keeper_answer_resolved(p, keeper_take_resolve(p), 2, INSPECT_NONE);
	assert_int_equal(agent_answer(p, fd), 403);
	keeper_expect_denied(p, "auth_header", 403);
	close(fd);
}

static void
test_verdict_of_the_judge_is_the_answer(void **state)
{
	struct peers *p = *state;
	int fd = agent_connect(p);

	agent_send(fd, GET_ITEM);
	keeper_answer_resolved(p, keeper_take_resolve(p), 1, INSPECT_NONE);
	judge_answer(p, judge_take_ask(p, NULL), VERDICT_DENY, "rate_limit", false);
	assert_int_equal(agent_answer(p, fd), 429);
	agent_expect(p, "Retry-After: 1\r\n");
	agent_expect(p, "the policy says no");
	keeper_expect_denied(p, "rate_limit", 429);
	close(fd);
}

static void
test_charges_of_what_went_no_further_are_given_back(void **state)
{
	struct peers *p = *state;
	struct header_op op = {.name = STR_LIT("x-acme-key"), .value = STR_LIT("v")};
	int fd = agent_connect(p), other = agent_connect(p);

	/* The verdict wants what no verdict may. */
	agent_send(fd, GET_ITEM);
	keeper_answer_resolved(p, keeper_take_resolve(p), 1, INSPECT_NONE);
	judge_allow_charged(p, judge_take_ask(p, NULL), &op);
	judge_expect_refund(p);
	assert_int_equal(agent_answer(p, fd), 403);
	keeper_expect_denied(p, "policy_error", 403);
	/* The agent has left; health on another connection: by then the broker has seen it. */
	agent_send(fd, GET_ITEM);
	uint64_t id = judge_take_ask(p, NULL);
	close(fd);
	agent_send(other, "GET /aivault/health HTTP/1.1\r\nHost: a\r\n\r\n");
	assert_int_equal(agent_answer(p, other), 200);
	judge_allow_charged(p, id, NULL);
	judge_expect_refund(p);
	/* What is released, or refused by the keeper, is not the broker's to give back. */
	agent_send(other, GET_ITEM);
	judge_allow_charged(p, judge_take_ask(p, NULL), NULL);
	keeper_answer_fault(p, keeper_take_release(p), AV_ERATE, "rate_limit");
	assert_int_equal(agent_answer(p, other), 429);
	agent_send(other, GET_ITEM);
	judge_answer(p, judge_take_ask(p, NULL), VERDICT_DENY, "policy_denied", false);
	assert_int_equal(agent_answer(p, other), 403);
	close(other);
}

static void
test_fault_of_the_keeper_is_the_answer(void **state)
{
	struct peers *p = *state;
	int fd = agent_connect(p);

	agent_send(fd, GET_ITEM);
	keeper_answer_fault(p, keeper_take_resolve(p), AV_ENOCAP, "capability");
	assert_int_equal(agent_answer(p, fd), 404);
	keeper_expect_denied(p, "capability", 404);
	agent_send(fd, GET_ITEM);
	keeper_answer_resolved(p, keeper_take_resolve(p), 1, INSPECT_NONE);
	judge_answer(p, judge_take_ask(p, NULL), VERDICT_ALLOW, "", false);
	keeper_answer_fault(p, keeper_take_release(p), AV_EAUDIT, "audit");
	assert_int_equal(agent_answer(p, fd), 503);
	agent_expect(p, "vault_unavailable");
	close(fd);
}

static void
test_released_call_always_has_an_outcome(void **state)
{
	struct peers *p = *state;
	int fd = agent_connect(p);

	agent_send(fd, GET_ITEM);
	keeper_answer_resolved(p, keeper_take_resolve(p), 1, INSPECT_NONE);
	judge_answer(p, judge_take_ask(p, NULL), VERDICT_ALLOW, "", false);
	keeper_answer_released(p, keeper_take_release(p), "canary-0123456789");
	/* .invalid never resolves (RFC 6761). */
	assert_int_equal(agent_answer(p, fd), 502);
	agent_expect(p, "upstream_unreachable");
	keeper_expect_outcome(p, "upstream_dns");
	/* A client that leaves between release and answer. */
	agent_send(fd, GET_ITEM);
	judge_answer(p, judge_take_ask(p, NULL), VERDICT_ALLOW, "", false);
	{
		uint64_t id = keeper_take_release(p);

		close(fd);
		/* Health on another connection: by then the broker has seen the close. */
		fd = agent_connect(p);
		agent_send(fd, "GET /aivault/health HTTP/1.1\r\nHost: a\r\n\r\n");
		assert_int_equal(agent_answer(p, fd), 200);
		keeper_answer_released(p, id, "canary-0123456789");
	}
	keeper_expect_outcome(p, "client_gone");
	close(fd);
}

static void
test_body_is_shown_to_the_judge_whole(void **state)
{
	struct peers *p = *state;
	int fd = agent_connect(p);
	struct buf body;

	buf_init(&body, JUDGE_BODY_MAX);
	agent_send(fd, POST_HEAD "Transfer-Encoding: chunked\r\n\r\n6\r\n{\"a\":1\r\n");
	keeper_answer_resolved(p, keeper_take_resolve(p), 1, INSPECT_JSON);
	agent_send(fd, "1\r\n}\r\n0\r\n\r\n");
	judge_answer(p, judge_take_ask(p, &body), VERDICT_DENY, "policy_denied", false);
	assert_string_equal(buf_cstr(&body), "{\"a\":1}");
	assert_int_equal(agent_answer(p, fd), 403);
	keeper_expect_denied(p, "policy_denied", 403);
	buf_clear(&body);
	close(fd);
}

static void
test_body_that_cannot_be_inspected_is_denied(void **state)
{
	struct peers *p = *state;
	int fd = agent_connect(p);

	agent_send(fd, POST_HEAD "Content-Length: 1048577\r\n\r\n");
	keeper_answer_resolved(p, keeper_take_resolve(p), 1, INSPECT_JSON);
	assert_int_equal(agent_answer(p, fd), 413);
	keeper_expect_denied(p, "body_too_big_to_inspect", 413);
	close(fd);
	fd = agent_connect(p);
	agent_send(fd, POST_HEAD "Content-Encoding: gzip\r\nContent-Length: 2\r\n\r\n{}");
	assert_int_equal(agent_answer(p, fd), 403);
	keeper_expect_denied(p, "body_encoded", 403);
	agent_send(fd, POST_HEAD "Content-Length: 2\r\n\r\n\xc0\x80");
	assert_int_equal(agent_answer(p, fd), 403);
	keeper_expect_denied(p, "body_not_utf8", 403);
	agent_send(fd, POST_HEAD "Content-Length: 3000001\r\nExpect: 100-continue\r\n\r\n");
	assert_int_equal(agent_answer(p, fd), 413);
	keeper_expect_denied(p, "request_too_big", 413);
	agent_expect_close(fd);
	close(fd);
}

static void
agent_send_envelope(int fd, const char *json)
{
	char text[4096];

	(void)snprintf(text, sizeof(text),
	    "POST /aivault/proxy HTTP/1.1\r\nHost: a\r\nContent-Length: %zu\r\n\r\n%s",
	    strlen(json), json);
	agent_send(fd, text);
}

static void
test_envelope_goes_the_same_way(void **state)
{
	struct peers *p = *state;
	int fd = agent_connect(p);
	struct buf body;

	buf_init(&body, JUDGE_BODY_MAX);
	/* Refused before anybody is asked; the connection stays. */
	agent_send_envelope(fd, "{\"capability\":\"acme/any\"}");
	assert_int_equal(agent_answer(p, fd), 400);
	agent_expect(p, "\"reason\":\"envelope_missing\"");
	/* Denied by C. */
	agent_send_envelope(fd,
	    "{\"capability\":\"acme/any\",\"request\":{\"method\":\"GET\","
	    "\"path\":\"/v2/item\"}}");
	keeper_answer_resolved(p, keeper_take_resolve(p), 1, INSPECT_JSON);
	assert_int_equal(agent_answer(p, fd), 403);
	keeper_expect_denied(p, "path_not_allowed", 403);
	/* Judged with its whole body, released, sent, told. */
	agent_send_envelope(fd,
	    "{\"capability\":\"acme/any\",\"request\":{\"method\":\"POST\","
	    "\"path\":\"/v1/item\",\"body\":\"{\\\"a\\\":1}\"}}");
	judge_answer(p, judge_take_ask(p, &body), VERDICT_ALLOW, "", false);
	assert_string_equal(buf_cstr(&body), "{\"a\":1}");
	keeper_answer_released(p, keeper_take_release(p), "canary-0123456789");
	assert_int_equal(agent_answer(p, fd), 502);
	keeper_expect_outcome(p, "upstream_dns");
	buf_clear(&body);
	close(fd);
}

static void
test_client_that_leaves_inside_an_envelope_harms_nobody(void **state)
{
	struct peers *p = *state;
	int fd = agent_connect(p);

	agent_send(
	    fd, "POST /aivault/proxy HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n{\"cap");
	close(fd);
	fd = agent_connect(p);
	agent_send(
	    fd, "POST /aivault/proxy HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz");
	assert_int_equal(agent_answer(p, fd), 400);
	agent_expect_close(fd);
	close(fd);
	fd = agent_connect(p);
	agent_send(fd, "GET /aivault/health HTTP/1.1\r\nHost: a\r\n\r\n");
	assert_int_equal(agent_answer(p, fd), 200);
	close(fd);
}

static void
test_silent_judge_denies_the_first_and_asks_the_others_again(void **state)
{
	struct peers *p = *state;
	int first = agent_connect(p), second = agent_connect(p);

	agent_send(first, GET_ITEM);
	keeper_answer_resolved(p, keeper_take_resolve(p), 1, INSPECT_NONE);
	(void)judge_take_ask(p, NULL);
	agent_send(second, GET_ITEM);
	(void)judge_take_ask(p, NULL);
	peers_expect_tag(p, CONTROL_JUDGE_SILENT);
	assert_int_equal(agent_answer(p, first), 403);
	agent_expect(p, "\"reason\":\"policy_timeout\"");
	keeper_expect_denied(p, "policy_timeout", 403);
	peers_new_judge(p);
	judge_answer(p, judge_take_ask(p, NULL), VERDICT_DENY, "policy_denied", false);
	assert_int_equal(agent_answer(p, second), 403);
	keeper_expect_denied(p, "policy_denied", 403);
	close(first);
	close(second);
}

static void
test_crashed_judge_denies_the_first_and_asks_the_others_once_more(void **state)
{
	struct peers *p = *state;
	int first = agent_connect(p), second = agent_connect(p), third = agent_connect(p);

	agent_send(first, GET_ITEM);
	keeper_answer_resolved(p, keeper_take_resolve(p), 1, INSPECT_NONE);
	(void)judge_take_ask(p, NULL);
	agent_send(second, GET_ITEM);
	(void)judge_take_ask(p, NULL);
	agent_send(third, GET_ITEM);
	(void)judge_take_ask(p, NULL);
	peers_new_judge(p); /* closes the old one first */
	(void)judge_take_ask(p, NULL);
	(void)judge_take_ask(p, NULL);
	assert_int_equal(agent_answer(p, first), 403);
	agent_expect(p, "\"reason\":\"policy_crash\"");
	keeper_expect_denied(p, "policy_crash", 403);
	/* It dies over the second too: the third had its second chance. */
	peers_new_judge(p);
	assert_int_equal(agent_answer(p, second), 403);
	keeper_expect_denied(p, "policy_crash", 403);
	assert_int_equal(agent_answer(p, third), 503);
	agent_expect(p, "\"reason\":\"policy_unavailable\"");
	keeper_expect_denied(p, "policy_unavailable", 503);
	close(first);
	close(second);
	close(third);
}

static void
test_verdict_for_another_question_counts_for_none(void **state)
{
	struct peers *p = *state;
	int fd = agent_connect(p);

	agent_send(fd, GET_ITEM);
	keeper_answer_resolved(p, keeper_take_resolve(p), 1, INSPECT_NONE);
	judge_answer(p, judge_take_ask(p, NULL) + 1, VERDICT_ALLOW, "", false);
	assert_int_equal(agent_answer(p, fd), 403);
	keeper_expect_denied(p, "policy_crash", 403);
	close(fd);
}

static void
test_script_that_keeps_hitting_limits_is_suspended(void **state)
{
	struct peers *p = *state;
	int fd = agent_connect(p), i;

	for (i = 0; i < 3; i++) {
		agent_send(fd, GET_ITEM);
		if (i == 0)
			keeper_answer_resolved(p, keeper_take_resolve(p), 1, INSPECT_NONE);
		judge_answer(p, judge_take_ask(p, NULL), VERDICT_DENY, "policy_memory", true);
		assert_int_equal(agent_answer(p, fd), 403);
		keeper_expect_denied(p, "policy_memory", 403);
	}
	agent_send(fd, GET_ITEM);
	assert_int_equal(agent_answer(p, fd), 403);
	keeper_expect_denied(p, "policy_suspended", 403);
	close(fd);
}

static void
test_locked_vault_and_lost_keeper_have_their_own_errors(void **state)
{
	struct peers *p = *state;
	int fd = agent_connect(p);

	peers_send_state(p, 2, true);
	do {
		agent_send(fd, "GET /aivault/health HTTP/1.1\r\nHost: a\r\n\r\n");
		assert_int_equal(agent_answer(p, fd), 200);
	} while (strstr(buf_cstr(&p->agent_in), "\"locked\":true") == NULL);
	agent_send(fd, GET_ITEM);
	assert_int_equal(agent_answer(p, fd), 423);
	keeper_expect_denied(p, "vault_locked", 423);
	peers_new_keeper(p);
	peers_send_state(p, 2, false);
	do {
		agent_send(fd, "GET /aivault/health HTTP/1.1\r\nHost: a\r\n\r\n");
		assert_int_equal(agent_answer(p, fd), 200);
	} while (strstr(buf_cstr(&p->agent_in), "\"locked\":false") == NULL);
	agent_send(fd, GET_ITEM);
	(void)keeper_take_resolve(p);
	peers_new_keeper(p);
	assert_int_equal(agent_answer(p, fd), 503);
	agent_expect(p, "\"reason\":\"keeper_unavailable\"");
	close(fd);
}

static void
test_connections_of_one_caller_are_limited(void **state)
{
	struct peers *p = *state;
	int fds[4], extra;
	size_t i;

	for (i = 0; i < 4; i++) {
		fds[i] = agent_connect(p);
		agent_send(fds[i], "GET /aivault/health HTTP/1.1\r\nHost: a\r\n\r\n");
		assert_int_equal(agent_answer(p, fds[i]), 200);
	}
	extra = agent_connect(p);
	assert_int_equal(agent_answer(p, extra), 429);
	agent_expect(p, "\"reason\":\"caller_connection_limit\"");
	agent_expect(p, "Retry-After: ");
	close(extra);
	for (i = 0; i < 4; i++)
		close(fds[i]);
}

static void
test_pipelined_requests_are_answered_in_order(void **state)
{
	struct peers *p = *state;
	int fd = agent_connect(p);

	agent_send(fd, GET_ITEM "GET /aivault/health HTTP/1.1\r\nHost: a\r\n\r\n");
	keeper_answer_resolved(p, keeper_take_resolve(p), 1, INSPECT_NONE);
	judge_answer(p, judge_take_ask(p, NULL), VERDICT_DENY, "policy_denied", false);
	assert_int_equal(agent_answer(p, fd), 403);
	keeper_expect_denied(p, "policy_denied", 403);
	/* The second answer may have come along with the first. */
	if (strstr(buf_cstr(&p->agent_in), "\"ok\":true") == NULL) {
		assert_int_equal(agent_answer(p, fd), 200);
		agent_expect(p, "\"ok\":true");
	}
	close(fd);
}

static void
test_stop_waits_for_running_calls(void **state)
{
	struct peers *p = *state;
	int fd = agent_connect(p);

	agent_send(fd, GET_ITEM);
	keeper_answer_resolved(p, keeper_take_resolve(p), 1, INSPECT_NONE);
	{
		uint64_t id = judge_take_ask(p, NULL);

		assert_int_equal(io_send_fds(p->control, CONTROL_STOP, NULL, 0), AV_OK);
		judge_answer(p, id, VERDICT_DENY, "policy_denied", false);
	}
	assert_int_equal(agent_answer(p, fd), 403);
	keeper_expect_denied(p, "policy_denied", 403);
	agent_expect_close(fd);
	close(fd);
}

#define PROMISE(f) cmocka_unit_test_setup_teardown(f, start, stop)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    PROMISE(test_health_answers_without_a_call),
	    PROMISE(test_malformed_request_is_answered_and_closed),
	    PROMISE(test_denied_by_reach_asks_no_judge),
	    PROMISE(test_verdict_of_the_judge_is_the_answer),
	    PROMISE(test_charges_of_what_went_no_further_are_given_back),
	    PROMISE(test_fault_of_the_keeper_is_the_answer),
	    PROMISE(test_released_call_always_has_an_outcome),
	    PROMISE(test_body_is_shown_to_the_judge_whole),
	    PROMISE(test_body_that_cannot_be_inspected_is_denied),
	    PROMISE(test_envelope_goes_the_same_way),
	    PROMISE(test_client_that_leaves_inside_an_envelope_harms_nobody),
	    PROMISE(test_silent_judge_denies_the_first_and_asks_the_others_again),
	    PROMISE(test_crashed_judge_denies_the_first_and_asks_the_others_once_more),
	    PROMISE(test_verdict_for_another_question_counts_for_none),
	    PROMISE(test_script_that_keeps_hitting_limits_is_suspended),
	    PROMISE(test_locked_vault_and_lost_keeper_have_their_own_errors),
	    PROMISE(test_connections_of_one_caller_are_limited),
	    PROMISE(test_pipelined_requests_are_answered_in_order),
	    PROMISE(test_stop_waits_for_running_calls),
	};

	(void)signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
