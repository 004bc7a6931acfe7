/* SPDX-License-Identifier: Apache-2.0 */
/*
 * reach.h - may this capability go there? (I13: the same function in the broker and in the keeper)
 */
#ifndef AV_REACH_REACH_H
#define AV_REACH_REACH_H

#include "reach/manifest.h"

/*
 * `host`: lower case, no port. `path`: canonical (http/target.h). AV_OK, or AV_EPOLICY with *f's
 * reason one of method_not_allowed, host_not_allowed, path_not_allowed. A prefix matches a path
 * that is equal to it, or starts with it where the prefix ends in '/', '.' or ':' or the next byte
 * is '/'. (A prefix "/" therefore matches all.)
 */
enum av_err reach_allows(const struct capability *c, struct str method, struct str host,
    struct str path, struct fault *f) AV_MUST_USE;
bool path_prefix_matches(struct str prefix, struct str path);

#endif
