/* SPDX-License-Identifier: Apache-2.0 */
#include "vault/row.h"

#include <sodium.h>
#include <string.h>

struct table_sql {
	const char *name;
	const char *put;
	const char *del;
	const char *each;
	const char *macs;
};

#define TABLE(t)                                                                               \
	{                                                                                      \
		t,                                                                             \
		    "INSERT INTO " t                                                           \
		    "(id, row_version, body, mac) VALUES(?, ?, ?, ?) ON CONFLICT(id) "         \
		    "DO UPDATE SET row_version = excluded.row_version, body = excluded.body, " \
		    "mac = excluded.mac",                                                      \
		    "DELETE FROM " t " WHERE id = ?",                                          \
		    "SELECT id, row_version, body, mac FROM " t " ORDER BY id",                \
		    "SELECT id, row_version, mac FROM " t " ORDER BY id"                       \
	}

static const struct table_sql tables[ROW_TABLE_COUNT] = {
    TABLE("secrets"),
    TABLE("credentials"),
    TABLE("capabilities"),
    TABLE("disabled"),
    TABLE("policy_params"),
    TABLE("grants"),
    TABLE("bindings"),
    TABLE("scripts"),
    TABLE("tokens"),
};

static const char *const version_sql[ROW_TABLE_COUNT] = {
    "SELECT row_version FROM secrets WHERE id = ?",
    "SELECT row_version FROM credentials WHERE id = ?",
    "SELECT row_version FROM capabilities WHERE id = ?",
    "SELECT row_version FROM disabled WHERE id = ?",
    "SELECT row_version FROM policy_params WHERE id = ?",
    "SELECT row_version FROM grants WHERE id = ?",
    "SELECT row_version FROM bindings WHERE id = ?",
    "SELECT row_version FROM scripts WHERE id = ?",
    "SELECT row_version FROM tokens WHERE id = ?",
};

const char *
row_table_name(enum row_table t)
{
	return tables[t].name;
}

/* Length first, so that no two different rows of fields have the same bytes. */
static void
hash_field(crypto_generichash_state *h, const void *p, size_t len)
{
	uint8_t n[8];
	for (size_t i = 0; i < sizeof(n); i++)
		n[i] = (uint8_t)((uint64_t)len >> (8 * i));
	crypto_generichash_update(h, n, sizeof(n));
	if (len > 0)
		crypto_generichash_update(h, p, len);
}

static void
hash_u64(crypto_generichash_state *h, uint64_t v)
{
	uint8_t n[8];
	for (size_t i = 0; i < sizeof(n); i++)
		n[i] = (uint8_t)(v >> (8 * i));
	hash_field(h, n, sizeof(n));
}

static void
hash_begin(crypto_generichash_state *h, const struct kek *k, enum kek_purpose purpose)
{
	uint8_t key[KEK_LEN];
	kek_subkey(k, purpose, key);
	crypto_generichash_init(h, key, sizeof(key), ROW_MAC_LEN);
	sodium_memzero(key, sizeof(key));
}

static void
row_mac(const struct kek *k, enum row_table t, struct str id, uint64_t version, struct str body,
    uint8_t mac[ROW_MAC_LEN])
{
	crypto_generichash_state h;
	hash_begin(&h, k, KEK_FOR_ROWS);
	hash_field(&h, tables[t].name, strlen(tables[t].name));
	hash_field(&h, id.p, id.len);
	hash_u64(&h, version);
	hash_field(&h, body.p, body.len);
	crypto_generichash_final(&h, mac, ROW_MAC_LEN);
	sodium_memzero(&h, sizeof(h));
}

static enum av_err
current_version(struct store *s, enum row_table t, struct str id, uint64_t *out)
{
	sqlite3_stmt *st = NULL;
	bool row = false;
	enum av_err e = store_stmt(s, version_sql[t], &st);
	if (e != AV_OK)
		return e;
	store_bind_text(st, 1, id);
	e = store_step(st, &row);
	*out = e == AV_OK && row ? (uint64_t)sqlite3_column_int64(st, 0) : 0;
	store_done(st);
	return e;
}

enum av_err
row_put(struct store *s, const struct kek *k, enum row_table t, struct str id, struct str body)
{
	uint8_t mac[ROW_MAC_LEN];
	uint64_t version = 0;
	sqlite3_stmt *st = NULL;
	if (body.len > ROW_BODY_MAX)
		return AV_ELIMIT;
	enum av_err e = current_version(s, t, id, &version);
	if (e == AV_OK)
		e = store_stmt(s, tables[t].put, &st);
	if (e != AV_OK)
		return e;
	version++;
	row_mac(k, t, id, version, body, mac);
	store_bind_text(st, 1, id);
	store_bind_int(st, 2, (int64_t)version);
	store_bind_blob(st, 3, body.p, body.len);
	store_bind_blob(st, 4, mac, sizeof(mac));
	return store_run(st);
}

