/* SPDX-License-Identifier: Apache-2.0 */
/*
 * release.h - the one place where auth leaves the keeper.
 *
 * release_decide() asks everything again on the keeper's own data (reach, pin, scope, charges) and
 * appends the decision row in the open transaction. Only after that has committed may
 * release_answer() be called: it decrypts, renders and encodes (I3).
 */
#ifndef AV_KEEPER_RELEASE_H
#define AV_KEEPER_RELEASE_H

#include "keeper/resolve.h"

struct release {
	struct keeper_release ask; /* borrows from its frame; cleared by release_clear */
	struct resolution resolution;
	struct fault fault; /* err AV_OK: allowed */
	uint32_t retry_after;
};

/* Fills in r->fault for a refusal and returns AV_OK then too; an error means that the row could not
 * be written, and the whole transaction must be given up. r->ask is set. */
enum av_err release_decide(struct keeper *k, struct release *r) AV_MUST_USE;
/* Appends KEEPER_RELEASED, or KEEPER_FAULT for r->fault. A rendering that fails becomes a fault
 * (auth_failed) and an outcome row of its own. */
enum av_err release_answer(struct keeper *k, struct release *r, struct buf *out) AV_MUST_USE;
void release_clear(struct release *r);

/* Rows for what others decided or saw; in the open transaction. */
enum av_err release_note_denied(struct keeper *k, const struct keeper_denied *d) AV_MUST_USE;
enum av_err release_note_outcome(struct keeper *k, const struct keeper_outcome *o) AV_MUST_USE;

#endif
