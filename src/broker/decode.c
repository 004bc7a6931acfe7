/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/decode.h"

#include <limits.h>
#include <stdlib.h>
#include <zlib.h>

/* inflateInit2(): the largest window, and 32 for "gzip or zlib, see which" (zlib.h). */
#define WINDOW_BITS (MAX_WBITS + 32)

struct decoder {
	z_stream z;
	bool began;
	bool ended; /* at the end of a stream; gzip may go on with another (RFC 1952 section 2.2) */
	bool more;
};

bool
decode_is_needed(struct str coding)
{
	return coding.len > 0 && !str_ieq_cstr(coding, "identity");
}

static bool
coding_is_known(struct str coding)
{
	return str_ieq_cstr(coding, "gzip") || str_ieq_cstr(coding, "x-gzip") ||
	    str_ieq_cstr(coding, "deflate");
}

enum av_err
decoder_new(struct str coding, struct decoder **out)
{
	struct decoder *d;

	*out = NULL;
	if (!coding_is_known(coding))
		return AV_ENOTSUP;
	d = calloc(1, sizeof(*d));
	if (d == NULL)
		return AV_ENOMEM;
	if (inflateInit2(&d->z, WINDOW_BITS) != Z_OK) {
		free(d);
		return AV_ENOMEM;
	}
	*out = d;
	return AV_OK;
}

void
decoder_free(struct decoder *d)
{
	if (d == NULL)
		return;
	(void)inflateEnd(&d->z);
	free(d);
}

static enum av_err
decoder_turn(struct decoder *d)
{
	int rc;

	if (d->ended && inflateReset(&d->z) != Z_OK)
		return AV_EFORMAT;
	d->began = true;
	d->ended = false;
	rc = inflate(&d->z, Z_NO_FLUSH);
	if (rc == Z_MEM_ERROR)
		return AV_ENOMEM;
	d->ended = rc == Z_STREAM_END;
	/* Z_BUF_ERROR: nothing to do just now. */
	return rc == Z_OK || rc == Z_STREAM_END || rc == Z_BUF_ERROR ? AV_OK : AV_EFORMAT;
}

enum av_err
decoder_feed(
    struct decoder *d, struct str in, size_t *used, uint8_t *out, size_t room, size_t *made)
{
	enum av_err e = AV_OK;

	*used = 0;
	*made = 0;
	if (in.len > UINT_MAX || room > UINT_MAX || room == 0)
		return AV_ELIMIT;
	/* zlib only reads from it; its type is from before const. */
	d->z.next_in = (Bytef *)(uintptr_t)in.p;
	d->z.avail_in = (uInt)in.len;
	d->z.next_out = out;
	d->z.avail_out = (uInt)room;
	do
		e = decoder_turn(d);
	while (e == AV_OK && d->ended && d->z.avail_in > 0 && d->z.avail_out > 0);
	*used = in.len - d->z.avail_in;
	*made = room - d->z.avail_out;
	d->more = e == AV_OK && !d->ended && d->z.avail_out == 0;
	return e;
}

bool
decoder_has_more(const struct decoder *d)
{
	return d->more;
}

bool
decoder_is_whole(const struct decoder *d)
{
	return !d->began || (d->ended && !d->more);
}
