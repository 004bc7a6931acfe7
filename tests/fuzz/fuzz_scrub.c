/* SPDX-License-Identifier: Apache-2.0 */
/* The first bytes choose needles and cuts; the stream must come out as the naive way has it. Every
 * other piece is large enough for the filter, where there is so much. */
#include "broker/scrub.h"

#include <stdlib.h>
#include <string.h>

#define NEEDLES_MAX 4u
#define HEAD_LEN (1 + NEEDLES_MAX * 2)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str needles[NEEDLES_MAX];
	size_t count, i, j, off = 0, len, cut;
	const uint8_t *text;
	uint8_t *want;
	struct scrub s;
	struct buf out;

	if (size < HEAD_LEN + 1)
		return 0;
	count = 1 + data[0] % NEEDLES_MAX;
	cut = 1 + data[0] / NEEDLES_MAX;
	text = data + HEAD_LEN;
	len = size - HEAD_LEN;
	want = malloc(len);
	if (want == NULL)
		return 0;
	memcpy(want, text, len);
	scrub_init(&s);
	buf_init(&out, len + SCRUB_MAX_NEEDLE);
	for (i = 0; i < count; i++) {
		size_t from = data[1 + 2 * i] % len;
		size_t n = data[2 + 2 * i] % 24u;

		if (n > len - from)
			n = len - from;
		needles[i] = (struct str){(const char *)text + from, n};
		if (scrub_add(&s, needles[i]) != AV_OK)
			abort();
		for (j = 0; n >= SCRUB_MIN_NEEDLE && j + n <= len; j++) {
			if (memcmp(text + j, needles[i].p, n) == 0)
				memset(want + j, '*', n);
		}
	}
	while (off < len) {
		size_t n = cut < len - off ? cut : len - off;

		if (scrub_feed(&s, text + off, n, &out) != AV_OK)
			abort();
		off += n;
		cut = cut < 256 ? 256 + cut * 5 : cut * 7 % 61 + 1;
	}
	if (scrub_end(&s, &out) != AV_OK || out.len != len || memcmp(out.data, want, len) != 0)
		abort();
	buf_clear(&out);
	scrub_clear(&s);
	free(want);
	return 0;
}
