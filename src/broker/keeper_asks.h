/* SPDX-License-Identifier: Apache-2.0 */
/*
 * keeper_asks.h - the questions that the keeper has not answered yet.
 *
 * None waits for ever: a keeper whose disk hangs is silent and lives. Who waited too long is answered
 * with AV_EUNAVAIL keeper_slow, and the question stays until its answer comes, which nobody gets then.
 */
#ifndef AV_BROKER_KEEPER_ASKS_H
#define AV_BROKER_KEEPER_ASKS_H

#include "broker/keeper_client.h"

#include <uv.h>

#define KEEPER_PATIENCE_MS 30000u

struct keeper_asks;

/* A released call that nobody waited for: the log has its decision and wants its outcome. */
typedef void (*keeper_late_fn)(void *ctx, struct str request_id, struct str capability);

enum av_err keeper_asks_new(
    uv_loop_t *loop, keeper_late_fn late, void *ctx, struct keeper_asks **out) AV_MUST_USE;
/* After keeper_asks_fail(). */
void keeper_asks_free(struct keeper_asks *a);

/* The number of the next question, to be put into its message. */
uint64_t keeper_asks_next_id(struct keeper_asks *a);
/* Notes who waits for the answer `want` (a message type) to the question just numbered: at most
 * `wait_ms`, 0: KEEPER_PATIENCE_MS. `release` NULL: another question; its texts are borrowed until `fn`
 * is called. */
enum av_err keeper_asks_add(struct keeper_asks *a, uint16_t want, uint64_t wait_ms,
    const struct keeper_release *release, keeper_answer_fn fn, void *ctx) AV_MUST_USE;
/* Nobody is told where no such question waits for such an answer. `want` 0: whatever it waits for. */
void keeper_asks_answer(
    struct keeper_asks *a, uint64_t id, uint16_t want, const struct keeper_answer *answer);
/* All of them, those too that are asked meanwhile. */
void keeper_asks_fail(struct keeper_asks *a, const struct keeper_answer *answer);

#endif
