/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kept.h - connections to upstreams that no transfer is on, for the next one to the same host.
 *
 * One that is closed by the other side, or says something unasked, is closed here at once; so is the
 * oldest when there are too many, and each after a time that is shorter than what servers give it.
 */
#ifndef AV_BROKER_KEPT_H
#define AV_BROKER_KEPT_H

#include "base/str.h"
#include "broker/connection.h"

#include <uv.h>

#define KEPT_MAX 256u
#define KEPT_MAKING_MAX 8u /* of them, those that do not stand yet */
#define KEPT_FOR_MS 55000u /* most servers close idle connections after 60 s or more */
#define KEPT_LOOK_MS 2000u /* how often the oldest are looked at */

struct kept {
	uv_loop_t *loop;
	struct connection *oldest;
	struct connection *newest;
	size_t count;
	uv_timer_t *timer;
};

enum av_err kept_init(struct kept *k, uv_loop_t *loop) AV_MUST_USE;
void kept_clear(struct kept *k);
/* Takes over a connection; one that is still being made only while there are few of these, so that calls
 * that are given up again and again push out nobody's connection. */
void kept_put(struct kept *k, struct connection *c);
/* The one to that host that was used last, or NULL. It still tells the keep of its events: give it to
 * its user (connection_give). */
struct connection *kept_take(struct kept *k, struct str host);
/* Closes all. */
void kept_drop(struct kept *k);

#endif
