/* SPDX-License-Identifier: Apache-2.0 */
/*
 * log.h - appending to the audit log. The transaction is the caller's: a row is written when that
 * commits, and what it records must not happen before (I3).
 */
#ifndef AV_AUDIT_LOG_H
#define AV_AUDIT_LOG_H

#include "audit/chain.h"
#include "audit/checkpoint_log.h"
#include "audit/last_used.h"

/* Of a log in memory the oldest rows go, when there are a tenth more. */
#define AUDIT_MEMORY_ROWS 50000

struct audit_log {
	struct store *store; /* borrows */
	bool in_memory; /* AIVAULT_DISABLE_DISK_LOGS */
	int64_t first_id; /* of a log in memory: the oldest row that is still there */
	int64_t last_id;
	uint8_t last_hash[CHAIN_HASH_LEN];
	int64_t kept_id; /* as of the last audit_log_settle */
	uint8_t kept_hash[CHAIN_HASH_LEN];
	struct last_used used;
	/* Checkpoints: the last row that one stands on, and since when (monotonic) rows came after it. */
	int64_t signed_id;
	uint64_t unsigned_since_ms; /* 0: none came */
	bool has_fresh; /* one was added in the open transaction */
	struct checkpoint fresh;
	size_t lines_left; /* that may be written now */
	uint64_t lines_synced_ms; /* monotonic; 0: never */
	int64_t unlogged_id; /* the first one whose line is not in checkpoints.log; 0: all are */
	char checkpoints_path[CHECKPOINT_LOG_PATH_MAX];
};

/* Reads the chain's end. */
enum av_err audit_log_open(struct audit_log *l, struct store *s) AV_MUST_USE;
/* A new chain in memory, which ends with the store; what the file holds stays there, unread. */
enum av_err audit_log_open_in_memory(struct audit_log *l, struct store *s) AV_MUST_USE;
/* Needs an open transaction; without one AV_EAUDIT. */
enum av_err audit_append(struct audit_log *l, const struct audit_event *e) AV_MUST_USE;
/* Before the transaction commits: what its rows leave to be written once. */
enum av_err audit_log_finish(struct audit_log *l) AV_MUST_USE;
/* After the transaction: did it commit? A checkpoint that did goes to checkpoints.log, behind those
 * whose lines could not be written before. */
void audit_log_settle(struct audit_log *l, bool committed);

/* Escapes (event.h) into `out` (room bytes, NUL-terminated); what is cut ends in "...". */
void audit_escape(struct str s, size_t max, char *out, size_t room);
/* The longest beginning of `s` that is at most `max` bytes once it is escaped. */
struct str audit_fit(struct str s, size_t max);

#endif
