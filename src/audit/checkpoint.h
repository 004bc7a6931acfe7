/* SPDX-License-Identifier: Apache-2.0 */
/*
 * checkpoint.h - signed notes of where the chain stood: "aivault:checkpoint:1", then event id, time
 * (both i64 little endian) and hash, under the vault's Ed25519 key.
 */
#ifndef AV_AUDIT_CHECKPOINT_H
#define AV_AUDIT_CHECKPOINT_H

#include "audit/log.h"
#include "vault/vault.h"

/* Adds one for the chain's end, in the caller's transaction; audit_log_settle() then writes it to
 * checkpoints.log. AV_ELOCKED without the KEK. */
enum av_err checkpoint_add(struct vault *v, struct audit_log *l) AV_MUST_USE;

struct checkpoint_report {
	uint64_t count; /* in the database */
	uint64_t logged; /* in checkpoints.log */
	uint64_t torn; /* lines of it that cannot be read: half written in a crash, or damaged */
	int64_t signed_id; /* the last row that one of them stands on */
	int64_t first_bad_id;
	/* NULL, "checkpoint" or "checkpoints_log" (a signature, or a row that is another one now),
	 * "missing_tail" (a row past the end), "checkpoints_log_missing" (the file, or its beginning),
	 * "checkpoints_log_gap" (a line). Lines that the log still means to write are not missed, nor
	 * what may have stood where lines cannot be read. */
	const char *problem;
};
/* Checks every checkpoint, of the database and of checkpoints.log, against `pk` and its row. Needs no
 * key. AV_OK also when something is bad: see the report. */
enum av_err checkpoint_verify(const struct audit_log *l, const uint8_t pk[VAULT_PUBLIC_KEY_LEN],
    struct checkpoint_report *out) AV_MUST_USE;

#endif
