/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The frame codec, as a peer would feed it: a run of frames, each payload read by fields that the
 * frame's type chooses. What is read must lie inside the payload, and a broken reader must stay so.
 */
#include "base/frame.h"

#include <stdlib.h>
#include <string.h>

static void
check(bool ok)
{
	if (!ok)
		abort();
}

static void
read_str(struct frame_reader *r, const struct frame *f, bool as_text)
{
	struct str s = as_text ? fr_text(r, 300) : fr_str(r, 300);

	check(s.len <= 300 && s.p != NULL);
	if (s.len > 0) {
		check((const uint8_t *)s.p >= f->payload);
		check((const uint8_t *)s.p + s.len <= f->payload + f->len);
	}
	if (as_text)
		check(str_is_utf8(s) && (s.len == 0 || memchr(s.p, '\0', s.len) == NULL));
}

/* Two bits of the type a field. */
static void
read_fields(const struct frame *f)
{
	struct frame_reader r;

	fr_begin(&r, f);
	for (unsigned i = 0; i < 8; i++) {
		enum av_err before = r.err;

		switch (f->type >> 2 * i & 3u) {
		case 0:
			check(before == AV_OK || fr_u8(&r) == 0);
			break;
		case 1:
			check(fr_count(&r, 1000) <= 1000);
			break;
		case 2:
			read_str(&r, f, false);
			break;
		default:
			read_str(&r, f, true);
			break;
		}
		check(before == AV_OK || r.err != AV_OK);
	}
	if (fr_finish(&r) == AV_OK)
		check(r.len == 0);
}

/* What was parsed is written again and must come out the same. */
static void
write_again(const struct frame *f, const uint8_t *whole, size_t used)
{
	struct frame_writer w;
	struct buf b;

	buf_init(&b, FRAME_MAX + FRAME_HEADER_LEN);
	fw_begin(&w, &b, f->type);
	for (size_t i = 0; i < f->len; i++)
		fw_u8(&w, f->payload[i]);
	check(fw_end(&w) == AV_OK);
	check(b.len == used && memcmp(b.data, whole, used) == 0);
	buf_clear(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct frame f;
	size_t used;

	while (frame_parse(data, size, &f, &used) == AV_OK) {
		check(used <= size && used >= FRAME_HEADER_LEN);
		check(f.payload == data + FRAME_HEADER_LEN && f.len == used - FRAME_HEADER_LEN);
		read_fields(&f);
		write_again(&f, data, used);
		data += used;
		size -= used;
	}
	return 0;
}
