/* SPDX-License-Identifier: Apache-2.0 */
/*
 * house.h - a keeper in a throw-away directory, for the tests of this layer: made with the built-in
 * table of a small provider "acme", driven by operator calls and broker frames, no process and no
 * socket.
 */
#ifndef AV_TEST_KEEPER_HOUSE_H
#define AV_TEST_KEEPER_HOUSE_H

#include "base/clock.h"
#include "keeper/batch.h"
#include "keeper/channel.h"
#include "keeper/derivation.h"
#include "keeper/operator_api.h"
#include "keeper/release.h"
#include "vault/box.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#define HOUSE_CANARY "sk-canary-0123456789"
#define HOUSE_REQUEST "0123456789abcdef0123456789abcdef"

struct house {
	char dir[64];
	struct keeper k;
	struct buf table;
	struct fault fault;
	char json[8192]; /* the last operator result */
};

static inline void
house_paths(struct house *h, struct paths *p)
{
	memset(p, 0, sizeof(*p));
	snprintf(p->root, sizeof(p->root), "%s", h->dir);
	snprintf(p->database, sizeof(p->database), "%s/vault.db", h->dir);
	snprintf(p->key_file, sizeof(p->key_file), "%s/kek.key", h->dir);
}

static inline void
house_add(struct string_list *l, const char *s)
{
	assert_int_equal(string_list_add(l, str_of(s)), AV_OK);
}

static inline void
house_table(struct buf *out)
{
	struct manifest *m = manifest_new();
	struct frame_writer w;
	assert_non_null(m);
	m->provider = strdup("acme");
	assert_int_equal(pair_list_add(&m->secrets, STR_LIT("ACME_KEY"), STR_LIT("secret")), AV_OK);
	m->auth.kind = AUTH_HEADER;
	assert_int_equal(
	    pair_list_add(&m->auth.pairs, STR_LIT("authorization"), STR_LIT("Bearer {{secret}}")),
	    AV_OK);
	house_add(&m->hosts, "api.acme.test");
	m->capabilities = calloc(2, sizeof(*m->capabilities));
	m->capability_count = 2;
	for (size_t i = 0; i < 2; i++) {
		struct capability *c = &m->capabilities[i];
		c->id = strdup(i == 0 ? "acme/chat" : "acme/models");
		c->about = strdup("");
		c->http = 1;
		house_add(&c->hosts, "api.acme.test");
		house_add(&c->methods, i == 0 ? "POST" : "GET");
		house_add(&c->paths, i == 0 ? "/v1/chat" : "/v1/models");
	}
	buf_init(out, 64 * 1024);
	fw_begin(&w, out, BUILTIN_FRAME);
	manifest_encode(m, &w);
	assert_int_equal(fw_end(&w), AV_OK);
	manifest_free(m);
}

static inline void
house_start(struct house *h)
{
	struct paths p;
	house_paths(h, &p);
	assert_int_equal(keeper_init(&h->k, &p, h->table.data, h->table.len, &h->fault), AV_OK);
	keeper_open_vault(&h->k);
}

static inline int
house_open(void **state)
{
	struct house *h = calloc(1, sizeof(*h));
	snprintf(h->dir, sizeof(h->dir), "/tmp/aivault-house-XXXXXX");
	if (mkdtemp(h->dir) == NULL)
		return -1;
	house_table(&h->table);
	house_start(h);
	*state = h;
	return 0;
}

static inline void
house_stop(struct house *h)
{
	operator_close_all(&h->k);
	keeper_clear(&h->k);
}

static inline int
house_close(void **state)
{
	static const char *const names[] = {
	    "vault.db", "vault.db-wal", "vault.db-shm", "kek.key", "checkpoints.log"};
	struct house *h = *state;
	char path[128];
	house_stop(h);
	buf_clear(&h->table);
	for (size_t i = 0; i < 5; i++) {
		snprintf(path, sizeof(path), "%s/%s", h->dir, names[i]);
		unlink(path);
	}
	int r = rmdir(h->dir);
	free(h);
	return r;
}

