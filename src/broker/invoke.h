/* SPDX-License-Identifier: Apache-2.0 */
/*
 * invoke.h - the conductor of one call. Only invoke.c knows the order in which things happen.
 */
#ifndef AV_BROKER_INVOKE_H
#define AV_BROKER_INVOKE_H

struct session;

/* The head of a request for /i/... is whole: takes the exchange, or answers it. */
void invoke_start(struct session *s);

#endif
