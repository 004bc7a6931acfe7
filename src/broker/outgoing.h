/* SPDX-License-Identifier: Apache-2.0 */
/*
 * outgoing.h - the target that goes upstream, and the text of it that may be shown.
 *
 * target = path prefix of the alternative + path auth + canonical path + '?' + canonical query +
 * query auth: what was checked is what is sent, with these additions and no others (I5). Rendered
 * values are percent-encoded where they enter a path or a query. The shown form is a URL with
 * REDACTED where a secret stands.
 */
#ifndef AV_BROKER_OUTGOING_H
#define AV_BROKER_OUTGOING_H

#include "base/buf.h"
#include "base/err.h"
#include "broker/scrub.h"
#include "http/target.h"
#include "wire/keeper.h"

/* AV_EAUTH: a rendered part cannot be placed. `target` holds secret bytes: clear it. */
enum av_err outgoing_build(const struct keeper_resolved *r, const struct target *t,
    const struct keeper_released *released, struct buf *target, struct buf *shown,
    struct fault *f) AV_MUST_USE;
/* The secret bytes of the parts as needles, and for basic auth the password and the pair, each in
 * every form of needle_forms.h. */
enum av_err outgoing_needles(const struct keeper_released *released, struct scrub *s) AV_MUST_USE;

#endif
