/* SPDX-License-Identifier: Apache-2.0 */
/*
 * counter_table.h - the judge's working copy of the counters. The keeper's are the authority.
 *
 * A window slides over the wall clock in COUNTER_SLOTS slots; a slot counts in full until all of it
 * has left the window, so a copy never counts too little by more than what it has not seen. When
 * the table is full the counter that was used longest ago goes. Where the clock was put back by more than
 * the window, what was counted counts as of now.
 */
#ifndef AV_POLICY_COUNTER_TABLE_H
#define AV_POLICY_COUNTER_TABLE_H

#include "base/err.h"
#include "wire/counts.h"

#define COUNTER_SLOTS 60u
#define COUNTER_MAX 4096u
#define COUNTER_KEY_MAX 400u
#define COUNTER_MAX_WINDOW_S (31u * 86400u)

struct counter_table;

struct counter_table *counter_table_new(void); /* NULL when out of memory */
void counter_table_free(struct counter_table *t);
/* What the window holds. window_s 0: of the counter with that key, whatever its window. */
uint64_t counter_table_sum(
    struct counter_table *t, struct str key, uint32_t window_s, int64_t now_ms);
/* Seconds until `need` of what the window holds have left it; at least 1. */
uint32_t counter_table_wait(
    struct counter_table *t, struct str key, uint32_t window_s, uint64_t need, int64_t now_ms);
void counter_table_charge(
    struct counter_table *t, const struct charge *charges, size_t count, int64_t now_ms);
/* Charges that came to nothing: taken off again, from the newest slots first. */
void counter_table_refund(struct counter_table *t, const struct charge *charges, size_t count);
void counter_table_clear(struct counter_table *t);
/* Adds what the keeper has counted of one counter. */
void counter_table_fill(struct counter_table *t, const struct counts_fill *m);

#endif
