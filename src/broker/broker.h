/* SPDX-License-Identifier: Apache-2.0 */
/*
 * broker.h - the process: its loop, its parts, its conversation with the supervisor (descriptor 3).
 *
 * One loop, one thread. Every part keeps a pointer to struct broker and reaches its neighbours
 * through it; nothing is global.
 */
#ifndef AV_BROKER_BROKER_H
#define AV_BROKER_BROKER_H

#include "base/buf.h"
#include "base/err.h"
#include "broker/later.h"
#include "broker/options.h"

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

struct call;
struct keeper_client;
struct listener;
struct policy_client;
struct resolve_cache;
struct upstream;

struct broker {
	uv_loop_t loop;
	struct broker_options opt;
	struct later later;
	struct keeper_client *keeper;
	struct policy_client *policy;
	struct resolve_cache *resolved;
	struct upstream *upstream;
	struct listener *listener;
	struct call *calls; /* list, of call.h */
	struct held *held; /* list: what envelopes take of memory */
	int agent_fd; /* waits until the keeper has told its state; -1: none */
	bool agent_is_connected; /* agent_fd is an agent itself, not a listening socket */

	uv_poll_t control;
	uv_timer_t idle_timer; /* telling "idle" waits a moment: calls often follow each other */
	uv_timer_t stop_timer;
	size_t running; /* calls under way */
	bool busy_told;
	bool ready_told;
	bool stopping;
};

/* `ca_path`: a PEM bundle that stays readable after confinement. */
enum av_err broker_init(
    struct broker *b, const struct broker_options *opt, const char *ca_path) AV_MUST_USE;
/* Runs until the supervisor says stop or closes the control socket. */
void broker_run(struct broker *b);
void broker_clear(struct broker *b);

/* A call begins and ends: the supervisor hears about the edges only. */
void broker_call_begins(struct broker *b);
void broker_call_ends(struct broker *b);
/* A connection has closed: while stopping, the last one is the end. */
void broker_maybe_leave(struct broker *b);
/* The keeper has told its state: from now on agents can be served. */
void broker_on_keeper_state(struct broker *b);
/* The judge missed its deadline: asks the supervisor for a new one. */
void broker_tell_judge_silent(struct broker *b);
void broker_tell_keeper_lost(struct broker *b);

#endif
