/* SPDX-License-Identifier: Apache-2.0 */
#include "audit/query.h"

#include "wire/operator.h"

#include <string.h>

/* The most one event takes, every text at its limit and quoted. */
#define EVENT_ROOM (32u * 1024u)

void
audit_put_text(struct buf *b, struct str s)
{
	buf_append_byte(b, '"');
	for (size_t i = 0; i < s.len; i++) {
		unsigned char c = (unsigned char)s.p[i];
		if (c == '"' || c == '\\') {
			buf_append_byte(b, '\\');
			buf_append_byte(b, c);
		} else if (c < 0x20 || c > 0x7e) {
			buf_appendf(b, "\\u%04x", c);
		} else {
			buf_append_byte(b, c);
		}
	}
	buf_append_byte(b, '"');
}

/* One key; empty texts are left out unless `always`. */
static void
put_key(struct buf *b, const char *key, struct str value, bool always)
{
	if (value.len == 0 && !always)
		return;
	buf_appendf(b, ",\"%s\":", key);
	audit_put_text(b, value);
}

static void
put_number(struct buf *b, const char *key, sqlite3_stmt *st, int at)
{
	if (sqlite3_column_type(st, at) != SQLITE_NULL)
		buf_appendf(b, ",\"%s\":%lld", key, (long long)sqlite3_column_int64(st, at));
}

/* The first comparison is the one that the index answers (schema.c). */
#define SAME_REQUEST(t)                                                                       \
	"substr(" t ".request_id, 1, 16) = substr(e.request_id, 1, 16) AND " t ".request_id " \
	"= e.request_id AND " t ".request_id <> '' "

static const char SELECT[] =
    "SELECT e.id, e.ts_ms, e.kind, e.request_id, e.actor, e.caller_uid, e.caller_pid, "
    "e.caller_user, e.caller_program, e.caller_token, e.capability, e.credential, e.host, "
    "e.method, "
    "e.path, e.decision, CASE WHEN e.reason = '' THEN COALESCE(o.reason, '') ELSE e.reason END, "
    "e.policy, COALESCE(o.status, e.status), COALESCE(o.request_bytes, e.request_bytes), "
    "COALESCE(o.response_bytes, e.response_bytes), COALESCE(o.duration_ms, e.duration_ms), "
    "e.secret_id, e.scope, e.note, e.repeats, e.hash "
    "FROM audit_events e LEFT JOIN audit_events o ON e.kind = 'invoke.allow' "
    "AND o.kind = 'invoke.outcome' AND " SAME_REQUEST(
        "o") "WHERE (e.kind <> 'invoke.outcome' OR NOT EXISTS(SELECT 1 FROM audit_events a "
             "WHERE a.kind = 'invoke.allow' AND " SAME_REQUEST(
                 "a") ")) "
                      "AND (?1 = 0 OR e.ts_ms < ?1) AND (?2 = 0 OR e.ts_ms >= ?2) AND (?3 = 0 OR "
                      "e.ts_ms <= ?3) "
                      "AND (?4 = '' OR e.capability = ?4) AND (?5 = '' OR e.kind = ?5) "
                      "AND (?6 = '' OR e.decision = ?6) AND (?7 = '' OR e.caller_user = ?7) "
                      "AND e.id < ?9 GROUP BY e.id ORDER BY e.id DESC LIMIT ?8";

static void
put_caller(struct buf *b, sqlite3_stmt *st)
{
	if (sqlite3_column_type(st, 5) == SQLITE_NULL)
		return;
	buf_appendf(b, ",\"caller\":{\"uid\":%lld", (long long)sqlite3_column_int64(st, 5));
	put_number(b, "pid", st, 6);
	put_key(b, "user", store_column(st, 7), true);
	put_key(b, "program", store_column(st, 8), false);
	put_key(b, "token", store_column(st, 9), false);
	buf_append_byte(b, '}');
}

static void
put_event(struct buf *b, sqlite3_stmt *st)
{
	char hex[65] = "";
	struct str hash = store_column(st, 26);
	if (hash.len == 32)
		hex_encode(hash.p, hash.len, hex);
	buf_appendf(b, "{\"tsMs\":%lld", (long long)sqlite3_column_int64(st, 1));
	put_key(b, "kind", store_column(st, 2), true);
	buf_appendf(b, ",\"id\":%lld", (long long)sqlite3_column_int64(st, 0));
	put_key(b, "secretId", store_column(st, 22), false);
	put_key(b, "scope", store_column(st, 23), false);
	put_key(b, "actor", store_column(st, 4), true);
	put_key(b, "requestId", store_column(st, 3), false);
	put_caller(b, st);
	put_key(b, "capability", store_column(st, 10), false);
	put_key(b, "credential", store_column(st, 11), false);
	put_key(b, "consumer", store_column(st, 11), false);
	put_key(b, "host", store_column(st, 12), false);
	put_key(b, "method", store_column(st, 13), false);
	put_key(b, "path", store_column(st, 14), false);
	put_key(b, "decision", store_column(st, 15), false);
	put_key(b, "reason", store_column(st, 16), false);
	put_key(b, "policy", store_column(st, 17), false);
	put_number(b, "status", st, 18);
	put_number(b, "requestBytes", st, 19);
	put_number(b, "responseBytes", st, 20);
	put_number(b, "durationMs", st, 21);
	if (sqlite3_column_int64(st, 25) > 1)
		put_number(b, "count", st, 25);
	put_key(b, "note", store_column(st, 24), false);
	put_key(b, "hash", str_of(hex), false);
	buf_append_byte(b, '}');
}

