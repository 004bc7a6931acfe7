/* SPDX-License-Identifier: Apache-2.0 */
/* Input: a text that the command line shows as JSON. Only blanks between tokens may change; laid out
 * again it stays as it is; what was JSON says the same. */
#include "cli/json_args.h"
#include "cli/print.h"

#include <stdlib.h>
#include <string.h>

#define MUST(x)                  \
	do {                     \
		if (!(x))        \
			abort(); \
	} while (0)

#define TEXT_MAX 2048u
#define LAID_MAX (16u * 1024u * 1024u)

static struct str
span(const struct buf *b)
{
	return (struct str){b->len > 0 ? (const char *)b->data : "", b->len};
}

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static void
squeeze(struct str s, struct buf *out)
{
	for (size_t i = 0; i < s.len; i++)
		if (!is_blank(s.p[i]))
			MUST(buf_append_byte(out, (uint8_t)s.p[i]) == AV_OK);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str text = {size > 0 ? (const char *)data : "", size};
	struct buf once, twice, before, after;
	cJSON *a, *b, *c;

	if (size > TEXT_MAX)
		return 0;
	buf_init(&once, LAID_MAX);
	buf_init(&twice, LAID_MAX);
	buf_init(&before, LAID_MAX);
	buf_init(&after, LAID_MAX);
	MUST(json_layout(&once, text, 0) == AV_OK);
	squeeze(text, &before);
	squeeze(span(&once), &after);
	MUST(str_eq(span(&before), span(&after)));
	a = json_parse(text);
	if (a != NULL) {
		b = json_parse(span(&once));
		/* A name that stands twice with different values is unequal to itself there. */
		c = json_parse(text);
		MUST(b != NULL && (cJSON_Compare(a, b, true) || !cJSON_Compare(a, c, true)));
		cJSON_Delete(c);
		MUST(json_layout(&twice, span(&once), 0) == AV_OK);
		MUST(str_eq(span(&once), span(&twice)));
		cJSON_Delete(b);
	}
	cJSON_Delete(a);
	buf_clear(&once);
	buf_clear(&twice);
	buf_clear(&before);
	buf_clear(&after);
	return 0;
}
