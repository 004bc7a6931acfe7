/* SPDX-License-Identifier: Apache-2.0 */
#include "keeper/counters.h"

#include <string.h>

#define STEPS 60
#define WINDOW_MAX_S (366u * 86400u)
#define AMOUNT_MAX (1ull << 48)
#define KEY_MAX 512u

static int64_t
step_ms(const struct charge *c)
{
	int64_t ms = (int64_t)c->window_s * 1000 / STEPS;
	return ms < 1000 ? 1000 : ms;
}

/* Lengths first, so that no policy and key run together like another pair. */
static enum av_err
space_of(const struct charge *c, struct buf *out)
{
	if (c->window_s == 0 || c->window_s > WINDOW_MAX_S || c->n > AMOUNT_MAX ||
	    c->policy.len + c->key.len > KEY_MAX)
		return AV_EINVAL;
	return buf_appendf(out, "%zu:%.*s:%zu:%.*s:%u", c->policy.len, STR_FMT(c->policy),
	    c->key.len, STR_FMT(c->key), c->window_s);
}

/* A step that began at b has left when b + step <= now - window. */
static enum av_err
read_sum(struct store *s, const struct buf *space, const struct charge *c, int64_t now_ms,
    uint64_t *sum, int64_t *oldest, int64_t *newest)
{
	sqlite3_stmt *st = NULL;
	bool row = false;
	enum av_err e = store_stmt(s,
	    "SELECT COALESCE(SUM(n), 0), COALESCE(MIN(bucket_ms), 0), "
	    "COALESCE(MAX(bucket_ms), 0) FROM counters "
	    "WHERE space = ? AND bucket_ms > ?",
	    &st);
	if (e != AV_OK)
		return e;
	store_bind_text(st, 1, (struct str){(const char *)space->data, space->len});
	store_bind_int(st, 2, now_ms - (int64_t)c->window_s * 1000 - step_ms(c));
	e = store_step(st, &row);
	if (e == AV_OK && row) {
		*sum = (uint64_t)sqlite3_column_int64(st, 0);
		*oldest = sqlite3_column_int64(st, 1);
		*newest = sqlite3_column_int64(st, 2);
	}
	store_done(st);
	return e;
}

enum av_err
counters_get(struct store *s, const struct charge *c, int64_t now_ms, uint64_t *out)
{
	struct buf space;
	int64_t oldest = 0, newest = 0;
	*out = 0;
	buf_init(&space, 2 * KEY_MAX);
	enum av_err e = space_of(c, &space);
	if (e == AV_OK)
		e = read_sum(s, &space, c, now_ms, out, &oldest, &newest);
	buf_clear(&space);
	return e;
}

/* Adds n to the step of now_ms. */
static enum av_err
add_step(struct store *s, struct str key, const struct charge *c, int64_t now_ms, uint64_t n)
{
	sqlite3_stmt *st = NULL;
	enum av_err e = store_stmt(s,
	    "INSERT INTO counters(space, bucket_ms, n) VALUES(?, ?, ?) "
	    "ON CONFLICT(space, bucket_ms) DO UPDATE SET n = n + excluded.n",
	    &st);
	if (e != AV_OK)
		return e;
	store_bind_text(st, 1, key);
	store_bind_int(st, 2, now_ms - now_ms % step_ms(c));
	store_bind_int(st, 3, (int64_t)n);
	return store_run(st);
}

/* Steps that lie ahead were counted by a clock that has been put back since. They count on, as if of
 * now: nothing is forgotten, and nothing counts for longer than its window. */
static enum av_err
pull_back(struct store *s, struct str key, const struct charge *c, int64_t now_ms)
{
	sqlite3_stmt *st = NULL;
	bool row = false;
	uint64_t ahead = 0;
	enum av_err e = store_stmt(
	    s, "SELECT COALESCE(SUM(n), 0) FROM counters WHERE space = ? AND bucket_ms > ?", &st);
	if (e != AV_OK)
		return e;
	store_bind_text(st, 1, key);
	store_bind_int(st, 2, now_ms);
	e = store_step(st, &row);
	if (e == AV_OK && row)
		ahead = (uint64_t)sqlite3_column_int64(st, 0);
	store_done(st);
	if (e == AV_OK)
		e = store_stmt(s, "DELETE FROM counters WHERE space = ? AND bucket_ms > ?", &st);
	if (e != AV_OK)
		return e;
	store_bind_text(st, 1, key);
	store_bind_int(st, 2, now_ms);
	e = store_run(st);
	return e == AV_OK ? add_step(s, key, c, now_ms, ahead) : e;
}

/* What charges before this one take from the same counter. */
static uint64_t
taken_before(const struct charge *charges, size_t at)
{
	uint64_t sum = 0;
	for (size_t i = 0; i < at; i++)
		if (str_eq(charges[i].policy, charges[at].policy) &&
		    str_eq(charges[i].key, charges[at].key) &&
		    charges[i].window_s == charges[at].window_s)
			sum += charges[i].n;
	return sum;
}

