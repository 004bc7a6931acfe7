/* SPDX-License-Identifier: Apache-2.0 */
/* channel.h - the judge's descriptors: control socket, broker, keeper, and the loop over them. */
#ifndef AV_POLICY_CHANNEL_H
#define AV_POLICY_CHANNEL_H

#include "policy/judge.h"

/* Confines the process, says that it is ready, and serves until the control socket tells it to stop
 * or closes (AV_OK). A broker that breaks the protocol ends it with an error; the supervisor starts
 * a new judge. */
enum av_err channel_run(struct judge *j) AV_MUST_USE;

#endif
