/* SPDX-License-Identifier: Apache-2.0 */
/* Input: what a terminal sends while a secret is typed. What comes out was typed or pasted so, in that
 * order, with no control byte in it; what is refused stays refused. */
#include "cli/secret_line.h"

#include <stdlib.h>

#define MUST(x)                  \
	do {                     \
		if (!(x))        \
			abort(); \
	} while (0)

#define MAX 64u

static bool
is_refused(enum line_state s)
{
	return s != LINE_OPEN && s != LINE_ENDED;
}

static void
check_text(const struct buf *out, const uint8_t *data, size_t size)
{
	size_t at = 0;

	MUST(out->len <= MAX);
	for (size_t i = 0; i < out->len; i++) {
		MUST(out->data[i] >= 0x20 && out->data[i] != 0x7f);
		while (at < size && data[at] != out->data[i])
			at++;
		MUST(at++ < size);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct secret_line l;
	struct buf out;

	buf_init(&out, 2 * MAX);
	secret_line_init(&l, &out, MAX);
	for (size_t i = 0; i < size; i++) {
		enum line_state before = l.state;
		size_t len = out.len;
		secret_line_take(&l, data[i]);
		MUST(!is_refused(before) || (l.state == before && out.len == len));
		MUST(before != LINE_ENDED || (l.state != LINE_OPEN && out.len == len));
		if (!is_refused(l.state))
			check_text(&out, data, i + 1);
	}
	buf_clear(&out);
	return 0;
}
