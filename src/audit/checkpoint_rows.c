/* SPDX-License-Identifier: Apache-2.0 */
#include "audit/checkpoint_rows.h"

#include <string.h>

enum av_err
checkpoint_rows(struct store *s, int64_t first,
    enum av_err (*each)(void *ctx, const struct checkpoint *c), void *ctx)
{
	sqlite3_stmt *st = NULL;
	bool more = false;
	enum av_err e = store_stmt(s,
	    "SELECT id, event_id, ts_ms, hash, signature FROM checkpoints "
	    "WHERE id >= ? ORDER BY id",
	    &st);
	if (e == AV_OK)
		store_bind_int(st, 1, first);
	while (e == AV_OK && (e = store_step(st, &more)) == AV_OK && more) {
		struct checkpoint c = {.id = sqlite3_column_int64(st, 0),
		    .event_id = sqlite3_column_int64(st, 1),
		    .ts_ms = sqlite3_column_int64(st, 2)};
		struct str hash = store_column(st, 3), sig = store_column(st, 4);
		if (hash.len == sizeof(c.hash) && sig.len == sizeof(c.signature)) {
			memcpy(c.hash, hash.p, sizeof(c.hash));
			memcpy(c.signature, sig.p, sizeof(c.signature));
		}
		e = each(ctx, &c);
	}
	store_done(st);
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
