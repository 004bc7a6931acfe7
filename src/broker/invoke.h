/* SPDX-License-Identifier: Apache-2.0 */
/*
 * invoke.h - the conductor of one call. Only invoke.c knows the order in which things happen.
 */
#ifndef AV_BROKER_INVOKE_H
#define AV_BROKER_INVOKE_H

#include "base/err.h"
#include "base/str.h"

struct broker;
struct session;

/* The head of a request for /i/... is whole: takes the exchange, or answers it. */
void invoke_start(struct session *s);
/* The same for an envelope that came whole; the handler that has the exchange hands it over. On
 * error it still has it, and answers with *f. */
enum av_err invoke_start_envelope(struct session *s, struct str text, struct fault *f) AV_MUST_USE;
/* Ends every call of that capability and credential ("" = any) that the upstream has the word in.
 * Not inside a callback of a transfer. */
void invoke_end(
    struct broker *b, struct str capability, struct str credential, const struct fault *f);

#endif
