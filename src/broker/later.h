/* SPDX-License-Identifier: Apache-2.0 */
/*
 * later.h - work put off for a moment, to be done together.
 *
 * Frames and answers gather while events are handled and are written when LATER_GATHER of them are
 * there, at the latest before the loop waits again: nothing stays behind, yet many small writes
 * become one system call. The gathering is kept small because what waits here keeps another process
 * idle: with 64 calls that all wait for the end of a long turn, each process works while all others
 * wait. It is also how code leaves a libcurl callback before it calls libcurl again.
 */
#ifndef AV_BROKER_LATER_H
#define AV_BROKER_LATER_H

#include <stdbool.h>
#include <uv.h>

#define LATER_GATHER 16u

struct later_item {
	void (*run)(struct later_item *item); /* set by the owner, once */
	struct later_item *next;
	struct later_item *prev;
	bool queued;
};

struct later {
	uv_prepare_t prepare;
	uv_idle_t idle; /* keeps the loop from waiting while items are left */
	struct later_item head; /* a ring; its own run is never called */
	unsigned gathered; /* calls of later_add() since the last round */
	bool running;
};

int later_init(struct later *l, uv_loop_t *loop);
void later_close(struct later *l);
/* Queues an item; one that waits already stays where it is. */
void later_add(struct later *l, struct later_item *item);
/* For the end of an event's handler, outside of libcurl: does what waits if enough has gathered. */
void later_turn(struct later *l);
void later_cancel(struct later *l, struct later_item *item);

#endif
