/* SPDX-License-Identifier: Apache-2.0 */
#include "audit/checkpoint.h"

#include "audit/checkpoint_rows.h"
#include "base/clock.h"
#include "base/io.h"

#include <fcntl.h>
#include <sodium.h>
#include <string.h>

#define PURPOSE "aivault:checkpoint:1"
#define PURPOSE_LEN (sizeof(PURPOSE) - 1)
#define MESSAGE_LEN (PURPOSE_LEN + 16 + CHAIN_HASH_LEN)
/* In the meta table: the first checkpoint that must have a line. Vaults of before there were lines get
 * it with their next one. */
#define META_LOGGED_FROM "checkpoints_logged_from"

static void
put_i64(uint8_t *to, int64_t v)
{
	for (size_t i = 0; i < 8; i++)
		to[i] = (uint8_t)((uint64_t)v >> (8 * i));
}

static void
make_message(int64_t event_id, int64_t ts_ms, const void *hash, uint8_t out[MESSAGE_LEN])
{
	memcpy(out, PURPOSE, PURPOSE_LEN);
	put_i64(out + PURPOSE_LEN, event_id);
	put_i64(out + PURPOSE_LEN + 8, ts_ms);
	memcpy(out + PURPOSE_LEN + 16, hash, CHAIN_HASH_LEN);
}

static bool
signature_fits(const struct checkpoint *c, const uint8_t pk[VAULT_PUBLIC_KEY_LEN])
{
	uint8_t message[MESSAGE_LEN];
	make_message(c->event_id, c->ts_ms, c->hash, message);
	return crypto_sign_verify_detached(c->signature, message, sizeof(message), pk) == 0;
}

/* 0: none must have one. */
static enum av_err
logged_from(const struct audit_log *l, int64_t *id)
{
	*id = 0;
	if (l->in_memory)
		return AV_OK;
	enum av_err e = store_meta_get_int(l->store, META_LOGGED_FROM, id);
	return e == AV_ENOTFOUND ? AV_OK : e;
}

/* The file is there, empty, before a line of it is missed: a crash does not take it away. */
static enum av_err
expect_lines(struct audit_log *l, int64_t id)
{
	int64_t from = 0;
	enum av_err e = logged_from(l, &from);
	if (e != AV_OK || from > 0 || l->in_memory)
		return e;
	e = io_create_file(AT_FDCWD, l->checkpoints_path, 0600, "", 0);
	if (e != AV_OK && e != AV_EEXISTS)
		return AV_OK; /* the line will fail too, and say so */
	return store_meta_put_int(l->store, META_LOGGED_FROM, id);
}

enum av_err
checkpoint_add(struct vault *v, struct audit_log *l)
{
	struct checkpoint c = {.event_id = l->last_id, .ts_ms = clock_wall_ms()};
	uint8_t message[MESSAGE_LEN];
	sqlite3_stmt *st = NULL;
	if (l->last_id == 0)
		return AV_OK;
	memcpy(c.hash, l->last_hash, sizeof(c.hash));
	make_message(c.event_id, c.ts_ms, c.hash, message);
	enum av_err e =
	    vault_sign(v, (struct str){(const char *)message, sizeof(message)}, c.signature);
	if (e == AV_OK)
		e = checkpoint_last_id(v->store, &c.id);
	c.id++;
	if (e == AV_OK)
		e = expect_lines(l, c.id);
	if (e == AV_OK)
		e = store_stmt(v->store,
		    "INSERT INTO checkpoints(id, event_id, ts_ms, hash, signature) VALUES(?, ?, ?, "
		    "?, ?)",
		    &st);
	if (e != AV_OK)
		return e;
	store_bind_int(st, 1, c.id);
	store_bind_int(st, 2, c.event_id);
	store_bind_int(st, 3, c.ts_ms);
	store_bind_blob(st, 4, c.hash, sizeof(c.hash));
	store_bind_blob(st, 5, c.signature, sizeof(c.signature));
	e = store_run(st);
	if (e == AV_OK) {
		l->fresh = c;
		l->has_fresh = true;
	}
	return e;
}

/* Rows and lines are walked side by side, both in the order of ids. */
struct check {
	const struct audit_log *log;
	const uint8_t *pk;
	struct checkpoint_report *report;
	sqlite3_stmt *rows;
	struct checkpoint row; /* the one whose line comes next */
	bool has_row;
	int64_t logged_from;
	uint64_t torn; /* as of the last line that could be read */
	const char *missing; /* NULL, or the problem of the first row without its line */
	int64_t missing_id;
};

