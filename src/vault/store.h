/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store.h - vault.db: one SQLite file, opened with care, prepared statements only.
 *
 * WAL with synchronous=FULL: a commit that returned AV_OK is on the disk. Secrets, counters and
 * audit rows are in this one file, so that a change, its charges and its audit row are one
 * transaction. SQL text is always a literal of ours; values are bound. Knows no keys.
 */
#ifndef AV_VAULT_STORE_H
#define AV_VAULT_STORE_H

#include "base/buf.h"
#include "base/str.h"

#include <sqlite3.h>
#include <stdbool.h>

#define STORE_SCHEMA 3

struct store;

/* True: a vault was made at `path` (the file is there and holds a schema). A file that is no
 * database counts as a vault: opening it will tell. */
bool store_exists(const char *path);
/* Opens an existing one. AV_ENOVAULT: nothing there; AV_ECORRUPT: not a database, unknown schema or
 * damaged (the message names the file); AV_ESYS: owner, mode or system error. */
enum av_err store_open(const char *path, struct store **out, struct fault *f) AV_MUST_USE;
/* Makes the file (0600) and leaves a transaction open that holds the schema: the caller fills in
 * its rows and calls store_commit(), or closes, and nothing was made. AV_EEXISTS. */
enum av_err store_create(const char *path, struct store **out, struct fault *f) AV_MUST_USE;
void store_close(struct store *s); /* NULL is fine; an open transaction is rolled back */

enum av_err store_begin(struct store *s) AV_MUST_USE; /* BEGIN IMMEDIATE */
enum av_err store_commit(struct store *s) AV_MUST_USE; /* on failure it has rolled back */
void store_rollback(struct store *s); /* no transaction: nothing happens */
bool store_in_transaction(const struct store *s);
/* Moves the write-ahead log into the file and cuts it, so that what was deleted is in neither. Outside
 * of transactions. */
enum av_err store_checkpoint(struct store *s) AV_MUST_USE;
/* From here on, until it is closed, the audit tables that statements name are empty ones in memory. */
enum av_err store_keep_log_in_memory(struct store *s) AV_MUST_USE;
const char *store_path(const struct store *s);
const char *store_message(const struct store *s); /* SQLite's words on the last error */

/* A statement from the store's cache, found by the address of `sql`; reset and unbound. Follow by
 * store_done() in every case. */
enum av_err store_stmt(struct store *s, const char *sql, sqlite3_stmt **out) AV_MUST_USE;
/* *row (may be NULL) tells whether there is a row. */
enum av_err store_step(sqlite3_stmt *st, bool *row) AV_MUST_USE;
void store_done(sqlite3_stmt *st); /* NULL is fine */
/* Steps a statement that returns nothing, and is done with it. */
enum av_err store_run(sqlite3_stmt *st) AV_MUST_USE;

/* Binding: the bytes must live until store_done(). Errors show at store_step(). */
void store_bind_text(sqlite3_stmt *st, int at, struct str s);
void store_bind_blob(sqlite3_stmt *st, int at, const void *p, size_t len);
void store_bind_int(sqlite3_stmt *st, int at, int64_t v);
/* A column as bytes; lives until the next step. NULL reads as empty. */
struct str store_column(sqlite3_stmt *st, int at);

/* The meta table: one value a key. AV_ENOTFOUND where none is. */
enum av_err store_meta_get(struct store *s, const char *key, struct buf *out) AV_MUST_USE;
enum av_err store_meta_put(struct store *s, const char *key, struct str value) AV_MUST_USE;
enum av_err store_meta_get_int(struct store *s, const char *key, int64_t *out) AV_MUST_USE;
enum av_err store_meta_put_int(struct store *s, const char *key, int64_t value) AV_MUST_USE;

#endif
