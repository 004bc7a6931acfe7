/* SPDX-License-Identifier: Apache-2.0 */
#include "audit/chain.h"

#include <sodium.h>
#include <string.h>

/* A row is some fifty small pieces: gathered, since each update of the hash costs as much as a block. */
struct hasher {
	crypto_generichash_state *state; /* its caller's: it is aligned as no struct of ours is */
	size_t len;
	uint8_t room[1024];
};

static void
hash_bytes(struct hasher *h, const void *p, size_t len)
{
	if (len > sizeof(h->room) - h->len) {
		crypto_generichash_update(h->state, h->room, h->len);
		h->len = 0;
	}
	if (len > sizeof(h->room)) {
		crypto_generichash_update(h->state, p, len);
	} else if (len > 0) {
		memcpy(h->room + h->len, p, len);
		h->len += len;
	}
}

static void
hash_int(struct hasher *h, int64_t v)
{
	uint8_t n[8];
	for (size_t i = 0; i < sizeof(n); i++)
		n[i] = (uint8_t)((uint64_t)v >> (8 * i));
	hash_bytes(h, n, sizeof(n));
}

static void
hash_text(struct hasher *h, struct str s)
{
	uint8_t n[4];
	for (size_t i = 0; i < sizeof(n); i++)
		n[i] = (uint8_t)((uint32_t)s.len >> (8 * i));
	hash_bytes(h, n, sizeof(n));
	hash_bytes(h, s.p, s.len);
}

enum av_err
chain_hash(const uint8_t prev[CHAIN_HASH_LEN], int64_t id, const struct audit_event *e,
    uint8_t out[CHAIN_HASH_LEN])
{
	crypto_generichash_state state;
	struct hasher h;
	h.state = &state;
	h.len = 0;
	if (crypto_generichash_init(&state, NULL, 0, CHAIN_HASH_LEN) != 0)
		return AV_ESYS;
	hash_bytes(&h, prev, CHAIN_HASH_LEN);
	hash_int(&h, id);
	hash_int(&h, e->ts_ms);
	hash_text(&h, str_of(e->kind));
	hash_text(&h, e->request_id);
	hash_text(&h, str_of(e->actor));
	hash_int(&h, e->caller_uid);
	hash_int(&h, e->caller_pid);
	hash_text(&h, e->caller_user);
	hash_text(&h, e->caller_program);
	hash_text(&h, e->caller_token);
	hash_text(&h, e->capability);
	hash_text(&h, e->credential);
	hash_text(&h, e->host);
	hash_text(&h, e->method);
	hash_text(&h, e->path);
	hash_text(&h, str_of(e->decision));
	hash_text(&h, e->reason);
	hash_text(&h, e->policy);
	hash_int(&h, e->status);
	hash_int(&h, e->request_bytes);
	hash_int(&h, e->response_bytes);
	hash_int(&h, e->duration_ms);
	hash_text(&h, e->secret_id);
	hash_text(&h, e->scope);
	hash_text(&h, e->note);
	hash_int(&h, e->repeats);
	crypto_generichash_update(&state, h.room, h.len);
	crypto_generichash_final(&state, out, CHAIN_HASH_LEN);
	return AV_OK;
}

static int64_t
number(sqlite3_stmt *st, int at)
{
	return sqlite3_column_type(st, at) == SQLITE_NULL ? AUDIT_ABSENT
	                                                  : sqlite3_column_int64(st, at);
}

/* Kind, actor and decision are C strings in an event; a NUL inside would hide what follows, and
 * then the hash does not fit, which is what should happen. */
static void
read_event(sqlite3_stmt *st, struct audit_event *e, char texts[3][64])
{
	static const int at[3] = {2, 4, 15};
	for (int i = 0; i < 3; i++) {
		struct str s = store_column(st, at[i]);
		size_t n = s.len < 63 ? s.len : 63;
		memcpy(texts[i], s.p, n);
		texts[i][n] = '\0';
	}
	*e = (struct audit_event){.ts_ms = sqlite3_column_int64(st, 1),
	    .kind = texts[0],
	    .request_id = store_column(st, 3),
	    .actor = texts[1],
	    .caller_uid = number(st, 5),
	    .caller_pid = number(st, 6),
	    .caller_user = store_column(st, 7),
	    .caller_program = store_column(st, 8),
	    .caller_token = store_column(st, 9),
	    .capability = store_column(st, 10),
	    .credential = store_column(st, 11),
	    .host = store_column(st, 12),
	    .method = store_column(st, 13),
	    .path = store_column(st, 14),
	    .decision = texts[2],
	    .reason = store_column(st, 16),
	    .policy = store_column(st, 17),
	    .status = number(st, 18),
	    .request_bytes = number(st, 19),
	    .response_bytes = number(st, 20),
	    .duration_ms = number(st, 21),
	    .secret_id = store_column(st, 22),
	    .scope = store_column(st, 23),
	    .note = store_column(st, 24),
	    .repeats = (uint32_t)sqlite3_column_int64(st, 25)};
}

