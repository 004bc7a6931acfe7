/* SPDX-License-Identifier: Apache-2.0 */
#include "audit/checkpoint_rows.h"

#include <string.h>

enum av_err
checkpoint_rows_begin(struct store *s, int64_t first, sqlite3_stmt **rows)
{
	enum av_err e = store_stmt(s,
	    "SELECT id, event_id, ts_ms, hash, signature FROM checkpoints "
	    "WHERE id >= ? ORDER BY id",
	    rows);
	if (e == AV_OK)
		store_bind_int(*rows, 1, first);
	return e;
}

enum av_err
checkpoint_rows_next(sqlite3_stmt *rows, struct checkpoint *out, bool *more)
{
	enum av_err e = store_step(rows, more);
	memset(out, 0, sizeof(*out));
	if (e != AV_OK || !*more)
		return e;
	struct str hash = store_column(rows, 3), sig = store_column(rows, 4);
	out->id = sqlite3_column_int64(rows, 0);
	out->event_id = sqlite3_column_int64(rows, 1);
	out->ts_ms = sqlite3_column_int64(rows, 2);
	if (hash.len == sizeof(out->hash) && sig.len == sizeof(out->signature)) {
		memcpy(out->hash, hash.p, sizeof(out->hash));
		memcpy(out->signature, sig.p, sizeof(out->signature));
	}
	return AV_OK;
}

enum av_err
checkpoint_rows(struct store *s, int64_t first,
    enum av_err (*each)(void *ctx, const struct checkpoint *c), void *ctx)
{
	sqlite3_stmt *rows = NULL;
	struct checkpoint c;
	bool more = false;
	enum av_err e = checkpoint_rows_begin(s, first, &rows);
	while (e == AV_OK && (e = checkpoint_rows_next(rows, &c, &more)) == AV_OK && more)
		e = each(ctx, &c);
	store_done(rows);
	return e;
}

enum av_err
checkpoint_last_id(struct store *s, int64_t *out)
{
	sqlite3_stmt *st = NULL;
	bool row = false;
	enum av_err e = store_stmt(s, "SELECT COALESCE(MAX(id), 0) FROM checkpoints", &st);
	if (e == AV_OK)
		e = store_step(st, &row);
	if (e == AV_OK && row)
		*out = sqlite3_column_int64(st, 0);
	store_done(st);
	return e;
}
