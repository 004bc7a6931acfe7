/* SPDX-License-Identifier: Apache-2.0 */
/*
 * supervise.h - starts keeper, judge and broker, wires them up, keeps them running, ends them.
 *
 * Parses nothing but the tag bytes of wire/control.h and holds no key. The order of starting and
 * the rules of restarting are in docs/PROTOCOL.md, "Start".
 */
#ifndef AV_DAEMON_SUPERVISE_H
#define AV_DAEMON_SUPERVISE_H

#include "daemon/listen.h"
#include "daemon/options.h"
#include "daemon/private.h"
#include "daemon/signals.h"

/* Runs until a signal, an operator or the idle time ends it: AV_OK. The lock of *l must be held;
 * the sockets are opened here, once the keeper is ready. `ready` is called once, when all three
 * work. *f says why it could not start or go on. With `p` (else NULL) it serves p's connections in
 * their place, touches no *l, and ends with p's life line or its broker. */
enum av_err supervise(const struct options *o, struct listen *l, struct signals *s,
    struct private *p, void (*ready)(void *), void *ctx, struct fault *f) AV_MUST_USE;

#endif
