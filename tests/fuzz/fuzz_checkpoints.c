/* SPDX-License-Identifier: Apache-2.0 */
/* Input: a checkpoints.log. Every line that can be read comes once and in order, whatever stands
 * around it; every other one is counted. */
#include "audit/checkpoint_log.h"

#include "scratch.h"

#include <string.h>

#define MUST(x)                  \
	do {                     \
		if (!(x))        \
			abort(); \
	} while (0)

struct walk {
	struct str rest;
	uint64_t torn;
};

/* The next line of the input that can be read. */
static bool
next_good(struct walk *w, struct checkpoint *out)
{
	char again[CHECKPOINT_LINE_MAX];
	struct str line;

	while (str_cut(w->rest, '\n', &line, &w->rest)) {
		if (checkpoint_line_parse(line, out) == AV_OK) {
			checkpoint_line_format(out, again);
			MUST(strlen(again) == line.len + 1 && memcmp(again, line.p, line.len) == 0);
			return true;
		}
		w->torn++;
	}
	w->torn += w->rest.len > 0;
	w->rest.len = 0;
	return false;
}

static void
expect(struct walk *w, const struct checkpoint *c)
{
	struct checkpoint want;

	MUST(next_good(w, &want));
	MUST(want.id == c->id && want.event_id == c->event_id && want.ts_ms == c->ts_ms);
	MUST(memcmp(want.hash, c->hash, sizeof(want.hash)) == 0);
	MUST(memcmp(want.signature, c->signature, sizeof(want.signature)) == 0);
}

static void
check_last(const char *path, struct str text)
{
	struct str line = {text.p, 0};
	struct checkpoint c;
	int64_t id = -1;
	enum av_err e = checkpoint_log_last(path, &id);

	MUST(e == AV_OK || e == AV_EFORMAT);
	while (text.len > 0 && text.p[text.len - 1] != '\n')
		text.len--;
	/* What a crash left without its end is no line. */
	MUST(text.len > 0 || e == AV_OK);
	if (e != AV_OK || text.len == 0) {
		MUST(id == 0);
		return;
	}
	line = (struct str){text.p + text.len - 1, 0};
	while (line.p > text.p && line.p[-1] != '\n') {
		line.p--;
		line.len++;
	}
	MUST(checkpoint_line_parse(line, &c) == AV_OK && c.id == id);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str text = {size > 0 ? (const char *)data : "", size};
	struct walk w = {text, 0};
	struct checkpoint c;
	struct checkpoint_reader r;
	enum checkpoint_line what = CHECKPOINT_LINE;
	const char *path = scratch_file(data, size);
	uint64_t torn = 0;

	MUST(checkpoint_reader_open(&r, path) == AV_OK);
	while (what != CHECKPOINT_END) {
		MUST(checkpoint_reader_next(&r, &c, &what) == AV_OK);
		if (what == CHECKPOINT_LINE)
			expect(&w, &c);
		torn += what == CHECKPOINT_TORN;
	}
	checkpoint_reader_close(&r);
	MUST(!next_good(&w, &c) && torn == w.torn);
	check_last(path, text);
	return 0;
}
