/* SPDX-License-Identifier: Apache-2.0 */
/* loop.h - the keeper's one poll() loop: control socket, operator socket, clients, brokers, batch. */
#ifndef AV_KEEPER_LOOP_H
#define AV_KEEPER_LOOP_H

#include "keeper/keeper.h"

/* Runs until the supervisor says stop or is gone. AV_OK: a clean end. */
enum av_err loop_run(struct keeper *k) AV_MUST_USE;

#endif
