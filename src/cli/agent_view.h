/* SPDX-License-Identifier: Apache-2.0 */
/*
 * agent_view.h - what the agents' socket tells of capabilities, in the form of the operator's answers,
 * for an account that may not operate the vault. What it does not tell is left out.
 */
#ifndef AV_CLI_AGENT_VIEW_H
#define AV_CLI_AGENT_VIEW_H

#include "base/buf.h"
#include "base/err.h"

/* As capability.list: {"capabilities":[…]}, those that this account may call. Replaces *out. */
enum av_err agent_capabilities(struct buf *out, struct fault *f) AV_MUST_USE;
/* As capability.describe. *f: why this account may not call it. */
enum av_err agent_capability(const char *id, struct buf *out, struct fault *f) AV_MUST_USE;

#endif