static void
complain(struct check *k, int64_t id, const char *problem)
{
	if (k->report->problem == NULL) {
		k->report->problem = problem;
		k->report->first_bad_id = id;
	}
}

static enum av_err
check_one(struct check *k, const struct checkpoint *c, const char *problem)
{
	sqlite3_stmt *st = NULL;
	bool row = false, same = false;
	if (!signature_fits(c, k->pk)) {
		complain(k, c->event_id, problem);
		return AV_OK;
	}
	if (c->event_id > k->log->kept_id) {
		complain(k, k->log->kept_id + 1, "missing_tail");
		return AV_OK;
	}
	enum av_err e =
	    store_stmt(k->log->store, "SELECT hash FROM audit_events WHERE id = ?", &st);
	if (e != AV_OK)
		return e;
	store_bind_int(st, 1, c->event_id);
	e = store_step(st, &row);
	if (e == AV_OK && row)
		same = str_eq(
		    store_column(st, 0), (struct str){(const char *)c->hash, sizeof(c->hash)});
	store_done(st);
	if (e == AV_OK && !same)
		complain(k, c->event_id, problem);
	else if (e == AV_OK && c->event_id > k->report->signed_id)
		k->report->signed_id = c->event_id;
	return e;
}

static enum av_err
next_row(struct check *k)
{
	enum av_err e = checkpoint_rows_next(k->rows, &k->row, &k->has_row);
	if (e != AV_OK || !k->has_row)
		return e;
	k->report->count++;
	return check_one(k, &k->row, "checkpoint");
}

/* The row has no line. Some will still get theirs, and what a crash left between two lines may have been
 * those of more than one. */
static void
miss(struct check *k)
{
	const struct audit_log *l = k->log;
	bool expected = k->logged_from > 0 && k->row.id >= k->logged_from &&
	    (l->unlogged_id == 0 || k->row.id < l->unlogged_id);
	bool first = k->report->logged == 0;
	if (k->missing != NULL || !expected || (!first && k->torn != k->report->torn))
		return;
	k->missing = first ? "checkpoints_log_missing" : "checkpoints_log_gap";
	k->missing_id = k->row.event_id;
}

static enum av_err
miss_until(struct check *k, int64_t id)
{
	enum av_err e = AV_OK;
	while (e == AV_OK && k->has_row && k->row.id < id) {
		miss(k);
		e = next_row(k);
	}
	return e;
}

static bool
same(const struct checkpoint *a, const struct checkpoint *b)
{
	return a->id == b->id && a->event_id == b->event_id && a->ts_ms == b->ts_ms &&
	    memcmp(a->hash, b->hash, sizeof(a->hash)) == 0 &&
	    memcmp(a->signature, b->signature, sizeof(a->signature)) == 0;
}

static enum av_err
check_line(void *ctx, const struct checkpoint *c)
{
	struct check *k = ctx;
	enum av_err e = miss_until(k, c->id);
	k->report->logged++;
	k->torn = k->report->torn;
	if (e != AV_OK)
		return e;
	/* A signature takes longer to check than all the rest, and that of the row has been. */
	if (!k->has_row || !same(c, &k->row))
		e = check_one(k, c, "checkpoints_log");
	return e == AV_OK && k->has_row && k->row.id == c->id ? next_row(k) : e;
}

static enum av_err
check_all(struct check *k)
{
	enum av_err e = logged_from(k->log, &k->logged_from);
	if (e == AV_OK)
		e = checkpoint_rows_begin(k->log->store, 0, &k->rows);
	if (e == AV_OK)
		e = next_row(k);
	if (e == AV_OK && !k->log->in_memory)
		e = checkpoint_log_read(k->log->checkpoints_path, check_line, k, &k->report->torn);
	if (e == AV_OK || e == AV_ENOTFOUND)
		e = miss_until(k, INT64_MAX);
	store_done(k->rows);
	/* Last: another problem says more. */
	if (e == AV_OK && k->missing != NULL)
		complain(k, k->missing_id, k->missing);
	return e;
}

enum av_err
checkpoint_verify(const struct audit_log *l, const uint8_t pk[VAULT_PUBLIC_KEY_LEN],
    struct checkpoint_report *out)
{
	struct check k = {.log = l, .pk = pk, .report = out};
	memset(out, 0, sizeof(*out));
	return check_all(&k);
}
