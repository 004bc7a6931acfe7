/* SPDX-License-Identifier: Apache-2.0 */
/*
 * batch.h - the group commit.
 *
 * Everything that channels put aside goes into one transaction: decision rows with their charges,
 * denials, outcomes. Then the commit; then the answers. When it fails, every release of it is
 * answered audit_write_failed (I3), and rows of denials and outcomes are kept and tried again, at
 * most BATCH_KEEP_MAX bytes of them. Without a release a batch may wait BATCH_WAIT_MS for company.
 */
#ifndef AV_KEEPER_BATCH_H
#define AV_KEEPER_BATCH_H

#include "keeper/channel.h"

#define BATCH_WAIT_MS 50u
#define BATCH_KEEP_MAX (2u * 1024u * 1024u)
#define BATCH_MAX 1024u /* releases in one transaction */

/* Milliseconds until a batch is due: 0 now, -1 nothing waits. */
int batch_due_ms(const struct keeper *k, uint64_t now_ms);
void batch_flush(struct keeper *k);
/* Takes in what brokers have already sent, then flushes, held denials too: what is read from the log after this call
 * is complete up to it. */
void batch_settle(struct keeper *k);

#endif
