/* SPDX-License-Identifier: Apache-2.0 */
#include "audit/last_used.h"

#include <string.h>

#define STEP_MS 1000

enum av_err
last_used_write(struct last_used *u, struct store *s)
{
	sqlite3_stmt *st = NULL;
	enum av_err e;

	if (!u->waits)
		return AV_OK;
	e = store_stmt(s,
	    "INSERT INTO secret_used(id, ts_ms) VALUES(?, ?) "
	    "ON CONFLICT(id) DO UPDATE SET ts_ms = excluded.ts_ms",
	    &st);
	if (e != AV_OK)
		return e;
	store_bind_text(st, 1, str_of(u->secret_id));
	store_bind_int(st, 2, u->ts_ms);
	e = store_run(st);
	u->waits = false;
	return e;
}

void
last_used_forget(struct last_used *u)
{
	*u = (struct last_used){0};
}

enum av_err
last_used_note(struct last_used *u, struct store *s, struct str secret_id, int64_t ts_ms)
{
	enum av_err e = AV_OK;

	if (secret_id.len == 0 || secret_id.len > LAST_USED_ID_MAX)
		return AV_OK;
	ts_ms -= ts_ms % STEP_MS;
	if (!str_eq_cstr(secret_id, u->secret_id)) {
		e = last_used_write(u, s);
		memcpy(u->secret_id, secret_id.p, secret_id.len);
		u->secret_id[secret_id.len] = '\0';
		u->waits = true;
	}
	u->waits = u->waits || u->ts_ms != ts_ms;
	u->ts_ms = ts_ms;
	return e;
}

enum av_err
last_used_read(struct store *s, struct str secret_id, int64_t *out)
{
	sqlite3_stmt *st = NULL;
	bool row = false;
	enum av_err e = store_stmt(s, "SELECT ts_ms FROM secret_used WHERE id = ?", &st);

	*out = 0;
	if (e != AV_OK)
		return e;
	store_bind_text(st, 1, secret_id);
	e = store_step(st, &row);
	if (e == AV_OK && row)
		*out = sqlite3_column_int64(st, 0);
	store_done(st);
	return e;
}
