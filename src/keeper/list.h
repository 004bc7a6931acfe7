/* SPDX-License-Identifier: Apache-2.0 */
/*
 * list.h - what a caller may invoke: the JSON of /aivault/capabilities. Names no secrets.
 */
#ifndef AV_KEEPER_LIST_H
#define AV_KEEPER_LIST_H

#include "keeper/resolve.h"

/* Appends KEEPER_LISTED ({"capabilities":[{id,provider,about,methods,paths,host,credential,limits?}]},
 * or one such object, with how to call it, where a capability was named) or KEEPER_FAULT. Where several credentials fit
 * alike, "credentials" has them all in the place of host and credential: a call has to name one. */
enum av_err list_answer(
    const struct keeper *k, const struct keeper_list *ask, struct buf *out) AV_MUST_USE;
/* What its owner needs before a call, on behalf of somebody, naming what has to be named. The more that
 * is there, the higher. */
enum list_state {
	LIST_NEEDS_CREDENTIAL,
	LIST_FAULTY, /* what is stored for it fails its check */
	LIST_DISABLED, /* or not enabled for the credential: `capability enable` mends both */
	LIST_LOCKED, /* the vault is */
	LIST_READY
};
enum list_state list_state(const struct keeper *k, const char *id);
const char *list_state_word(enum list_state state); /* "needs_credential", "faulty", ... */

#endif
