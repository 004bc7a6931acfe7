/* SPDX-License-Identifier: Apache-2.0 */
/*
 * checkpoint_timer.h - a checkpoint a minute while rows come (batch.c adds one every 1,000 rows,
 * start and stop have their own). Without the KEK there is none: the next one is made at the unlock.
 */
#ifndef AV_KEEPER_CHECKPOINT_TIMER_H
#define AV_KEEPER_CHECKPOINT_TIMER_H

#include "keeper/keeper.h"

#define CHECKPOINT_WAIT_MS 60000u

/* Milliseconds until one is due: 0 now, -1 no row waits for one. */
int checkpoint_due_ms(const struct keeper *k, uint64_t now_ms);
/* Makes one, in a transaction of its own. After a failure (logged) it is due a minute later. */
void checkpoint_make(struct keeper *k);

#endif
