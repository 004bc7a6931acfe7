/* SPDX-License-Identifier: Apache-2.0 */
#include "audit/checkpoint.h"

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

enum av_err
checkpoint_add(struct vault *v, const struct audit_log *l)
{
	uint8_t message[MESSAGE_LEN];
	uint8_t sig[VAULT_SIGNATURE_LEN];
	sqlite3_stmt *st = NULL;
	int64_t now = clock_wall_ms();
	if (l->last_id == 0)
		return AV_OK;
	make_message(l->last_id, now, l->last_hash, message);
	enum av_err e = vault_sign(v, (struct str){ (const char *)message, sizeof(message) }, sig);
	if (e == AV_OK)
		e = store_stmt(v->store,
		    "INSERT INTO checkpoints(event_id, ts_ms, hash, signature) VALUES(?, ?, ?, ?)", &st);
	if (e != AV_OK)
		return e;
	store_bind_int(st, 1, l->last_id);
	store_bind_int(st, 2, now);
	store_bind_blob(st, 3, l->last_hash, CHAIN_HASH_LEN);
	store_bind_blob(st, 4, sig, sizeof(sig));
	return store_run(st);
}

enum av_err
checkpoint_verify(struct vault *v, uint64_t *count, int64_t *bad)
{
	uint8_t pk[VAULT_PUBLIC_KEY_LEN];
	sqlite3_stmt *st = NULL;
	bool more = false;
	*count = 0;
	*bad = 0;
	enum av_err e = vault_public_key(v, pk);
	if (e == AV_OK)
		e = store_stmt(v->store,
		    "SELECT c.event_id, c.ts_ms, c.hash, c.signature, e.hash FROM checkpoints c "
		    "LEFT JOIN audit_events e ON e.id = c.event_id ORDER BY c.id",
		    &st);
	while (e == AV_OK && (e = store_step(st, &more)) == AV_OK && more) {
		uint8_t message[MESSAGE_LEN];
		struct str hash = store_column(st, 2), sig = store_column(st, 3);
		struct str row_hash = store_column(st, 4);
		bool ok = hash.len == CHAIN_HASH_LEN && sig.len == VAULT_SIGNATURE_LEN &&
		    str_eq(hash, row_hash);
		if (ok) {
			make_message(sqlite3_column_int64(st, 0), sqlite3_column_int64(st, 1), hash.p,
			    message);
			ok = crypto_sign_verify_detached((const unsigned char *)sig.p, message,
			         sizeof(message), pk) == 0;
		}
		(*count)++;
		if (!ok) {
			*bad = sqlite3_column_int64(st, 0);
			break;
		}
	}
	store_done(st);
	return e;
}