/* One operator call by the owner; the result's JSON is in h->json, a fault in h->fault. */
static inline enum av_err
house_op(struct house *h, const char *op, const char *args, const char *secret)
{
	struct operator_request q = {OPERATOR_PROTOCOL, str_of(op), str_of(args), str_of(secret)};
	struct operator_reply reply;
	struct peer peer = {geteuid(), getegid(), getpid()};
	struct buf in, out;
	struct frame f;
	size_t used = 0;
	buf_init(&in, FRAME_MAX + 16);
	buf_init(&out, FRAME_MAX + 16);
	assert_int_equal(operator_request_encode(&q, &in), AV_OK);
	assert_int_equal(frame_parse(in.data, in.len, &f, &used), AV_OK);
	assert_int_equal(operator_handle(&h->k, &peer, false, &f, &out), AV_OK);
	/* A key is being derived. */
	while (out.len == 0) {
		derivation_join(&h->k);
		assert_int_equal(operator_handle(&h->k, &peer, false, &f, &out), AV_OK);
		derivation_settle(&h->k);
	}
	assert_int_equal(frame_parse(out.data, out.len, &f, &used), AV_OK);
	assert_int_equal(operator_reply_decode(&f, &reply), AV_OK);
	h->fault = reply.fault;
	snprintf(h->json, sizeof(h->json), "%.*s", STR_FMT(reply.json));
	enum av_err e = reply.fault.err;
	buf_clear(&in);
	buf_clear(&out);
	return e;
}

static inline void
house_store_key(struct house *h)
{
	assert_int_equal(
	    house_op(h, "secrets.create", "{\"name\":\"ACME_KEY\",\"create\":true}", HOUSE_CANARY),
	    AV_OK);
}

static inline void
house_copy_json_text(const struct house *h, const char *key, char *out, size_t room)
{
	cJSON *o = cJSON_Parse(h->json);
	const cJSON *v = cJSON_GetObjectItemCaseSensitive(o, key);
	assert_true(cJSON_IsString(v));
	snprintf(out, room, "%s", v->valuestring);
	cJSON_Delete(o);
}

static inline struct keeper_release
house_ask(const char *capability, const char *method, const char *host, const char *path)
{
	struct keeper_release r = {.ask_id = 7,
	    .request_id = STR_LIT(HOUSE_REQUEST),
	    .capability = str_of(capability),
	    .credential = STR_LIT(""),
	    .method = str_of(method),
	    .host = str_of(host),
	    .path = str_of(path),
	    .request_bytes = 0};
	r.caller.uid = (uint32_t)geteuid();
	snprintf(r.caller.name, sizeof(r.caller.name), "user:tester");
	return r;
}

/* A release by way of the batch and a real channel. `out` gets the answer's frame (wipe it). */
static inline uint16_t
house_release(struct house *h, const struct keeper_release *ask, struct buf *out, struct frame *f)
{
	int pair[2];
	bool again = false;
	size_t n = 0, used = 0;
	assert_int_equal(io_socketpair(pair), AV_OK);
	assert_int_equal(channel_add(&h->k, pair[0]), AV_OK);
	struct channel *c = h->k.channels[0];
	assert_int_equal(keeper_release_encode(ask, &c->in), AV_OK);
	channel_take_frames(&h->k, c);
	assert_false(c->dead);
	if (c->pending.len > 0)
		batch_flush(&h->k);
	buf_init(out, FRAME_MAX);
	assert_int_equal(io_read_some(pair[1], out, 65536, &n, &again), AV_OK);
	/* The first frame is the state that a new channel gets. */
	assert_int_equal(frame_parse(out->data, out->len, f, &used), AV_OK);
	assert_int_equal(f->type, KEEPER_STATE);
	buf_consume(out, used);
	uint16_t type = 0;
	if (frame_parse(out->data, out->len, f, &used) == AV_OK)
		type = f->type;
	close(pair[1]);
	channel_free(c);
	h->k.channels[0] = NULL;
	return type;
}

static inline int64_t
house_count(struct house *h, const char *sql)
{
	sqlite3_stmt *st = NULL;
	bool row = false;
	assert_int_equal(store_stmt(h->k.vault->store, sql, &st), AV_OK);
	assert_int_equal(store_step(st, &row), AV_OK);
	int64_t n = row ? sqlite3_column_int64(st, 0) : -1;
	store_done(st);
	return n;
}

/* A change that nobody but an attacker makes: SQL from outside. */
static inline void
house_tamper(struct house *h, const char *sql)
{
	char path[128];
	sqlite3 *db = NULL;
	house_stop(h);
	snprintf(path, sizeof(path), "%s/vault.db", h->dir);
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	char *message = NULL;
	if (sqlite3_exec(db, sql, NULL, NULL, &message) != SQLITE_OK)
		fail_msg("%s", message);
	sqlite3_close(db);
	house_start(h);
}

#endif
