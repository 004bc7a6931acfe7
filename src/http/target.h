/* SPDX-License-Identifier: Apache-2.0 */
/*
 * target.h - the one canonical form of a request target: what is checked is what is sent (I5).
 *
 * Path: begins with '/', at most TARGET_MAX bytes with its query. Escapes of unreserved bytes
 * (RFC 3986 2.3) are decoded, all others upper-cased; a byte that may not stand raw in a path is
 * refused, not escaped. Refused: control bytes, space, bytes above 0x7e, backslash, '#', %2f, %5c,
 * %00, dot segments raw or escaped ("%2e"), double-encoded dots and slashes (%252e, %252f, %255c),
 * "//", text that is not UTF-8 after one decode, bad escapes. With opaque_slash, %2F and "//" stay.
 *
 * Query (after the first '?', without it): refused: control bytes, space, bytes above 0x7e, '#',
 * %00, bad escapes, non-UTF-8 after decoding. Unreserved bytes are decoded, escapes upper-cased,
 * nothing else is touched: pairs are never re-encoded or reordered.
 */
#ifndef AV_HTTP_TARGET_H
#define AV_HTTP_TARGET_H

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

#define TARGET_MAX (16u * 1024u)

struct target {
	struct buf path; /* canonical, never empty */
	struct buf query; /* canonical, without '?' */
	bool has_query;
};

void target_init(struct target *t);
void target_clear(struct target *t);
/* `raw` is an origin-form target. On error *f says which rule, with reason `path_*`/`query_*`. */
enum av_err target_parse(
    struct target *t, struct str raw, bool opaque_slash, struct fault *f) AV_MUST_USE;

/* Walks `name=value` pairs of a canonical query; names and values are decoded ('+' is a space)
 * into `scratch`; empty pairs are skipped. Call with *pos = 0; false at the end. A bad pair cannot
 * occur after parsing. False also when `scratch` fails: a check must then look at buf_err(). */
bool query_next(
    struct str query, size_t *pos, struct buf *scratch, struct str *name, struct str *value);
/* Percent-encodes everything but unreserved bytes. */
enum av_err percent_encode(struct buf *out, struct str s) AV_MUST_USE;
/* One decode of %XX (not '+'). AV_EFORMAT on a bad escape. */
enum av_err percent_decode(struct buf *out, struct str s) AV_MUST_USE;

#endif
