/* SPDX-License-Identifier: Apache-2.0 */
/*
 * batch.h - the group commit.
 *
 * Everything that channels put aside goes into one transaction: decision rows with their charges,
 * denials, outcomes. Then the commit; then the answers. When it fails, every release of it is
 * answered audit_write_failed (I3), and rows of denials and outcomes are kept and tried again, at
 * most BATCH_KEEP_MAX bytes of them, also when their broker has died meanwhile. Without a release a
 * batch may wait BATCH_WAIT_MS for company. Rows that wait are in the open transaction already, so
 * that the release that comes next has only its own row before its commit. Whoever else writes to
 * the store flushes first: loop.c does, before it serves anyone but brokers.
 */
#ifndef AV_KEEPER_BATCH_H
#define AV_KEEPER_BATCH_H

#include "keeper/channel.h"

#define BATCH_WAIT_MS 50u
#define BATCH_KEEP_MAX (2u * 1024u * 1024u)
#define BATCH_MAX 1024u /* releases in one transaction */

/* Milliseconds until a batch is due: 0 now, -1 nothing waits. */
int batch_due_ms(const struct keeper *k, uint64_t now_ms);
/* A transaction has begun and waits for its commit. */
bool batch_is_open(const struct keeper *k);
/* Puts what waits into the transaction, without a commit. */
void batch_gather(struct keeper *k);
void batch_flush(struct keeper *k);
void batch_free(struct keeper *k);
/* Takes in what brokers have already sent, then flushes, held denials too: what is read from the log after this call
 * is complete up to it. */
void batch_settle(struct keeper *k);

#endif
