/* SPDX-License-Identifier: Apache-2.0 */
/*
 * policy_list.h - the two lists that travel in the judge's and in the keeper's messages: policy
 * instances and charges. Decoded strings borrow from the frame, the array is the caller's to free.
 */
#ifndef AV_WIRE_POLICY_LIST_H
#define AV_WIRE_POLICY_LIST_H

#include "wire/judge.h"

/* A count over JUDGE_MAX_POLICIES (JUDGE_MAX_CHARGES) fails the writer with AV_ELIMIT. */
void policy_list_encode(const struct policy_instance *items, size_t count, struct frame_writer *w);
void policy_list_decode(struct frame_reader *r, struct policy_instance **items, size_t *count);
void charge_list_encode(const struct charge *items, size_t count, struct frame_writer *w);
void charge_list_decode(struct frame_reader *r, struct charge **items, size_t *count);

#endif
