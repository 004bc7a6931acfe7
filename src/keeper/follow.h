/* SPDX-License-Identifier: Apache-2.0 */
/*
 * follow.h - one operator connection that is sent audit rows as they are committed.
 *
 * Owns its copy of the filter. Sends replies with `more` = 1, each an array of rows (audit_rows), and
 * nothing more while the client has not taken the last one: rows wait in the database, not here.
 */
#ifndef AV_KEEPER_FOLLOW_H
#define AV_KEEPER_FOLLOW_H

#include "audit/query.h"
#include "keeper/keeper.h"

#define FOLLOW_MAX 8u /* of KEEPER_MAX_CLIENTS: the rest is for calls */

struct follow;

/* Copies the filter; its limit is how many rows from before are sent first. */
enum av_err follow_new(
    const struct keeper *k, const struct audit_filter *filter, struct follow **out) AV_MUST_USE;
void follow_free(struct follow *f); /* NULL is fine */
/* Are there rows that it has not looked at? */
bool follow_is_behind(const struct follow *f, const struct keeper *k);
/* Appends one reply where there is something new to tell. */
enum av_err follow_feed(struct follow *f, const struct keeper *k, struct buf *out) AV_MUST_USE;

#endif
