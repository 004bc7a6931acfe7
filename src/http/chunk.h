/* SPDX-License-Identifier: Apache-2.0 */
/*
 * chunk.h - the chunked transfer coding (RFC 9112 section 7.1), decoded piece by piece.
 *
 * Size lines end in CR LF; a size is hex digits of at most 63 bits; extensions are skipped. Stops
 * after the size line of the last chunk: the trailer is for the caller. Copies nothing.
 */
#ifndef AV_HTTP_CHUNK_H
#define AV_HTTP_CHUNK_H

#include "base/err.h"
#include "base/str.h"

#define CHUNK_LINE_MAX 4096u /* a size line with its extensions and CR LF */

enum chunk_state {
	CHUNK_SIZE, /* before or among the digits */
	CHUNK_EXTENSION,
	CHUNK_SIZE_LF,
	CHUNK_DATA,
	CHUNK_DATA_CR,
	CHUNK_DATA_LF,
	CHUNK_LAST, /* the last chunk's line is over */
};

struct chunk_reader {
	enum chunk_state state;
	uint64_t left; /* size so far, then data bytes to come */
	size_t line; /* bytes of this size line so far */
	size_t digits;
};

void chunk_reader_init(struct chunk_reader *r);
/* Takes bytes until a run of data is found (*data), the last chunk's line ends or the input does. */
enum av_err chunk_reader_feed(struct chunk_reader *r, const uint8_t *in, size_t len, size_t *used,
    struct str *data, struct fault *f) AV_MUST_USE;

#endif
