/* SPDX-License-Identifier: Apache-2.0 */
/*
 * host.h - host names and patterns.
 *
 * A host is `name[:port]`: lower-case letters, digits, '-' and '.', labels of 1 to 63 bytes that do
 * not begin or end in '-', 253 bytes at most, at least one dot, no trailing dot, the last label not
 * all digits (so no IPv4 form of any kind), no userinfo, scheme, path or brackets. Not `localhost`
 * or below `.localhost`, `.local`, `.internal`. An IDN is given in its xn-- form.
 * A pattern may begin with "*." before at least two labels; it matches any deeper name, not the apex.
 */
#ifndef AV_REACH_HOST_H
#define AV_REACH_HOST_H

#include "base/err.h"
#include "base/str.h"

#include <stdint.h>

/* *port is 0 where none is given. `allow_wildcard`: accept "*." patterns. */
enum av_err host_parse(struct str s, bool allow_wildcard, struct str *name, uint16_t *port,
    struct fault *f) AV_MUST_USE;
/* `host` without port; a pattern's port is not looked at. */
bool host_matches(struct str pattern, struct str host);

#endif
