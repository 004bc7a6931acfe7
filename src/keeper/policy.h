/* SPDX-License-Identifier: Apache-2.0 */
/*
 * policy.h - limits that the operator set for a capability, as the keeper holds them.
 *
 * The resolve answer tells them to broker and judge; the release checks them again on the keeper's
 * own row, whatever those two have said: a rate that was set is charged also where the judge forgot
 * the charge or named another limit.
 */
#ifndef AV_KEEPER_POLICY_H
#define AV_KEEPER_POLICY_H

#include "keeper/keeper.h"
#include "wire/keeper.h"

#include <cjson/cJSON.h>

/* Sizes and instances of *out, for p (NULL: nothing is set). *room is what `policies` points to. */
void policy_tell(
    const struct policy_params *p, struct policy_instance *room, struct keeper_resolved *out);
/* Size, then all charges or none, in the open transaction. AV_ETOOBIG, AV_ERATE with *retry_after;
 * AV_ESYS, AV_ENOMEM: the transaction must be given up. */
enum av_err policy_charge(struct keeper *k, const struct keeper_release *ask, int64_t now_ms,
    uint32_t *retry_after, struct fault *f) AV_MUST_USE;
/* {capabilityId, policy:{...}}; p NULL: every limit null. */
cJSON *policy_describe(const char *capability, const struct policy_params *p);
/* {rateLimitPerMinute, callsLeft, ...} of what is set; NULL: nothing is. */
cJSON *policy_left(const struct keeper *k, const char *capability, int64_t now_ms);

#endif
