/* SPDX-License-Identifier: Apache-2.0 */
#include "vault/store.h"

enum av_err
store_meta_get(struct store *s, const char *key, struct buf *out)
{
	sqlite3_stmt *st = NULL;
	bool row = false;
	enum av_err e = store_stmt(s, "SELECT value FROM meta WHERE key = ?", &st);
	if (e != AV_OK)
		return e;
	store_bind_text(st, 1, str_of(key));
	e = store_step(st, &row);
	if (e == AV_OK && !row)
		e = AV_ENOTFOUND;
	if (e == AV_OK) {
		struct str v = store_column(st, 0);
		e = buf_append(out, v.p, v.len);
	}
	store_done(st);
	return e;
}

static const char PUT_META[] = "INSERT INTO meta(key, value) VALUES(?, ?) "
                               "ON CONFLICT(key) DO UPDATE SET value = excluded.value";

enum av_err
store_meta_put(struct store *s, const char *key, struct str value)
{
	sqlite3_stmt *st = NULL;
	enum av_err e = store_stmt(s, PUT_META, &st);
	if (e != AV_OK)
		return e;
	store_bind_text(st, 1, str_of(key));
	store_bind_blob(st, 2, value.p, value.len);
	return store_run(st);
}

enum av_err
store_meta_get_int(struct store *s, const char *key, int64_t *out)
{
	sqlite3_stmt *st = NULL;
	bool row = false;
	enum av_err e = store_stmt(s, "SELECT CAST(value AS INTEGER) FROM meta WHERE key = ?", &st);
	if (e != AV_OK)
		return e;
	store_bind_text(st, 1, str_of(key));
	e = store_step(st, &row);
	if (e == AV_OK && !row)
		e = AV_ENOTFOUND;
	if (e == AV_OK)
		*out = sqlite3_column_int64(st, 0);
	store_done(st);
	return e;
}

enum av_err
store_meta_put_int(struct store *s, const char *key, int64_t value)
{
	sqlite3_stmt *st = NULL;
	enum av_err e = store_stmt(s, PUT_META, &st);
	if (e != AV_OK)
		return e;
	store_bind_text(st, 1, str_of(key));
	store_bind_int(st, 2, value);
	return store_run(st);
}
