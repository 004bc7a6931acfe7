/* SPDX-License-Identifier: Apache-2.0 */
#include "vault/schema.h"

const char SCHEMA_PRAGMAS[] = "PRAGMA journal_mode = WAL;"
                              "PRAGMA synchronous = FULL;"
                              "PRAGMA foreign_keys = ON;"
                              "PRAGMA trusted_schema = OFF;"
                              "PRAGMA secure_delete = ON;"
                              "PRAGMA cell_size_check = ON;"
                              "PRAGMA temp_store = MEMORY;"
                              "PRAGMA mmap_size = 0;"
                              "PRAGMA wal_autocheckpoint = 1000;";

/* Each call writes two entries: half of an id, which begins with the time, finds its rows as well. */
#define AUDIT_INDEX                                                                      \
	"CREATE INDEX audit_by_request_start ON audit_events(substr(request_id, 1, 16))" \
	" WHERE request_id <> '';"

/* kind: "" or "TEMP ". */
#define AUDIT_TABLES(kind)                                                                     \
	"CREATE " kind "TABLE audit_events(id INTEGER PRIMARY KEY, ts_ms INTEGER NOT NULL,"    \
	" kind TEXT NOT NULL, request_id TEXT NOT NULL, actor TEXT NOT NULL,"                  \
	" caller_uid INTEGER, caller_pid INTEGER, caller_user TEXT NOT NULL,"                  \
	" caller_program TEXT NOT NULL, caller_token TEXT NOT NULL, capability TEXT NOT NULL," \
	" credential TEXT NOT NULL, host TEXT NOT NULL, method TEXT NOT NULL,"                 \
	" path TEXT NOT NULL, decision TEXT NOT NULL, reason TEXT NOT NULL,"                   \
	" policy TEXT NOT NULL, status INTEGER, request_bytes INTEGER,"                        \
	" response_bytes INTEGER, duration_ms INTEGER, secret_id TEXT NOT NULL,"               \
	" scope TEXT NOT NULL, note TEXT NOT NULL, repeats INTEGER NOT NULL,"                  \
	" prev_hash BLOB NOT NULL, hash BLOB NOT NULL);" AUDIT_INDEX "CREATE " kind            \
	"TABLE checkpoints(id INTEGER PRIMARY KEY, event_id INTEGER NOT NULL,"                 \
	" ts_ms INTEGER NOT NULL, hash BLOB NOT NULL, signature BLOB NOT NULL);"

#define DECIDING(name)                                                                      \
	"CREATE TABLE " name "(id TEXT PRIMARY KEY NOT NULL, row_version INTEGER NOT NULL," \
	" body BLOB NOT NULL, mac BLOB NOT NULL) WITHOUT ROWID;"

#define SECRET_USED                                                                      \
	"CREATE TABLE secret_used(id TEXT PRIMARY KEY NOT NULL, ts_ms INTEGER NOT NULL)" \
	" WITHOUT ROWID;"

/* clang-format off: one table a line. */
const char SCHEMA_TABLES[] =
    "PRAGMA user_version = 3;"
    "CREATE TABLE meta(key TEXT PRIMARY KEY NOT NULL, value NOT NULL) WITHOUT ROWID;" DECIDING(
        "secrets") "CREATE TABLE secret_values(id TEXT PRIMARY KEY NOT NULL REFERENCES secrets(id),"
                   " dek_wrapped BLOB NOT NULL, value BLOB NOT NULL, kek_id TEXT NOT "
                   "NULL);" DECIDING("credentials") DECIDING("capabilities") DECIDING(
                       "disabled") DECIDING("policy_params") DECIDING("grants") DECIDING("bindings")
                       DECIDING("scripts") DECIDING(
                           "tokens") "CREATE TABLE counters(space TEXT NOT NULL, bucket_ms INTEGER "
                                     "NOT NULL, n INTEGER NOT NULL,"
                                     " PRIMARY KEY(space, bucket_ms)) WITHOUT ROWID;" AUDIT_TABLES(
                                         "") SECRET_USED;
/* clang-format on */

const char SCHEMA_MEMORY_LOG[] = AUDIT_TABLES("TEMP ");

const char SCHEMA_FROM_1[] = SECRET_USED
    "INSERT INTO secret_used(id, ts_ms) SELECT secret_id, MAX(ts_ms) / 1000 * 1000 FROM "
    "audit_events"
    " WHERE secret_id <> '' AND kind = 'invoke.allow' GROUP BY secret_id;"
    "DROP INDEX IF EXISTS audit_by_secret;"
    "DROP INDEX IF EXISTS audit_by_time;"
    "PRAGMA user_version = 2;";

const char SCHEMA_FROM_2[] = "DROP INDEX audit_by_request;" AUDIT_INDEX "PRAGMA user_version = 3;";
