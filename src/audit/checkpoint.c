/* SPDX-License-Identifier: Apache-2.0 */
#include "audit/checkpoint.h"

#include "audit/checkpoint_rows.h"
#include "base/clock.h"

#include <sodium.h>
#include <string.h>

#define PURPOSE "aivault:checkpoint:1"
#define PURPOSE_LEN (sizeof(PURPOSE) - 1)
#define MESSAGE_LEN (PURPOSE_LEN + 16 + CHAIN_HASH_LEN)

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

struct check {
	const struct audit_log *log;
	const uint8_t *pk;
	struct checkpoint_report *report;
	const char *problem; /* for what does not fit */
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
check_one(struct check *k, const struct checkpoint *c)
{
	sqlite3_stmt *st = NULL;
	bool row = false, same = false;
	if (!signature_fits(c, k->pk)) {
		complain(k, c->event_id, k->problem);
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
		complain(k, c->event_id, k->problem);
	else if (e == AV_OK && c->event_id > k->report->signed_id)
		k->report->signed_id = c->event_id;
	return e;
}

static enum av_err
check_line(void *ctx, const struct checkpoint *c)
{
	struct check *k = ctx;
	k->report->logged++;
	return check_one(k, c);
}

static enum av_err
check_row(void *ctx, const struct checkpoint *c)
{
	struct check *k = ctx;
	k->report->count++;
	return check_one(k, c);
}

enum av_err
checkpoint_verify(const struct audit_log *l, const uint8_t pk[VAULT_PUBLIC_KEY_LEN],
    struct checkpoint_report *out)
{
	struct check k = {.log = l, .pk = pk, .report = out, .problem = "checkpoint"};
	memset(out, 0, sizeof(*out));
	enum av_err e = checkpoint_rows(l->store, 0, check_row, &k);
	if (e != AV_OK || l->in_memory)
		return e;
	k.problem = "checkpoints_log";
	e = checkpoint_log_read(l->checkpoints_path, check_line, &k, &out->torn);
	if (e == AV_ENOTFOUND) {
		if (out->count > 0)
			complain(&k, 0, "checkpoints_log_missing");
		return AV_OK;
	}
	return e;
}
