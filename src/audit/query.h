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
	uint64_t limit; /* at most AUDIT_QUERY_MAX; 0: none */
	int64_t before_id; /* of audit_query(): where the next page begins; 0: at the newest */
	int64_t before_ms; /* 0: no bound; strictly before */
	int64_t since_ms; /* 0: no bound; at or after */
	int64_t until_ms; /* 0: no bound; before or at */
	struct str capability; /* "" = any, like the rest */
	struct str event;
	struct str decision;
	struct str caller;
};

/* Appends an array: a page. Ends early, at a whole event, when `out` gets over OPERATOR_JSON_MAX less
 * some room. More is there until a page before the last event's id is empty. */
enum av_err audit_query(
    struct store *s, const struct audit_filter *filter, struct buf *out) AV_MUST_USE;
/* Rows as they are in the log, oldest first, outcomes on their own: those after `after_id` that pass
 * the filter (its limit counts). Appends an array. *last_id: the last row looked at, to go on from;
 * *cut: the filter's limit or the room ended it. */
enum av_err audit_rows(struct store *s, const struct audit_filter *filter, int64_t after_id,
    struct buf *out, int64_t *last_id, bool *cut) AV_MUST_USE;
/* The id before the last `count` rows that pass the filter: where to start to see them. */
enum av_err audit_before_last(
    struct store *s, const struct audit_filter *filter, uint64_t count, int64_t *out) AV_MUST_USE;
/* A stored text as a JSON string. They are printable ASCII (event.h), so only two bytes need a
 * backslash; rows that somebody else wrote may hold anything: the rest is escaped too. */
void audit_put_text(struct buf *b, struct str s);

#endif
