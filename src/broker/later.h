/* SPDX-License-Identifier: Apache-2.0 */
/*
 * later.h - work put off to the end of the loop's present turn.
 *
 * Frames and answers gather while events are handled and are written once before the loop waits
 * again: nothing stays behind, yet many small writes become one system call. It is also how code
 * leaves a libcurl callback before it calls libcurl again.
 */
#ifndef AV_BROKER_LATER_H
#define AV_BROKER_LATER_H

#include <stdbool.h>
#include <uv.h>

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
};

int later_init(struct later *l, uv_loop_t *loop);
void later_close(struct later *l);
/* Queues an item; one that waits already stays where it is. */
void later_add(struct later *l, struct later_item *item);
void later_cancel(struct later *l, struct later_item *item);

#endif
