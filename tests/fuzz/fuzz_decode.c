/* SPDX-License-Identifier: Apache-2.0 */
/* Coded bytes, cut in two ways: the same verdict and the same text, of bounded memory. */
#include "base/buf.h"
#include "broker/decode.h"

#include <stdlib.h>
#include <string.h>

#define ROOM 16384u
#define PLAIN_MAX (256u * 1024u)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* False: it does not decode, or not to its end. The text before a fault depends on the cuts. */
static bool
decode(const uint8_t *p, size_t len, size_t in_piece, size_t out_piece, struct buf *out)
{
	uint8_t room[ROOM];
	struct decoder *d = NULL;
	bool whole;

	if (decoder_new(STR_LIT("gzip"), &d) != AV_OK)
		abort();
	while (len > 0 || decoder_has_more(d)) {
		struct str in = {(const char *)p, len < in_piece ? len : in_piece};
		size_t used, made;

		if (decoder_feed(d, in, &used, room, out_piece, &made) != AV_OK ||
		    buf_append(out, room, made) != AV_OK)
			break;
		if (used > in.len || made > out_piece || (used == 0 && made == 0 && in.len > 0))
			abort();
		p += used;
		len -= used;
	}
	whole = len == 0 && !decoder_has_more(d) && decoder_is_whole(d);
	decoder_free(d);
	return whole;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf a, b;
	bool whole;

	if (size < 2)
		return 0;
	buf_init(&a, PLAIN_MAX);
	buf_init(&b, PLAIN_MAX);
	whole = decode(data + 2, size - 2, size, ROOM, &a);
	if (whole != decode(data + 2, size - 2, 1 + data[0], 1 + data[1] * 16u, &b))
		abort();
	if (whole && (a.len != b.len || (a.len > 0 && memcmp(a.data, b.data, a.len) != 0)))
		abort();
	buf_clear(&a);
	buf_clear(&b);
	return 0;
}
