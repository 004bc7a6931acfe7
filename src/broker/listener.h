/* SPDX-License-Identifier: Apache-2.0 */
/*
 * listener.h - accepts agents: reads who they are from the kernel, counts them, keeps the list.
 */
#ifndef AV_BROKER_LISTENER_H
#define AV_BROKER_LISTENER_H

#include "broker/broker.h"

#include <stdint.h>

struct listener;
struct session;

enum av_err listener_new(struct broker *b, struct listener **out) AV_MUST_USE;
/* Takes a listening descriptor; one that was there before is closed. */
enum av_err listener_use(struct listener *l, int fd) AV_MUST_USE;
/* Takes the connection of the one agent, where there is no socket to listen on. */
void listener_take(struct listener *l, int fd);
bool listener_is_open(const struct listener *l); /* listens, or has taken its one agent */
/* No new connections; idle ones close, busy ones after their answer. */
void listener_stop(struct listener *l);
void listener_close_all(struct listener *l); /* at once; their calls are told */
size_t listener_count(const struct listener *l);
void listener_free(struct listener *l); /* when none is left */

/* The list of sessions, for session.c. */
struct listener_node {
	struct listener_node *next;
	struct listener_node *prev;
	struct session *session;
	uint32_t uid;
};
void listener_add(struct listener *l, struct listener_node *n);
void listener_remove(struct listener *l, struct listener_node *n);

#endif
