/* SPDX-License-Identifier: Apache-2.0 */
/*
 * policy_client.h - the broker's side of the conversation with the judge (wire/judge.h).
 *
 * The judge answers in order, one question at a time. A question at the head of the line that gets
 * no verdict within the deadline makes the supervisor replace the judge: that question is denied,
 * the others are asked once more. The same holds for a judge that dies.
 *
 * A provider's script that hits its limits three times within ten seconds is denied here, unasked, for a
 * minute: to the user for whom it did so. A capability made by CLI has policies but no script, and is
 * suspended for itself alone. A script for which the judge had to be replaced twice within a minute
 * is suspended for everybody.
 */
#ifndef AV_BROKER_POLICY_CLIENT_H
#define AV_BROKER_POLICY_CLIENT_H

#include "broker/broker.h"
#include "wire/counts.h"

#include <stdbool.h>

struct policy_client;

/* Called once for a question: with the verdict, or with the fault that stands for "deny". */
typedef void (*policy_verdict_fn)(void *ctx, const struct judge_verdict *v, const struct fault *f);

enum av_err policy_client_new(struct broker *b, struct policy_client **out) AV_MUST_USE;
void policy_client_free(struct policy_client *p);
/* Takes fd; replaces the channel. */
enum av_err policy_client_use(struct policy_client *p, int fd) AV_MUST_USE;
bool policy_client_has_channel(const struct policy_client *p);

/*
 * Fills in ask_id and has_body. `body` (p NULL: none to show) must stay where it is until fn was
 * called. On error *f says why and fn is not called.
 */
enum av_err policy_client_ask(struct policy_client *p, struct judge_ask *ask, struct str body,
    policy_verdict_fn fn, void *ctx, struct fault *f) AV_MUST_USE;
/* What was allowed was not let through by us: its charges are taken off the judge's copy again. The
 * keeper tells the judge of its own refusals. */
void policy_client_refund(struct policy_client *p, const struct judge_verdict *v);

#endif
