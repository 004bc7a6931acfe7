/* SPDX-License-Identifier: Apache-2.0 */
/*
 * policy_params.h - what `capability policy set` stores for one capability: a row of policy_params.
 *
 * Replaced as a whole. A row whose MAC does not fit, or that does not read, keeps its id and carries
 * a fault: its capability is then refused, because a limit that is in doubt is no limit lifted.
 */
#ifndef AV_VAULT_POLICY_PARAMS_H
#define AV_VAULT_POLICY_PARAMS_H

#include "reach/manifest.h"
#include "vault/row.h"

#define POLICY_ABSENT UINT64_MAX /* no such limit */
#define POLICY_MAX_RATE 1000000000u
#define POLICY_MAX_BLOCKS 32u
#define POLICY_MAX_BLOCK_BYTES 512u
#define POLICY_MAX_BYTES ((1ull << 53) - 1) /* what JSON holds exactly */

struct policy_params {
	char *capability;
	uint64_t rate_per_minute; /* 0: no call at all */
	uint64_t max_request_bytes;
	uint64_t max_response_bytes;
	struct string_list response_block; /* texts to take out of answers' bodies */
	struct fault fault;
};

void policy_params_clear(struct policy_params *p);
enum av_err policy_params_put(
    struct store *s, const struct kek *k, const struct policy_params *p) AV_MUST_USE;
/* AV_ENOMEM only: a faulty row becomes one with `fault` set. */
enum av_err policy_params_decode(const struct row *row, struct policy_params *out) AV_MUST_USE;

#endif