static const char *
check_row(sqlite3_stmt *st, int64_t want_id, const uint8_t prev[CHAIN_HASH_LEN],
    uint8_t hash[CHAIN_HASH_LEN])
{
	struct audit_event e;
	char texts[3][64];
	struct str stored_prev = store_column(st, 26);
	struct str stored_hash = store_column(st, 27);
	if (sqlite3_column_int64(st, 0) != want_id)
		return "gap";
	if (stored_prev.len != CHAIN_HASH_LEN || memcmp(stored_prev.p, prev, CHAIN_HASH_LEN) != 0)
		return "link";
	read_event(st, &e, texts);
	if (chain_hash(prev, want_id, &e, hash) != AV_OK || stored_hash.len != CHAIN_HASH_LEN ||
	    memcmp(stored_hash.p, hash, CHAIN_HASH_LEN) != 0)
		return "hash";
	return NULL;
}

static void
take_prev(sqlite3_stmt *st, uint8_t prev[CHAIN_HASH_LEN])
{
	struct str stored = store_column(st, 26);
	if (stored.len == CHAIN_HASH_LEN)
		memcpy(prev, stored.p, CHAIN_HASH_LEN);
}

enum av_err
chain_walk_begin(struct chain_walk *w, struct store *s, int64_t first_id)
{
	sqlite3_stmt *st = NULL;
	bool row = false;
	memset(w, 0, sizeof(*w));
	w->first_id = first_id;
	w->at_id = INT64_MIN;
	enum av_err e = store_stmt(s, "SELECT COALESCE(MAX(id), 0) FROM audit_events", &st);
	if (e == AV_OK && (e = store_step(st, &row)) == AV_OK && row)
		w->last_id = sqlite3_column_int64(st, 0);
	store_done(st);
	return e;
}

static void
walk_row(struct chain_walk *w, sqlite3_stmt *st)
{
	uint8_t hash[CHAIN_HASH_LEN];
	if (w->report.rows == 0 && w->first_id > 1)
		take_prev(st, w->prev);
	w->at_id = sqlite3_column_int64(st, 0);
	w->report.problem = check_row(st, w->first_id + (int64_t)w->report.rows, w->prev, hash);
	w->report.rows++;
	if (w->report.problem != NULL)
		w->report.first_bad_id = w->at_id;
	else
		memcpy(w->prev, hash, sizeof(w->prev));
}

/* There are no more rows: also not those that were there at the beginning? */
static void
walk_ends(struct chain_walk *w)
{
	w->over = true;
	if (w->report.problem != NULL || w->last_id <= w->at_id || w->last_id == 0)
		return;
	w->report.problem = "gap";
	w->report.first_bad_id = w->last_id + 1;
}

enum av_err
chain_walk_on(struct chain_walk *w, struct store *s, int64_t rows)
{
	sqlite3_stmt *st = NULL;
	bool more = false;
	enum av_err e = store_stmt(s,
	    "SELECT id, ts_ms, kind, request_id, actor, caller_uid, caller_pid, caller_user, "
	    "caller_program, caller_token, capability, credential, host, method, path, decision, "
	    "reason, policy, status, request_bytes, response_bytes, duration_ms, secret_id, scope, "
	    "note, repeats, prev_hash, hash FROM audit_events WHERE id > ? AND id <= ? ORDER BY id "
	    "LIMIT ?",
	    &st);
	if (e != AV_OK)
		return e;
	store_bind_int(st, 1, w->at_id);
	store_bind_int(st, 2, w->last_id);
	store_bind_int(st, 3, rows);
	while (w->report.problem == NULL && (e = store_step(st, &more)) == AV_OK && more) {
		walk_row(w, st);
		rows--;
	}
	store_done(st);
	if (e == AV_OK && (rows > 0 || w->report.problem != NULL))
		walk_ends(w);
	return e;
}
