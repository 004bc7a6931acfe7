/* SPDX-License-Identifier: Apache-2.0 */
/*
 * last_used.h - when each secret was last used, so that nobody has to look through the log for it.
 *
 * It is told to the second (milliseconds, rounded down), so that a secret in steady use is written once
 * a second: with an index over the log each call would pay for what is read a few times a day. Not
 * covered by the chain: the log's rows are the truth.
 */
#ifndef AV_AUDIT_LAST_USED_H
#define AV_AUDIT_LAST_USED_H

#include "vault/store.h"

#include <stdbool.h>

#define LAST_USED_ID_MAX 63u

struct last_used {
	char secret_id[LAST_USED_ID_MAX + 1]; /* "": none */
	int64_t ts_ms;
	bool waits; /* to be written */
};

/* In an open transaction. Ids that are too long are none of ours, and passed over. */
enum av_err last_used_note(
    struct last_used *u, struct store *s, struct str secret_id, int64_t ts_ms) AV_MUST_USE;
/* Before the commit: writes what waits. */
enum av_err last_used_write(struct last_used *u, struct store *s) AV_MUST_USE;
/* The transaction was given up: what was written in it is not there. */
void last_used_forget(struct last_used *u);
/* 0 = never. What waits is not looked at. */
enum av_err last_used_read(struct store *s, struct str secret_id, int64_t *out) AV_MUST_USE;

#endif
