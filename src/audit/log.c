/* SPDX-License-Identifier: Apache-2.0 */
#include "audit/log.h"

#include "audit/checkpoint_rows.h"
#include "base/clock.h"
#include "base/log.h"

#include <stdio.h>
#include <string.h>

/* Four bytes for each one escaped. */
#define ROOM(max) (4u * (max) + 4u)
/* Who waits for the audit log waits for them. */
#define LINES_A_TIME 64u
/* Under load there are dozens a second, and the checkpoints themselves are safe in the database: lines
 * that went with the power are written again when the log is opened. */
#define LINES_SYNC_MS 1000u

void
audit_event_init(struct audit_event *e, const char *kind, const char *actor)
{
	memset(e, 0, sizeof(*e));
	e->kind = kind;
	e->actor = actor;
	e->decision = "";
	e->caller_uid = e->caller_pid = AUDIT_ABSENT;
	e->status = e->request_bytes = e->response_bytes = e->duration_ms = AUDIT_ABSENT;
}

/* A file that is gone is left for `audit verify` to find; so is one whose end is not ours. */
static enum av_err
find_unlogged(struct audit_log *l)
{
	int64_t last = 0, logged = 0;
	enum av_err e = checkpoint_last_id(l->store, &last);
	if (e == AV_OK && checkpoint_log_last(l->checkpoints_path, &logged) == AV_OK &&
	    logged < last)
		l->unlogged_id = logged + 1;
	return e;
}

enum av_err
audit_log_open(struct audit_log *l, struct store *s)
{
	sqlite3_stmt *st = NULL;
	bool row = false;
	memset(l, 0, sizeof(*l));
	l->store = s;
	enum av_err e =
	    store_stmt(s, "SELECT id, hash FROM audit_events ORDER BY id DESC LIMIT 1", &st);
	if (e == AV_OK)
		e = store_step(st, &row);
	if (e == AV_OK && row) {
		struct str hash = store_column(st, 1);
		l->last_id = sqlite3_column_int64(st, 0);
		if (hash.len == CHAIN_HASH_LEN)
			memcpy(l->last_hash, hash.p, CHAIN_HASH_LEN);
	}
	store_done(st);
	st = NULL;
	if (e == AV_OK)
		e = store_stmt(s, "SELECT COALESCE(MAX(event_id), 0) FROM checkpoints", &st);
	if (e == AV_OK && (e = store_step(st, &row)) == AV_OK && row)
		l->signed_id = sqlite3_column_int64(st, 0);
	store_done(st);
	if (e == AV_OK)
		e = checkpoint_log_path(
		    store_path(s), l->checkpoints_path, sizeof(l->checkpoints_path));
	if (e == AV_OK)
		e = find_unlogged(l);
	audit_log_settle(l, true);
	return e;
}

enum av_err
audit_log_open_in_memory(struct audit_log *l, struct store *s)
{
	memset(l, 0, sizeof(*l));
	l->store = s;
	l->in_memory = true;
	l->first_id = 1;
	return store_keep_log_in_memory(s);
}

static enum av_err
delete_until(struct store *s, const char *sql, int64_t id)
{
	sqlite3_stmt *st = NULL;
	enum av_err e = store_stmt(s, sql, &st);
	if (e != AV_OK)
		return e;
	store_bind_int(st, 1, id);
	return store_run(st);
}

/* The checkpoints first: one whose row is gone would look like a row that was taken away. */
static void
forget_oldest(struct audit_log *l)
{
	int64_t last_gone = l->kept_id - AUDIT_MEMORY_ROWS;
	enum av_err e =
	    delete_until(l->store, "DELETE FROM checkpoints WHERE event_id <= ?", last_gone);
	if (e == AV_OK)
		e = delete_until(l->store, "DELETE FROM audit_events WHERE id <= ?", last_gone);
	if (e == AV_OK)
		l->first_id = last_gone + 1;
	else
		log_error("audit: old rows could not be taken out of memory");
}

static enum av_err
write_line(void *ctx, const struct checkpoint *c)
{
	struct audit_log *l = ctx;
	uint64_t now = clock_mono_ms();
	bool sync = now - l->lines_synced_ms >= LINES_SYNC_MS;
	enum av_err e =
	    l->lines_left == 0 ? AV_ELIMIT : checkpoint_log_append(l->checkpoints_path, c, sync);
	if (e == AV_OK)
		l->lines_left--;
	if (e == AV_OK && sync)
		l->lines_synced_ms = now;
	l->unlogged_id = e == AV_OK ? 0 : c->id;
	return e;
}

