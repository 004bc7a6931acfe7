/* SPDX-License-Identifier: Apache-2.0 */
/*
 * keeper_client.h - the broker's side of the conversation with the keeper (wire/keeper.h).
 *
 * Each question has one answer: the keeper's, a fault of its, or AV_EUNAVAIL when the channel is gone
 * or the keeper is silent for too long (keeper_asks.h). What the keeper pushes about itself (generation, locked) is kept here.
 */
#ifndef AV_BROKER_KEEPER_CLIENT_H
#define AV_BROKER_KEEPER_CLIENT_H

#include "broker/broker.h"
#include "wire/keeper.h"

#include <stdbool.h>

struct keeper_client;

/* Exactly one of these is called for a question; `f` is NULL in the good case. What is passed in
 * is gone after the call, but for `resolved`: its content may be taken (move it, then zero it). */
struct keeper_answer {
	const struct keeper_fault *fault;
	struct keeper_resolved *resolved;
	const struct keeper_released *released;
	const struct keeper_listed *listed;
};
typedef void (*keeper_answer_fn)(void *ctx, const struct keeper_answer *a);

enum av_err keeper_client_new(struct broker *b, struct keeper_client **out) AV_MUST_USE;
void keeper_client_free(struct keeper_client *k);
/* Takes fd. Questions that wait on an older channel are answered with AV_EUNAVAIL. */
enum av_err keeper_client_use(struct keeper_client *k, int fd) AV_MUST_USE;

bool keeper_client_is_up(const struct keeper_client *k); /* a channel, and a state came */
bool keeper_client_has_channel(const struct keeper_client *k);
bool keeper_client_locked(const struct keeper_client *k);
bool keeper_client_has_vault(const struct keeper_client *k);
uint64_t keeper_client_generation(const struct keeper_client *k);
/* AV_OK, or the fault of a keeper that is down, locked or without a vault. */
enum av_err keeper_client_check(const struct keeper_client *k, struct fault *f) AV_MUST_USE;

/* The message's ask_id is filled in. On error `fn` is not called. `wait_ms`: what the call has left of
 * its own time, 0: no limit of its own. */
enum av_err keeper_client_resolve(struct keeper_client *k, struct keeper_resolve *m,
    uint64_t wait_ms, keeper_answer_fn fn, void *ctx) AV_MUST_USE;
/* The texts of `m` are borrowed until `fn` is called. */
enum av_err keeper_client_release(struct keeper_client *k, struct keeper_release *m,
    uint64_t wait_ms, keeper_answer_fn fn, void *ctx) AV_MUST_USE;
enum av_err keeper_client_list(
    struct keeper_client *k, struct keeper_list *m, keeper_answer_fn fn, void *ctx) AV_MUST_USE;
/* One way. A keeper that is gone has no row; that is logged. */
void keeper_client_denied(struct keeper_client *k, const struct keeper_denied *m);
void keeper_client_outcome(struct keeper_client *k, const struct keeper_outcome *m);

#endif
