/* SPDX-License-Identifier: Apache-2.0 */
/* The line before the judge without the rest of the broker: what one user's calls do to another's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/io.h"
#include "broker/broker.h"
#include "broker/policy_client.h"
#include "wire/judge.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ANN 1000u
#define BEN 1001u
#define STRIKES 3 /* limits hit in a short time, after which a script rests */

struct line {
	struct broker b;
	struct policy_client *client;
	int judge; /* the other end, played by the test */
	struct buf in;
	unsigned answers;
	enum verdict_kind last;
};

static int
start(void **state)
{
	struct line *l = calloc(1, sizeof(*l));
	int pair[2];

	assert_non_null(l);
	assert_int_equal(uv_loop_init(&l->b.loop), 0);
	assert_int_equal(later_init(&l->b.later, &l->b.loop), 0);
	l->b.opt.judge_deadline_ms = 30000; /* never, unless something hangs */
	buf_init(&l->in, 2 * FRAME_MAX);
	assert_int_equal(policy_client_new(&l->b, &l->client), AV_OK);
	assert_int_equal(io_socketpair(pair), AV_OK);
	l->judge = pair[0];
	assert_int_equal(io_set_nonblock(pair[1], true), AV_OK);
	assert_int_equal(policy_client_use(l->client, pair[1]), AV_OK);
	*state = l;
	return 0;
}

static int
stop(void **state)
{
	struct line *l = *state;

	policy_client_free(l->client);
	(void)uv_run(&l->b.loop, UV_RUN_NOWAIT);
	later_close(&l->b.later);
	(void)uv_run(&l->b.loop, UV_RUN_NOWAIT);
	assert_int_equal(uv_loop_close(&l->b.loop), 0);
	close(l->judge);
	buf_clear(&l->in);
	free(l);
	return 0;
}

static void
on_verdict(void *ctx, const struct judge_verdict *v, const struct fault *f)
{
	struct line *l = ctx;

	assert_null(f);
	l->answers++;
	l->last = v->kind;
}

static enum av_err
ask(struct line *l, const char *provider, uint32_t uid, struct fault *f)
{
	struct judge_ask m = {
	    .now_ms = 1700000000000,
	    .provider = str_of(provider),
	    .capability = STR_LIT("acme/any"),
	    .credential = STR_LIT("acme"),
	    .method = STR_LIT("GET"),
	    .host = STR_LIT("api.acme.invalid"),
	    .path = STR_LIT("/v1/item"),
	    .caller = {.uid = uid},
	};

	return policy_client_ask(l->client, &m, (struct str){NULL, 0}, on_verdict, l, f);
}

/* Brings the question out of the broker, and the judge's answer in. */
static void
judge(struct line *l, enum verdict_kind kind, bool limit_hit)
{
	struct judge_verdict v = {.kind = kind, .limit_hit = limit_hit};
	struct judge_ask m;
	struct frame f;
	struct buf out;
	size_t used = 0, n = 0;
	unsigned before = l->answers;
	bool again = false;

	assert_int_equal(io_set_nonblock(l->judge, true), AV_OK);
	while (frame_parse(l->in.data, l->in.len, &f, &used) == AV_ETRUNC) {
		(void)uv_run(&l->b.loop, UV_RUN_NOWAIT);
		assert_int_equal(io_read_some(l->judge, &l->in, 65536, &n, &again), AV_OK);
	}
	assert_int_equal(judge_ask_decode(&f, &m), AV_OK);
	v.ask_id = m.ask_id;
	judge_ask_clear(&m);
	buf_consume(&l->in, used);
	v.reason = v.message = v.remedy = v.policy = STR_LIT("");
	v.max_request_bytes = v.max_response_bytes = UINT64_MAX;
	buf_init(&out, 65536);
	assert_int_equal(judge_verdict_encode(&v, &out), AV_OK);
	assert_int_equal(io_write_all(l->judge, out.data, out.len), AV_OK);
	buf_clear(&out);
	while (l->answers == before)
		(void)uv_run(&l->b.loop, UV_RUN_ONCE);
}

static void
expect_asked(struct line *l, const char *provider, uint32_t uid, bool limit_hit)
{
	enum verdict_kind kind = limit_hit ? VERDICT_DENY : VERDICT_ALLOW;
	struct fault f;

	assert_int_equal(ask(l, provider, uid, &f), AV_OK);
	judge(l, kind, limit_hit);
	assert_int_equal(l->last, kind);
}

static void
expect_suspended(struct line *l, const char *provider, uint32_t uid)
{
	struct fault f;
	unsigned before = l->answers;

	assert_int_equal(ask(l, provider, uid, &f), AV_EPOLICY);
	assert_string_equal(f.reason, "policy_suspended");
	assert_int_equal(l->answers, before);
}

static void
test_script_is_suspended_for_the_user_who_made_it_hit_its_limits(void **state)
{
	struct line *l = *state;

	for (int i = 0; i < STRIKES; i++)
		expect_asked(l, "acme", ANN, true);
	expect_suspended(l, "acme", ANN);
	expect_asked(l, "acme", BEN, false);
	expect_asked(l, "other", ANN, false);
	expect_suspended(l, "acme", ANN);
}

static void
test_strikes_of_two_users_do_not_add_up(void **state)
{
	struct line *l = *state;

	for (int i = 0; i < STRIKES - 1; i++) {
		expect_asked(l, "acme", ANN, true);
		expect_asked(l, "acme", BEN, true);
	}
	expect_asked(l, "acme", ANN, false);
	expect_asked(l, "acme", BEN, true);
	expect_suspended(l, "acme", BEN);
	expect_asked(l, "acme", ANN, false);
}

int
main(void)
{
#define LINE(f) cmocka_unit_test_setup_teardown(f, start, stop)
	const struct CMUnitTest tests[] = {
	    LINE(test_script_is_suspended_for_the_user_who_made_it_hit_its_limits),
	    LINE(test_strikes_of_two_users_do_not_add_up),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
