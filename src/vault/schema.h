/* SPDX-License-Identifier: Apache-2.0 */
/*
 * schema.h - vault.db, schema 3.
 *
 * Deciding tables (secrets to tokens) share one shape: `id`, `row_version` (counts the changes of
 * the row), `body` (the row's fields in the frame codec: exactly the bytes that are read) and `mac`
 * (keyed, over table, id, version and body; row.h). meta: schema, provider_type, provider_where,
 * kek_id, created_ms, generation, digest, audit_public_key, audit_signing_key (sealed),
 * checkpoints_logged_from (audit/checkpoint.c). Counters, times of use and audit rows are not covered
 * by the digest; audit rows have their own chain. The SQL texts are in schema.c.
 */
#ifndef AV_VAULT_SCHEMA_H
#define AV_VAULT_SCHEMA_H

extern const char SCHEMA_PRAGMAS[];
extern const char SCHEMA_TABLES[];
/* The audit tables once more, for a log that is kept in memory: SQLite takes a temporary table before
 * one of the file that has the same name. */
extern const char SCHEMA_MEMORY_LOG[];
/* From that schema to the next, in a transaction. */
extern const char SCHEMA_FROM_1[];
extern const char SCHEMA_FROM_2[];

#endif
