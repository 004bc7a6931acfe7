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

bool
checkpoint_signature_fits(const struct checkpoint *c, const uint8_t pk[VAULT_PUBLIC_KEY_LEN])
{
	uint8_t message[MESSAGE_LEN];
	make_message(c->event_id, c->ts_ms, c->hash, message);
	return crypto_sign_verify_detached(c->signature, message, sizeof(message), pk) == 0;
}

enum av_err
checkpoint_logged_from(const struct audit_log *l, int64_t *id)
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
	enum av_err e = checkpoint_logged_from(l, &from);
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
