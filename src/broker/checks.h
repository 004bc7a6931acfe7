/* SPDX-License-Identifier: Apache-2.0 */
/*
 * checks.h - what C always enforces before the judge is asked (I5, I13). Pure: no state, no I/O.
 *
 * Order: method and reach; headers; query; sizes. Reserved headers, what `Connection` names and
 * accept-encoding are taken off without a word; an auth-class header, one that the credential
 * manages, and a repeated one are refused.
 */
#ifndef AV_BROKER_CHECKS_H
#define AV_BROKER_CHECKS_H

#include "base/err.h"
#include "http/header_list.h"
#include "http/target.h"
#include "wire/keeper.h"

#include <stdbool.h>
#include <stdint.h>

struct check_subject {
	const struct keeper_resolved *resolved;
	struct str method;
	const struct target *target;
	struct header_list *headers; /* changed: what is to be dropped goes */
	bool has_body;
	uint64_t body_size; /* UINT64_MAX: not known */
};

/* AV_EPOLICY (method_not_allowed, host_not_allowed, path_not_allowed, auth_header,
 * duplicate_header, auth_query, body_encoded) or AV_ETOOBIG (request_too_big,
 * body_too_big_to_inspect). */
enum av_err checks_request(const struct check_subject *c, struct fault *f) AV_MUST_USE;
/* A body that a check reads: strict UTF-8 where it has to be text. */
enum av_err checks_inspected_body(struct str body, struct fault *f) AV_MUST_USE;
/* The judge's header changes, applied. A name that is not the judge's to set: policy_error. */
enum av_err checks_apply_ops(struct header_list *headers, const struct keeper_resolved *resolved,
    const struct header_op *ops, size_t count, struct fault *f) AV_MUST_USE;
/* The host without its port. */
struct str checks_host_name(struct str host);

#endif
