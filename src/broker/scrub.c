/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/scrub.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define SCRUB_PIECE (64u * 1024u)
#define SCRUB_STAR '*'

void
scrub_init(struct scrub *s)
{
	memset(s, 0, sizeof(*s));
	buf_init(&s->held, SCRUB_MAX_NEEDLE + SCRUB_PIECE);
}

void
scrub_clear(struct scrub *s)
{
	size_t i;

	for (i = 0; i < s->count; i++) {
		struct scrub_needle *n = &s->needles[i];

		av_wipe(n->bytes, n->len);
		/* The borders tell of the bytes. */
		av_wipe(n->fail, n->len * sizeof(*n->fail));
		free(n->bytes);
		free(n->fail);
	}
	buf_clear(&s->held);
	av_wipe(s, sizeof(*s));
	scrub_init(s);
}

static void
needle_build(struct scrub_needle *n)
{
	size_t i, k = 0;

	n->fail[0] = 0;
	for (i = 1; i < n->len; i++) {
		while (k > 0 && n->bytes[i] != n->bytes[k])
			k = n->fail[k - 1];
		if (n->bytes[i] == n->bytes[k])
			k++;
		n->fail[i] = (uint32_t)k;
	}
}

enum av_err
scrub_add(struct scrub *s, struct str needle)
{
	struct scrub_needle *n;
	size_t i;

	if (needle.len < SCRUB_MIN_NEEDLE)
		return AV_OK;
	if (needle.len > SCRUB_MAX_NEEDLE)
		return AV_ELIMIT;
	for (i = 0; i < s->count; i++) {
		if (s->needles[i].len == needle.len &&
		    memcmp(s->needles[i].bytes, needle.p, needle.len) == 0)
			return AV_OK;
	}
	if (s->count == SCRUB_MAX_NEEDLES)
		return AV_ELIMIT;
	n = &s->needles[s->count];
	memset(n, 0, sizeof(*n));
	n->bytes = malloc(needle.len);
	n->fail = calloc(needle.len, sizeof(*n->fail));
	if (n->bytes == NULL || n->fail == NULL) {
		free(n->bytes);
		free(n->fail);
		memset(n, 0, sizeof(*n));
		return AV_ENOMEM;
	}
	memcpy(n->bytes, needle.p, needle.len);
	n->len = needle.len;
	needle_build(n);
	s->count++;
	return AV_OK;
}

/*
 * Walks one automaton over in[0..len) and stars its occurrences in `work`, where in[0] stands at
 * offset `base`. A match is longer than its present piece only by what is held, so it never begins
 * before work[0].
 */
static uint64_t
needle_walk(const struct scrub_needle *n, size_t *state, const uint8_t *in, size_t len,
    uint8_t *work, size_t base)
{
	size_t i = 0, k = *state;
	uint64_t hits = 0;

	while (i < len) {
		if (k == 0) {
			const uint8_t *next = memchr(in + i, n->bytes[0], len - i);

			if (next == NULL)
				break;
			i = (size_t)(next - in) + 1;
			k = 1;
		} else {
			while (k > 0 && in[i] != n->bytes[k])
				k = n->fail[k - 1];
			if (in[i] == n->bytes[k])
				k++;
			i++;
		}
		if (k == n->len) {
			memset(work + base + i - n->len, SCRUB_STAR, n->len);
			hits++;
			k = n->fail[k - 1];
		}
	}
	*state = k;
	return hits;
}

static enum av_err
scrub_piece(struct scrub *s, const uint8_t *in, size_t len, struct buf *out)
{
	size_t i, base = s->held.len, keep = 0;
	enum av_err e = buf_append(&s->held, in, len);

	if (e != AV_OK)
		return e;
	for (i = 0; i < s->count; i++) {
		struct scrub_needle *n = &s->needles[i];

		s->hits += needle_walk(n, &n->state, in, len, s->held.data, base);
		if (n->state > keep)
			keep = n->state;
	}
	e = buf_append(out, s->held.data, s->held.len - keep);
	buf_consume(&s->held, s->held.len - keep);
	return e;
}

enum av_err
scrub_feed(struct scrub *s, const uint8_t *in, size_t len, struct buf *out)
{
	size_t off = 0;
	enum av_err e = AV_OK;

	if (s->count == 0)
		return buf_append(out, in, len);
	while (off < len && e == AV_OK) {
		size_t n = len - off < SCRUB_PIECE ? len - off : SCRUB_PIECE;

		e = scrub_piece(s, in + off, n, out);
		off += n;
	}
	return e;
}

enum av_err
scrub_end(struct scrub *s, struct buf *out)
{
	enum av_err e = buf_append(out, s->held.data, s->held.len);
	size_t i;

	buf_reset(&s->held);
	for (i = 0; i < s->count; i++)
		s->needles[i].state = 0;
	return e;
}

enum av_err
scrub_text(const struct scrub *s, struct str text, struct buf *out)
{
	size_t i;
	enum av_err e;

	buf_reset(out);
	e = buf_append(out, text.p, text.len);
	if (e != AV_OK)
		return e;
	for (i = 0; i < s->count; i++) {
		size_t state = 0;

		(void)needle_walk(&s->needles[i], &state, (const uint8_t *)text.p, text.len, out->data,
		    0);
	}
	return AV_OK;
}

bool
scrub_in_name(const struct scrub *s, struct str name)
{
	for (size_t i = 0; i < s->count; i++) {
		const struct scrub_needle *n = &s->needles[i];

		for (size_t at = 0; n->len <= name.len && at <= name.len - n->len; at++) {
			if (strncasecmp(name.p + at, (const char *)n->bytes, n->len) == 0)
				return true;
		}
	}
	return false;
}
