/* SPDX-License-Identifier: Apache-2.0 */
#include "http/chunk.h"

#define REMEDY "send well-formed chunks, or a content-length"

void
chunk_reader_init(struct chunk_reader *r)
{
	*r = (struct chunk_reader){.state = CHUNK_SIZE};
}

static enum av_err
refuse(struct fault *f, const char *what)
{
	return fault_set(f, AV_EFORMAT, "http_bad_chunk", REMEDY, "%s", what);
}

static enum av_err
size_byte(struct chunk_reader *r, uint8_t c, struct fault *f)
{
	int digit = hex_digit((char)c);

	if (digit >= 0) {
		if (r->left > (uint64_t)INT64_MAX >> 4)
			return fault_set(f, AV_ELIMIT, "http_bad_chunk", REMEDY,
			    "a chunk's size is over 63 bits");
		r->left = r->left << 4 | (uint64_t)digit;
		r->digits++;
		return AV_OK;
	}
	if (r->digits == 0 || (c != ';' && c != '\r'))
		return refuse(f, "a chunk's size is not hex digits before CR LF or ';'");
	r->state = c == ';' ? CHUNK_EXTENSION : CHUNK_SIZE_LF;
	return AV_OK;
}

/* A byte that is no data. */
static enum av_err
frame_byte(struct chunk_reader *r, uint8_t c, struct fault *f)
{
	switch (r->state) {
	case CHUNK_SIZE:
		return size_byte(r, c, f);
	case CHUNK_EXTENSION:
		/* A quoted value cannot hold CR or LF, so there is no need to look for its end. */
		if (c == '\r')
			r->state = CHUNK_SIZE_LF;
		else if ((c < 0x20 && c != '\t') || c == 0x7f)
			return refuse(f, "a control byte in a chunk's extensions");
		return AV_OK;
	case CHUNK_SIZE_LF:
		if (c != '\n')
			return refuse(f, "a CR without LF after a chunk's size");
		r->state = r->left > 0 ? CHUNK_DATA : CHUNK_LAST;
		r->line = r->digits = 0;
		return AV_OK;
	case CHUNK_DATA_CR:
		if (c != '\r')
			return refuse(f, "a chunk's data is not followed by CR LF");
		r->state = CHUNK_DATA_LF;
		return AV_OK;
	case CHUNK_DATA_LF:
		if (c != '\n')
			return refuse(f, "a chunk's data is not followed by CR LF");
		r->state = CHUNK_SIZE;
		return AV_OK;
	case CHUNK_DATA:
	case CHUNK_LAST:
	default:
		return refuse(f, "a chunk is out of step");
	}
}

enum av_err
chunk_reader_feed(struct chunk_reader *r, const uint8_t *in, size_t len, size_t *used,
    struct str *data, struct fault *f)
{
	*data = (struct str){NULL, 0};
	for (*used = 0; *used < len && r->state != CHUNK_LAST;) {
		enum av_err e;
		if (r->state == CHUNK_DATA) {
			size_t n = len - *used;
			if (n > r->left)
				n = (size_t)r->left;
			*data = (struct str){(const char *)in + *used, n};
			*used += n;
			r->left -= n;
			if (r->left == 0)
				r->state = CHUNK_DATA_CR;
			return AV_OK;
		}
		if ((r->state == CHUNK_SIZE || r->state == CHUNK_EXTENSION) &&
		    ++r->line > CHUNK_LINE_MAX)
			return fault_set(f, AV_ELIMIT, "http_chunk_line_too_long", REMEDY,
			    "a chunk's size and extensions are over %u bytes", CHUNK_LINE_MAX);
		e = frame_byte(r, in[*used], f);
		if (e != AV_OK)
			return e;
		(*used)++;
	}
	return AV_OK;
}