enum av_err
row_delete(struct store *s, enum row_table t, struct str id)
{
	sqlite3_stmt *st = NULL;
	enum av_err e = store_stmt(s, tables[t].del, &st);
	if (e != AV_OK)
		return e;
	store_bind_text(st, 1, id);
	return store_run(st);
}

enum av_err
row_each(struct store *s, const struct kek *k, enum row_table t, row_fn fn, void *ctx)
{
	sqlite3_stmt *st = NULL;
	bool more = false;
	enum av_err e = store_stmt(s, tables[t].each, &st);
	while (e == AV_OK && (e = store_step(st, &more)) == AV_OK && more) {
		uint8_t mac[ROW_MAC_LEN];
		struct row r = {.id = store_column(st, 0),
		    .version = (uint64_t)sqlite3_column_int64(st, 1),
		    .body = store_column(st, 2)};
		struct str stored = store_column(st, 3);
		r.genuine = r.body.len <= ROW_BODY_MAX;
		if (k != NULL) {
			row_mac(k, t, r.id, r.version, r.body, mac);
			r.genuine = r.genuine && stored.len == sizeof(mac) &&
			    sodium_memcmp(stored.p, mac, sizeof(mac)) == 0;
		}
		e = fn(ctx, &r);
	}
	store_done(st);
	return e;
}

static enum av_err
digest_rows(struct store *s, const struct kek *k, uint64_t generation, uint8_t out[ROW_MAC_LEN])
{
	crypto_generichash_state h;
	enum av_err e = AV_OK;
	hash_begin(&h, k, KEK_FOR_DIGEST);
	hash_u64(&h, generation);
	for (int t = 0; e == AV_OK && t < ROW_TABLE_COUNT; t++) {
		sqlite3_stmt *st = NULL;
		bool more = false;
		hash_field(&h, tables[t].name, strlen(tables[t].name));
		e = store_stmt(s, tables[t].macs, &st);
		while (e == AV_OK && (e = store_step(st, &more)) == AV_OK && more) {
			struct str id = store_column(st, 0);
			hash_field(&h, id.p, id.len);
			hash_u64(&h, (uint64_t)sqlite3_column_int64(st, 1));
			struct str mac = store_column(st, 2);
			hash_field(&h, mac.p, mac.len);
		}
		store_done(st);
	}
	crypto_generichash_final(&h, out, ROW_MAC_LEN);
	sodium_memzero(&h, sizeof(h));
	return e;
}

enum av_err
row_seal(struct store *s, const struct kek *k, uint64_t *generation, uint8_t digest[ROW_MAC_LEN])
{
	int64_t g = 0;
	enum av_err e = store_meta_get_int(s, "generation", &g);
	if (e == AV_ENOTFOUND)
		e = AV_OK;
	if (e != AV_OK)
		return e;
	g++;
	e = digest_rows(s, k, (uint64_t)g, digest);
	if (e == AV_OK)
		e = store_meta_put_int(s, "generation", g);
	if (e == AV_OK)
		e = store_meta_put(s, "digest", (struct str){(const char *)digest, ROW_MAC_LEN});
	if (e == AV_OK)
		*generation = (uint64_t)g;
	return e;
}

enum av_err
row_verify(struct store *s, const struct kek *k, uint64_t *generation, struct fault *f)
{
	uint8_t digest[ROW_MAC_LEN];
	struct buf stored;
	int64_t g = 0;
	buf_init(&stored, 256);
	enum av_err e = store_meta_get_int(s, "generation", &g);
	if (e == AV_OK)
		e = store_meta_get(s, "digest", &stored);
	if (e == AV_OK)
		e = digest_rows(s, k, (uint64_t)g, digest);
	if (e == AV_OK &&
	    (stored.len != sizeof(digest) ||
	        sodium_memcmp(stored.data, digest, sizeof(digest)) != 0))
		e = AV_ECORRUPT;
	if (e == AV_OK)
		*generation = (uint64_t)g;
	else
		fault_set(f, e == AV_ENOTFOUND ? AV_ECORRUPT : e, "rows_changed",
		    "Restore vault.db from a backup",
		    "rows of %s were added, removed or put back from outside aivault",
		    store_path(s));
	buf_clear(&stored);
	return e == AV_ENOTFOUND ? AV_ECORRUPT : e;
}
