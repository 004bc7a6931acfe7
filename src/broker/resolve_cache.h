/* SPDX-License-Identifier: Apache-2.0 */
/*
 * resolve_cache.h - what the keeper said about (capability, credential, caller), for as long as
 * its generation stays the same. A hint to save a round trip, never an authority: the keeper
 * checks all of it again at release.
 */
#ifndef AV_BROKER_RESOLVE_CACHE_H
#define AV_BROKER_RESOLVE_CACHE_H

#include "wire/keeper.h"

#include <stdint.h>

#define RESOLVE_CACHE_MAX 1024u /* entries; at the next one all go */

struct resolution {
	struct keeper_resolved r;
	size_t refs;
};
struct resolve_cache;

struct resolve_key {
	struct str capability;
	struct str credential; /* as asked for; "" = any */
	const struct caller *caller; /* uid, name and context count */
};

enum av_err resolve_cache_new(struct resolve_cache **out) AV_MUST_USE;
void resolve_cache_free(struct resolve_cache *c);
/* A reference, or NULL. An older generation than `generation` empties the cache first. */
struct resolution *resolve_cache_get(
    struct resolve_cache *c, const struct resolve_key *k, uint64_t generation);
/* Takes the content of *r (zeroed then) into a resolution that the caller holds a reference to.
 * It is kept if its generation is `generation`. NULL: out of memory, *r is as it was. */
struct resolution *resolve_cache_put(struct resolve_cache *c, const struct resolve_key *k,
    uint64_t generation, struct keeper_resolved *r);
void resolution_unref(struct resolution *r); /* NULL is fine */

#endif
