/* SPDX-License-Identifier: Apache-2.0 */
/*
 * verification.h - `audit verify` of a log that may be long: a slice a turn of the loop, so that calls
 * go on. An operator's connection has one at a time; its frame is handled again when that is over
 * (operator_api.h).
 */
#ifndef AV_KEEPER_VERIFICATION_H
#define AV_KEEPER_VERIFICATION_H

#include "audit/chain.h"
#include "audit/checkpoint_walk.h"
#include "keeper/keeper.h"

struct verification;

/* What stands there now, against `pk`. Of a log in memory, which is short and loses its oldest rows, all
 * of it at once. The vault stays open as long. */
enum av_err verification_new(const struct keeper *k, const uint8_t pk[VAULT_PUBLIC_KEY_LEN],
    struct verification **out) AV_MUST_USE;
void verification_free(struct verification *v); /* NULL: nothing */

/* Some 2 ms of work. */
void verification_go_on(struct verification *v);
bool verification_is_over(const struct verification *v);
/* When it is over. An error: the log could not be read, and the reports say nothing. */
enum av_err verification_result(const struct verification *v, struct chain_report *chain,
    struct checkpoint_report *points) AV_MUST_USE;

#endif
