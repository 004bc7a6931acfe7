/* SPDX-License-Identifier: Apache-2.0 */
/* Input: a byte (bit 0: opaque_slash), then a raw target. What is accepted must be canonical: it
 * parses to itself, and holds nothing that target.h refuses (I5). */
#include "http/target.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define MUST(x)                  \
	do {                     \
		if (!(x))        \
			abort(); \
	} while (0)

static struct str
span(const struct buf *b)
{
	return (struct str){(const char *)b->data, b->len};
}

static bool
holds(struct str s, const char *word)
{
	for (size_t i = 0; i + strlen(word) <= s.len; i++)
		if (str_ieq_cstr((struct str){s.p + i, strlen(word)}, word))
			return true;
	return false;
}

static void
check_path(struct str path, bool opaque)
{
	static const char *const never[] = {"\\", "#", "?", "%00", "%5c", "/./", "/../", "%252e",
	    "%252f", "%255c", "%41", "%2e", "%7e"};

	MUST(path.len > 0 && path.len <= TARGET_MAX && path.p[0] == '/');
	for (size_t i = 0; i < path.len; i++)
		MUST(path.p[i] > 0x20 && path.p[i] < 0x7f);
	for (size_t i = 0; i < sizeof(never) / sizeof(never[0]); i++)
		MUST(!holds(path, never[i]));
	MUST(!str_ends(path, STR_LIT("/..")) && !str_ends(path, STR_LIT("/.")));
	MUST(opaque || (!holds(path, "//") && !holds(path, "%2f")));
}

static void
check_query(struct str query)
{
	struct str name, value;
	struct buf scratch;
	size_t pos = 0, last = 0;

	for (size_t i = 0; i < query.len; i++)
		MUST(query.p[i] > 0x20 && query.p[i] < 0x7f && query.p[i] != '#');
	MUST(!holds(query, "%00"));
	buf_init(&scratch, TARGET_MAX);
	while (query_next(query, &pos, &scratch, &name, &value)) {
		MUST(pos > last);
		last = pos;
		MUST(str_is_utf8(name) && str_is_utf8(value));
	}
	MUST(buf_err(&scratch) == AV_OK);
	buf_clear(&scratch);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct target t, again;
	struct fault f = {0};
	struct buf joined;
	bool opaque;

	if (size == 0)
		return 0;
	opaque = data[0] & 1;
	target_init(&t);
	target_init(&again);
	buf_init(&joined, TARGET_MAX);
	if (target_parse(&t, (struct str){(const char *)data + 1, size - 1}, opaque, &f) != AV_OK) {
		MUST(f.reason[0] != '\0' && t.path.len == 0 && t.query.len == 0);
		goto out;
	}
	check_path(span(&t.path), opaque);
	check_query(span(&t.query));
	buf_append(&joined, t.path.data, t.path.len);
	if (t.has_query) {
		buf_append_byte(&joined, '?');
		buf_append(&joined, t.query.data, t.query.len);
	}
	MUST(target_parse(&again, span(&joined), opaque, NULL) == AV_OK);
	MUST(str_eq(span(&t.path), span(&again.path)));
	MUST(str_eq(span(&t.query), span(&again.query)) && t.has_query == again.has_query);
out:
	target_clear(&t);
	target_clear(&again);
	buf_clear(&joined);
	return 0;
}