static void
keep_checkpoint(struct audit_log *l)
{
	enum av_err e;
	l->signed_id = l->fresh.event_id;
	if (l->in_memory)
		return;
	l->lines_left = LINES_A_TIME;
	if (l->unlogged_id == 0)
		e = write_line(l, &l->fresh);
	else
		e = checkpoint_rows(l->store, l->unlogged_id, write_line, l);
	/* The checkpoint itself is safe in the database: the call goes on, the line comes later. */
	if (e != AV_OK && e != AV_ELIMIT)
		log_error("audit: %s cannot be written", l->checkpoints_path);
}

void
audit_log_settle(struct audit_log *l, bool committed)
{
	if (committed) {
		l->kept_id = l->last_id;
		memcpy(l->kept_hash, l->last_hash, CHAIN_HASH_LEN);
		if (l->has_fresh)
			keep_checkpoint(l);
		if (l->kept_id <= l->signed_id)
			l->unsigned_since_ms = 0;
		else if (l->unsigned_since_ms == 0)
			l->unsigned_since_ms = clock_mono_ms();
		if (l->in_memory &&
		    l->kept_id - l->first_id >= AUDIT_MEMORY_ROWS + AUDIT_MEMORY_ROWS / 10)
			forget_oldest(l);
	} else {
		l->last_id = l->kept_id;
		memcpy(l->last_hash, l->kept_hash, CHAIN_HASH_LEN);
		last_used_forget(&l->used);
	}
	l->has_fresh = false;
}

enum av_err
audit_log_finish(struct audit_log *l)
{
	return last_used_write(&l->used, l->store);
}

static size_t
escaped_len(unsigned char c)
{
	return c == '\\' ? 2 : c < 0x20 || c > 0x7e ? 4 : 1;
}

struct str
audit_fit(struct str s, size_t max)
{
	size_t n = 0;
	for (size_t len = 0; n < s.len; n++) {
		len += escaped_len((unsigned char)s.p[n]);
		if (len > max)
			break;
	}
	return (struct str){s.p, n};
}

void
audit_escape(struct str s, size_t max, char *out, size_t room)
{
	static const char digits[] = "0123456789abcdef";
	size_t o = 0;
	size_t limit = max + 4 < room ? max + 4 : room; /* "..." and the NUL */
	bool cut = false;
	for (size_t i = 0; i < s.len && !cut; i++) {
		unsigned char c = (unsigned char)s.p[i];
		size_t need = escaped_len(c);
		if (o + need + 4 > limit) {
			cut = true;
		} else if (need == 1) {
			out[o++] = (char)c;
		} else if (need == 2) {
			out[o++] = '\\';
			out[o++] = '\\';
		} else {
			out[o++] = '\\';
			out[o++] = 'x';
			out[o++] = digits[c >> 4];
			out[o++] = digits[c & 15];
		}
	}
	if (cut) {
		memcpy(out + o, "...", 3);
		o += 3;
	}
	out[o] = '\0';
}

struct texts {
	char request_id[64], user[AUDIT_TEXT_MAX + 8], program[64], token[AUDIT_TEXT_MAX + 8];
	char capability[AUDIT_TEXT_MAX + 8], credential[2 * AUDIT_TEXT_MAX],
	    host[AUDIT_TEXT_MAX + 8];
	char method[32], path[AUDIT_PATH_MAX + 8], reason[64], policy[AUDIT_TEXT_MAX + 8];
	char secret_id[64], scope[2 * AUDIT_TEXT_MAX], note[AUDIT_NOTE_MAX + 8];
};

static void
clean_field(struct str *s, char *room, size_t size)
{
	audit_escape(*s, size - 8, room, size);
	*s = str_of(room);
}

