/* SPDX-License-Identifier: Apache-2.0 */
/*
 * proxy.h - POST /aivault/proxy: gathers an envelope, then hands it to the conductor.
 */
#ifndef AV_BROKER_PROXY_H
#define AV_BROKER_PROXY_H

struct session;

/* The head is whole: takes the exchange, or answers it. */
void proxy_start(struct session *s);

#endif
