/* SPDX-License-Identifier: Apache-2.0 */
/*
 * query.h - reading the audit log: newest first, as JSON with the reference's keys and ours
 * (contract.md, "Audit"). A call's decision row and its outcome row are shown as one.
 */
#ifndef AV_AUDIT_QUERY_H
#define AV_AUDIT_QUERY_H

#include "vault/store.h"

#define AUDIT_QUERY_MAX 1000u

struct audit_filter {
	uint64_t limit;    /* at most AUDIT_QUERY_MAX; 0: none */
	int64_t before_ms; /* 0: no bound; strictly before */
	int64_t since_ms;  /* 0: no bound; at or after */
	int64_t until_ms;  /* 0: no bound; before or at */
	struct str capability; /* "" = any, like the rest */
	struct str event;
	struct str decision;
	struct str caller;
};

/* Appends an array. Ends early, at a whole event, when `out` gets over OPERATOR_JSON_MAX less some
 * room: *cut tells. */
enum av_err audit_query(struct store *s, const struct audit_filter *filter, struct buf *out,
    bool *cut) AV_MUST_USE;
/* When a secret was last used, from the log; 0 = never. */
enum av_err audit_last_used(struct store *s, struct str secret_id, int64_t *out) AV_MUST_USE;

#endif
