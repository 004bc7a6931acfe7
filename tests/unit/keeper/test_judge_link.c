/* SPDX-License-Identifier: Apache-2.0 */
/* What the judge is told of the counters, and when. */
#include "house.h"

#include "keeper/judge_link.h"

#define KEY "acme/chat|rate_limit|set|all"

/* The next frame of the judge's end; 0 in `type` when there is none. */
static struct frame
next(int fd, struct buf *in, size_t *used)
{
	struct frame f = {0};
	size_t n = 0;
	bool again = false;
	buf_consume(in, *used);
	*used = 0;
	assert_int_equal(io_read_some(fd, in, 65536, &n, &again), AV_OK);
	if (frame_parse(in->data, in->len, &f, used) != AV_OK)
		f.type = 0;
	return f;
}

static int
connect_judge(struct house *h)
{
	int pair[2];
	assert_int_equal(io_socketpair(pair), AV_OK);
	assert_int_equal(io_set_nonblock(pair[0], true), AV_OK);
	judge_link_use(&h->k, pair[1]);
	return pair[0];
}

static uint16_t
release(struct house *h, struct charge *charges, size_t count)
{
	struct keeper_release ask = house_ask("acme/chat", "POST", "api.acme.test", "/v1/chat");
	struct buf out;
	struct frame f;
	ask.charges = charges;
	ask.charge_count = count;
	uint16_t type = house_release(h, &ask, &out, &f);
	buf_clear(&out);
	return type;
}

static void
test_new_judge_is_told_what_is_counted(void **state)
{
	struct house *h = *state;
	struct charge c = {STR_LIT("rate_limit"), STR_LIT(KEY), 1, 5, 60};
	struct counts_fill m;
	struct buf in;
	size_t used = 0;
	buf_init(&in, 65536);
	house_store_key(h);
	assert_int_equal(release(h, &c, 1), KEEPER_RELEASED);
	assert_int_equal(release(h, &c, 1), KEEPER_RELEASED);
	int fd = connect_judge(h);
	struct frame f = next(fd, &in, &used);
	assert_int_equal(f.type, COUNTS_CLEAR);
	f = next(fd, &in, &used);
	assert_int_equal(f.type, COUNTS_FILL);
	assert_int_equal(counts_fill_decode(&f, &m), AV_OK);
	assert_true(str_eq_cstr(m.key, KEY));
	assert_int_equal(m.window_s, 60);
	uint64_t sum = 0;
	for (size_t i = 0; i < m.step_count; i++)
		sum += m.steps[i].n;
	assert_int_equal(sum, 2);
	/* Released calls are not told again: the judge has counted them itself. */
	assert_int_equal(release(h, &c, 1), KEEPER_RELEASED);
	assert_int_equal(next(fd, &in, &used).type, 0);
	close(fd);
	buf_clear(&in);
}

static void
assert_refund(int fd, struct buf *in, size_t *used)
{
	struct counts_refund m;
	struct frame f = next(fd, in, used);
	assert_int_equal(f.type, COUNTS_REFUND);
	assert_int_equal(counts_refund_decode(&f, &m), AV_OK);
	assert_int_equal(m.charge_count, 1);
	assert_true(str_eq_cstr(m.charges[0].key, KEY));
	assert_int_equal(m.charges[0].n, 1);
	counts_refund_clear(&m);
}

static void
test_refused_call_is_refunded(void **state)
{
	struct house *h = *state;
	struct charge c = {STR_LIT("rate_limit"), STR_LIT(KEY), 1, 1, 60};
	struct buf in;
	size_t used = 0;
	buf_init(&in, 65536);
	house_store_key(h);
	int fd = connect_judge(h);
	assert_int_equal(next(fd, &in, &used).type, COUNTS_CLEAR);
	assert_int_equal(release(h, &c, 1), KEEPER_RELEASED);
	assert_int_equal(next(fd, &in, &used).type, 0);
	/* Over the limit. */
	assert_int_equal(release(h, &c, 1), KEEPER_FAULT);
	assert_refund(fd, &in, &used);
	assert_int_equal(next(fd, &in, &used).type, 0);
	close(fd);
	/* Nobody there to tell: nothing comes of it. */
	assert_int_equal(release(h, &c, 1), KEEPER_FAULT);
	buf_clear(&in);
}

static void
test_call_whose_row_cannot_be_written_is_refunded(void **state)
{
	struct house *h = *state;
	struct charge c = {STR_LIT("rate_limit"), STR_LIT(KEY), 1, 9, 60};
	struct buf in;
	size_t used = 0;
	buf_init(&in, 65536);
	house_store_key(h);
	house_tamper(h,
	    "CREATE TRIGGER t BEFORE INSERT ON audit_events WHEN NEW.kind = 'invoke.allow' "
	    "BEGIN SELECT RAISE(ABORT, 'disk full'); END;");
	int fd = connect_judge(h);
	assert_int_equal(next(fd, &in, &used).type, COUNTS_CLEAR);
	assert_int_equal(release(h, &c, 1), KEEPER_FAULT);
	assert_refund(fd, &in, &used);
	assert_int_equal(next(fd, &in, &used).type, 0);
	close(fd);
	buf_clear(&in);
}

int
main(void)
{
#define LINK_TEST(t) cmocka_unit_test_setup_teardown(t, house_open, house_close)
	const struct CMUnitTest tests[] = {
	    LINK_TEST(test_new_judge_is_told_what_is_counted),
	    LINK_TEST(test_refused_call_is_refunded),
	    LINK_TEST(test_call_whose_row_cannot_be_written_is_refunded),
	};
	if (box_init() != AV_OK)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
