/* SPDX-License-Identifier: Apache-2.0 */
/*
 * decode.h - the content codings gzip and deflate (RFC 9110 section 8.4.1), undone piece by piece.
 *
 * We ask upstreams for bodies as they are; some have only coded ones. What cannot be read cannot be
 * scrubbed, so other codings are refused. The work is zlib's.
 */
#ifndef AV_BROKER_DECODE_H
#define AV_BROKER_DECODE_H

#include "base/err.h"
#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

struct decoder;

/* What Content-Encoding says needs undoing: not for "" and identity. */
bool decode_is_needed(struct str coding);
/* AV_ENOTSUP: a coding, or a row of them, that is not known here. */
enum av_err decoder_new(struct str coding, struct decoder **out) AV_MUST_USE;
void decoder_free(struct decoder *d);
/* Takes from in what is needed to fill `out`, or all: *used and *made say how much. Call it again with
 * the rest until all is used and decoder_has_more() is false. AV_EFORMAT: not this coding. */
enum av_err decoder_feed(struct decoder *d, struct str in, size_t *used, uint8_t *out, size_t room,
    size_t *made) AV_MUST_USE;
/* It would give more without more input. */
bool decoder_has_more(const struct decoder *d);
/* The input may end here: nothing came, or all of it. */
bool decoder_is_whole(const struct decoder *d);

#endif