#define ROW_FILTER                                                                        \
	"(?1 = 0 OR ts_ms < ?1) AND (?2 = 0 OR ts_ms >= ?2) AND (?3 = 0 OR ts_ms <= ?3) " \
	"AND (?4 = '' OR capability = ?4) AND (?5 = '' OR kind = ?5) "                    \
	"AND (?6 = '' OR decision = ?6) AND (?7 = '' OR caller_user = ?7) "

static void
bind_filter(sqlite3_stmt *st, const struct audit_filter *f)
{
	store_bind_int(st, 1, f->before_ms);
	store_bind_int(st, 2, f->since_ms);
	store_bind_int(st, 3, f->until_ms);
	store_bind_text(st, 4, f->capability);
	store_bind_text(st, 5, f->event);
	store_bind_text(st, 6, f->decision);
	store_bind_text(st, 7, f->caller);
}

enum av_err
audit_rows(struct store *s, const struct audit_filter *f, int64_t after_id, struct buf *out,
    int64_t *last_id, bool *cut)
{
	sqlite3_stmt *st = NULL;
	bool more = false;
	uint64_t count = 0, limit = f->limit < AUDIT_QUERY_MAX ? f->limit : AUDIT_QUERY_MAX;
	*cut = false;
	*last_id = after_id;
	enum av_err e = store_stmt(s,
	    "SELECT id, ts_ms, kind, request_id, actor, caller_uid, caller_pid, caller_user, "
	    "caller_program, caller_token, capability, credential, host, method, path, decision, "
	    "reason, policy, status, request_bytes, response_bytes, duration_ms, secret_id, scope, "
	    "note, repeats, hash FROM audit_events WHERE " ROW_FILTER "AND id > ?8 ORDER BY id",
	    &st);
	if (e != AV_OK)
		return e;
	bind_filter(st, f);
	store_bind_int(st, 8, after_id);
	buf_append_byte(out, '[');
	while ((e = store_step(st, &more)) == AV_OK && more) {
		if (count == limit || out->len + EVENT_ROOM > OPERATOR_JSON_MAX) {
			*cut = true;
			break;
		}
		if (count++ > 0)
			buf_append_byte(out, ',');
		put_event(out, st);
		*last_id = sqlite3_column_int64(st, 0);
	}
	buf_append_byte(out, ']');
	store_done(st);
	return e != AV_OK ? e : buf_err(out);
}

enum av_err
audit_before_last(struct store *s, const struct audit_filter *f, uint64_t count, int64_t *out)
{
	sqlite3_stmt *st = NULL;
	bool row = false;
	*out = 0;
	enum av_err e = store_stmt(s,
	    "SELECT id FROM audit_events WHERE " ROW_FILTER "ORDER BY id DESC LIMIT 1 OFFSET ?8",
	    &st);
	if (e != AV_OK)
		return e;
	bind_filter(st, f);
	store_bind_int(st, 8, (int64_t)(count < AUDIT_QUERY_MAX ? count : AUDIT_QUERY_MAX));
	e = store_step(st, &row);
	if (e == AV_OK && row)
		*out = sqlite3_column_int64(st, 0);
	store_done(st);
	return e;
}

enum av_err
audit_query(struct store *s, const struct audit_filter *f, struct buf *out)
{
	sqlite3_stmt *st = NULL;
	bool more = false, first = true;
	enum av_err e = store_stmt(s, SELECT, &st);
	if (e != AV_OK)
		return e;
	bind_filter(st, f);
	store_bind_int(st, 8, (int64_t)(f->limit < AUDIT_QUERY_MAX ? f->limit : AUDIT_QUERY_MAX));
	/* One comparison that the table's key answers: a page far back costs no more than the first. */
	store_bind_int(st, 9, f->before_id > 0 ? f->before_id : INT64_MAX);
	buf_append_byte(out, '[');
	while ((e = store_step(st, &more)) == AV_OK && more) {
		if (out->len + EVENT_ROOM > OPERATOR_JSON_MAX)
			break;
		if (!first)
			buf_append_byte(out, ',');
		first = false;
		put_event(out, st);
	}
	buf_append_byte(out, ']');
	store_done(st);
	return e != AV_OK ? e : buf_err(out);
}
