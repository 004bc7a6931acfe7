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
	return buf_appendf(out, "%zu:%.*s:%zu:%.*s:%u", c->policy.len, STR_FMT(c->policy), c->key.len,
	    STR_FMT(c->key), c->window_s);
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
	store_bind_text(st, 1, (struct str){ (const char *)space->data, space->len });
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
	enum av_err e = store_stmt(s,
	    "SELECT COALESCE(SUM(n), 0) FROM counters WHERE space = ? AND bucket_ms > ?", &st);
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
		e = pull_back(s, (struct str){ (const char *)space.data, space.len }, c, now_ms);
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
	struct str key = { (const char *)space.data, space.len };
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