static void
clean(struct audit_event *e, struct texts *t)
{
	clean_field(&e->request_id, t->request_id, sizeof(t->request_id));
	clean_field(&e->caller_user, t->user, sizeof(t->user));
	clean_field(&e->caller_program, t->program, sizeof(t->program));
	clean_field(&e->caller_token, t->token, sizeof(t->token));
	clean_field(&e->capability, t->capability, sizeof(t->capability));
	clean_field(&e->credential, t->credential, sizeof(t->credential));
	clean_field(&e->host, t->host, sizeof(t->host));
	clean_field(&e->method, t->method, sizeof(t->method));
	clean_field(&e->path, t->path, sizeof(t->path));
	clean_field(&e->reason, t->reason, sizeof(t->reason));
	clean_field(&e->policy, t->policy, sizeof(t->policy));
	clean_field(&e->secret_id, t->secret_id, sizeof(t->secret_id));
	clean_field(&e->scope, t->scope, sizeof(t->scope));
	clean_field(&e->note, t->note, sizeof(t->note));
	if (e->ts_ms == 0)
		e->ts_ms = clock_wall_ms();
	if (e->repeats == 0)
		e->repeats = 1;
}

static void
bind_number(sqlite3_stmt *st, int at, int64_t v)
{
	/* Unbound reads as NULL. */
	if (v != AUDIT_ABSENT)
		store_bind_int(st, at, v);
}

static void
bind_event(sqlite3_stmt *st, int64_t id, const struct audit_event *e, const uint8_t *prev,
    const uint8_t *hash)
{
	store_bind_int(st, 1, id);
	store_bind_int(st, 2, e->ts_ms);
	store_bind_text(st, 3, str_of(e->kind));
	store_bind_text(st, 4, e->request_id);
	store_bind_text(st, 5, str_of(e->actor));
	bind_number(st, 6, e->caller_uid);
	bind_number(st, 7, e->caller_pid);
	store_bind_text(st, 8, e->caller_user);
	store_bind_text(st, 9, e->caller_program);
	store_bind_text(st, 10, e->caller_token);
	store_bind_text(st, 11, e->capability);
	store_bind_text(st, 12, e->credential);
	store_bind_text(st, 13, e->host);
	store_bind_text(st, 14, e->method);
	store_bind_text(st, 15, e->path);
	store_bind_text(st, 16, str_of(e->decision));
	store_bind_text(st, 17, e->reason);
	store_bind_text(st, 18, e->policy);
	bind_number(st, 19, e->status);
	bind_number(st, 20, e->request_bytes);
	bind_number(st, 21, e->response_bytes);
	bind_number(st, 22, e->duration_ms);
	store_bind_text(st, 23, e->secret_id);
	store_bind_text(st, 24, e->scope);
	store_bind_text(st, 25, e->note);
	store_bind_int(st, 26, e->repeats);
	store_bind_blob(st, 27, prev, CHAIN_HASH_LEN);
	store_bind_blob(st, 28, hash, CHAIN_HASH_LEN);
}

enum av_err
audit_append(struct audit_log *l, const struct audit_event *event)
{
	struct audit_event e = *event;
	struct texts t;
	uint8_t hash[CHAIN_HASH_LEN];
	sqlite3_stmt *st = NULL;
	if (!store_in_transaction(l->store))
		return AV_EAUDIT;
	clean(&e, &t);
	int64_t id = l->last_id + 1;
	if (chain_hash(l->last_hash, id, &e, hash) != AV_OK ||
	    store_stmt(l->store,
	        "INSERT INTO audit_events(id, ts_ms, kind, request_id, actor, caller_uid, "
	        "caller_pid, "
	        "caller_user, caller_program, caller_token, capability, credential, host, method, "
	        "path, "
	        "decision, reason, policy, status, request_bytes, response_bytes, duration_ms, "
	        "secret_id, scope, note, repeats, prev_hash, hash) VALUES(?, ?, ?, ?, ?, ?, ?, ?, "
	        "?, ?, "
	        "?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
	        &st) != AV_OK)
		return AV_EAUDIT;
	bind_event(st, id, &e, l->last_hash, hash);
	if (store_run(st) != AV_OK)
		return AV_EAUDIT;
	if (strcmp(e.kind, "invoke.allow") == 0 &&
	    last_used_note(&l->used, l->store, e.secret_id, e.ts_ms) != AV_OK)
		return AV_EAUDIT;
	l->last_id = id;
	memcpy(l->last_hash, hash, sizeof(hash));
	return AV_OK;
}
