/* SPDX-License-Identifier: Apache-2.0 */
/*
 * resolve.h - who may call what, with which credential, at which host. Gives no authority: release
 * asks the same questions again.
 *
 * Rights: the vault's owner and root may use any capability and any context. Another uid may use
 * every enabled capability, and no context, until it has a grant.
 * The credential: of the capability's provider, serving it, in scope, whole; the most specific scope
 * wins, then priority; two alike are ambiguous. The host is the one that capability and credential
 * share.
 */
#ifndef AV_KEEPER_RESOLVE_H
#define AV_KEEPER_RESOLVE_H

#include "keeper/keeper.h"
#include "wire/keeper.h"

#define RESOLVE_HOST_MAX 264u /* 253, ':', port */

/* Pointers borrow from the vault and the built-in table: good until the next change. */
struct resolution {
	const struct capability *capability;
	const char *provider;
	bool custom; /* made by CLI: no script */
	const struct credential *credential;
	char host[RESOLVE_HOST_MAX];
	struct scope context;
};

/* The capability and its provider: AV_ENOCAP, AV_ECORRUPT (its row or its
 * policy's), AV_EPOLICY capability_disabled. */
enum av_err resolve_capability(
    const struct keeper *k, struct str id, struct resolution *out, struct fault *f) AV_MUST_USE;
/* The one host that both allow. A credential's exact host wins over a capability's pattern, and the
 * other way round. Two patterns have no one host. AV_EPOLICY host_not_allowed, host_ambiguous. */
enum av_err resolve_host(const struct capability *cap, const struct credential *c,
    char out[RESOLVE_HOST_MAX], struct fault *f) AV_MUST_USE;
/* Everything. `credential` "" = choose. */
enum av_err resolve_call(const struct keeper *k, struct str capability, struct str credential,
    const struct caller *caller, struct resolution *out, struct fault *f) AV_MUST_USE;
/* Answers a KEEPER_RESOLVE frame: appends KEEPER_RESOLVED or KEEPER_FAULT. */
enum av_err resolve_answer(
    const struct keeper *k, const struct keeper_resolve *ask, struct buf *out) AV_MUST_USE;
/* Is every secret of `c` there, whole, in scope and not pinned elsewhere (I11)? */
enum av_err resolve_check_secrets(const struct keeper *k, const struct credential *c,
    const struct scope *context, struct fault *f) AV_MUST_USE;

#endif