static enum av_err
check_one(struct store *s, const struct charge *charges, size_t at, int64_t now_ms,
    uint32_t *retry_after, struct fault *f)
{
	const struct charge *c = &charges[at];
	struct buf space;
	uint64_t sum = 0;
	int64_t oldest = 0, newest = 0;
	buf_init(&space, 2 * KEY_MAX);
	enum av_err e = space_of(c, &space);
	if (e == AV_OK)
		e = read_sum(s, &space, c, now_ms, &sum, &oldest, &newest);
	if (e == AV_OK && newest > now_ms) {
		e = pull_back(s, (struct str){(const char *)space.data, space.len}, c, now_ms);
		oldest = oldest < now_ms ? oldest : now_ms - now_ms % step_ms(c);
	}
	buf_clear(&space);
	if (e != AV_OK)
		return fault_set(f, e, "counter_invalid", "", "a limit could not be checked");
	sum += taken_before(charges, at);
	if (c->n <= c->limit && sum <= c->limit - c->n)
		return AV_OK;
	int64_t wait = sum == 0 ? (int64_t)c->window_s * 1000
	                        : oldest + step_ms(c) + (int64_t)c->window_s * 1000 - now_ms;
	*retry_after = wait <= 1000 ? 1 : (uint32_t)((wait + 999) / 1000);
	return fault_set(f, AV_ERATE, "rate_limit", "Try again later",
	    "rate limit: %llu in %u seconds is used up", (unsigned long long)c->limit, c->window_s);
}

static enum av_err
take_one(struct store *s, const struct charge *c, int64_t now_ms)
{
	struct buf space;
	sqlite3_stmt *st = NULL;
	buf_init(&space, 2 * KEY_MAX);
	enum av_err e = space_of(c, &space);
	struct str key = {(const char *)space.data, space.len};
	if (e == AV_OK)
		e = store_stmt(s, "DELETE FROM counters WHERE space = ? AND bucket_ms <= ?", &st);
	if (e == AV_OK) {
		store_bind_text(st, 1, key);
		store_bind_int(st, 2, now_ms - (int64_t)c->window_s * 1000 - step_ms(c));
		e = store_run(st);
	}
	if (e == AV_OK)
		e = add_step(s, key, c, now_ms, c->n);
	buf_clear(&space);
	return e;
}

enum av_err
counters_charge(struct store *s, const struct charge *charges, size_t count, int64_t now_ms,
    uint32_t *retry_after, struct fault *f)
{
	enum av_err e = AV_OK;
	for (size_t i = 0; e == AV_OK && i < count; i++)
		e = check_one(s, charges, i, now_ms, retry_after, f);
	for (size_t i = 0; e == AV_OK && i < count; i++) {
		e = take_one(s, &charges[i], now_ms);
		if (e != AV_OK)
			fault_set(f, e, "counter_write", "", "a charge could not be written: %s",
			    store_message(s));
	}
	return e;
}

/* "<length>:<bytes>:" at the front of *rest. */
static bool
take_part(struct str *rest, struct str *part)
{
	struct str number;
	uint64_t len = 0;
	if (!str_cut(*rest, ':', &number, rest) || str_to_u64(number, 0, KEY_MAX, &len) != AV_OK ||
	    rest->len <= len || rest->p[len] != ':')
		return false;
	*part = (struct str){rest->p, (size_t)len};
	rest->p += len + 1;
	rest->len -= len + 1;
	return true;
}

/* What space_of() wrote; false: something else. */
static bool
read_space(struct str space, struct str *key, uint32_t *window_s)
{
	struct str policy, rest = space;
	uint64_t window = 0;
	if (!take_part(&rest, &policy) || !take_part(&rest, key) ||
	    str_to_u64(rest, 1, WINDOW_MAX_S, &window) != AV_OK)
		return false;
	*window_s = (uint32_t)window;
	return true;
}

struct walk {
	struct buf space; /* of `fill`, which borrows from it */
	struct counts_fill fill;
	bool known;
	int64_t now_ms;
	enum av_err (*each)(void *ctx, const struct counts_fill *m);
	void *ctx;
};

/* The counter that was being gathered is complete. */
static enum av_err
hand_out(struct walk *w)
{
	return w->known && w->fill.step_count > 0 ? w->each(w->ctx, &w->fill) : AV_OK;
}

static enum av_err
take_row(struct walk *w, struct str space, int64_t bucket_ms, uint64_t n)
{
	struct counts_fill *m = &w->fill;
	struct str held = {(const char *)w->space.data, w->space.len};
	if (held.len == 0 || !str_eq(space, held)) {
		enum av_err e = hand_out(w);
		buf_reset(&w->space);
		if (e == AV_OK)
			e = buf_append(&w->space, space.p, space.len);
		if (e != AV_OK)
			return e;
		held = (struct str){(const char *)w->space.data, w->space.len};
		m->step_count = 0;
		w->known = read_space(held, &m->key, &m->window_s);
	}
	if (!w->known || m->step_count == COUNTS_MAX_STEPS)
		return AV_OK;
	const struct charge c = {.window_s = m->window_s};
	if (bucket_ms > w->now_ms - (int64_t)m->window_s * 1000 - step_ms(&c))
		m->steps[m->step_count++] =
		    (struct counts_step){bucket_ms < w->now_ms ? bucket_ms : w->now_ms, n};
	return AV_OK;
}

enum av_err
counters_each(struct store *s, int64_t now_ms,
    enum av_err (*each)(void *ctx, const struct counts_fill *m), void *ctx)
{
	struct walk w = {.now_ms = now_ms, .each = each, .ctx = ctx};
	sqlite3_stmt *st = NULL;
	bool row = false;
	buf_init(&w.space, 2 * KEY_MAX);
	enum av_err e = store_stmt(
	    s, "SELECT space, bucket_ms, n FROM counters ORDER BY space, bucket_ms", &st);
	while (e == AV_OK && (e = store_step(st, &row)) == AV_OK && row)
		e = take_row(&w, store_column(st, 0), sqlite3_column_int64(st, 1),
		    (uint64_t)sqlite3_column_int64(st, 2));
	store_done(st);
	if (e == AV_OK)
		e = hand_out(&w);
	buf_clear(&w.space);
	return e;
}
