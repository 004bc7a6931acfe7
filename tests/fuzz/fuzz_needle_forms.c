/* SPDX-License-Identifier: Apache-2.0 */
/* A secret inside other bytes, in base64 and by itself: what is its alone must become stars. */
#include "broker/needle_forms.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
expect_stars(struct scrub *s, const char *text, size_t len, size_t from, size_t to, size_t cut)
{
	size_t off = 0;
	struct buf out;

	buf_init(&out, len + SCRUB_MAX_NEEDLE);
	while (off < len) {
		size_t n = cut < len - off ? cut : len - off;

		if (scrub_feed(s, (const uint8_t *)text + off, n, &out) != AV_OK)
			abort();
		off += n;
	}
	if (scrub_end(s, &out) != AV_OK || out.len != len)
		abort();
	for (; from < to; from++)
		if (out.data[from] != '*')
			abort();
	buf_clear(&out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t before, len, cut;
	struct scrub s;
	char *coded;

	if (size < 3 + SCRUB_MIN_NEEDLE || size > 4096)
		return 0;
	before = data[0] % (size - 2 - SCRUB_MIN_NEEDLE);
	len = SCRUB_MIN_NEEDLE + data[1] % (size - 2 - before - SCRUB_MIN_NEEDLE + 1);
	cut = 1 + data[2];
	data += 2;
	size -= 2;
	coded = malloc(b64_encoded_len(size) + 1);
	if (coded == NULL)
		return 0;
	scrub_init(&s);
	if (needle_forms_add(&s, (struct str){(const char *)data + before, len}) != AV_OK)
		abort();
	b64_encode(data, size, coded);
	expect_stars(&s, coded, strlen(coded), (8 * before + 5) / 6, 8 * (before + len) / 6, cut);
	expect_stars(&s, (const char *)data, size, before, before + len, cut);
	scrub_clear(&s);
	free(coded);
	return 0;
}
