/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/scrub.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define SCRUB_PIECE (64u * 1024u)
#define SCRUB_STAR '*'
#define SCRUB_LARGE 256u /* from here on the filter is worth its making */

void
scrub_init(struct scrub *s)
{
	memset(s, 0, sizeof(*s));
	buf_init(&s->held, SCRUB_MAX_NEEDLE + SCRUB_PIECE);
}

static void
filter_drop(struct scrub *s)
{
	if (s->filter != NULL)
		av_wipe(s->filter, sizeof(*s->filter));
	free(s->filter);
	s->filter = NULL;
}

void
scrub_clear(struct scrub *s)
{
	size_t i;

	for (i = 0; i < s->count; i++) {
		struct scrub_needle *n = &s->needles[i];

		/* The borders tell of the bytes. */
		av_wipe(n->fail, n->len * (sizeof(*n->fail) + 1));
		free(n->fail);
	}
	free(s->needles);
	filter_drop(s);
	buf_clear(&s->held);
	av_wipe(s, sizeof(*s));
	scrub_init(s);
}

/* When it is first needed: most answers hold nothing that begins like a secret. */
static void
needle_build(struct scrub_needle *n)
{
	size_t i, k = 0;

	if (n->built)
		return;
	n->built = true;
	n->fail[0] = 0;
	for (i = 1; i < n->len; i++) {
		while (k > 0 && n->bytes[i] != n->bytes[k])
			k = n->fail[k - 1];
		if (n->bytes[i] == n->bytes[k])
			k++;
		n->fail[i] = (uint32_t)k;
	}
}

/* How many bytes are matched still when the one after the first k (1 at least) is another. */
static size_t
needle_border(struct scrub_needle *n, size_t k)
{
	if (k == 1)
		return 0;
	needle_build(n);
	return n->fail[k - 1];
}

static bool
needles_grow(struct scrub *s)
{
	size_t room = s->room == 0 ? 16 : 2 * s->room;
	struct scrub_needle *grown;

	if (s->count < s->room)
		return true;
	if (s->count == SCRUB_MAX_NEEDLES)
		return false;
	/* Holds pointers and lengths, no bytes of a needle. */
	grown = realloc(s->needles, room * sizeof(*grown));
	if (grown == NULL)
		return false;
	s->needles = grown;
	s->room = room;
	return true;
}

static enum av_err
add(struct scrub *s, struct str needle, bool body_only)
{
	struct scrub_needle *n;
	size_t i;

	if (needle.len > SCRUB_MAX_NEEDLE)
		return AV_ELIMIT;
	for (i = 0; i < s->count; i++) {
		n = &s->needles[i];
		if (n->len == needle.len && memcmp(n->bytes, needle.p, needle.len) == 0) {
			n->body_only = n->body_only && body_only;
			return AV_OK;
		}
	}
	if (!needles_grow(s))
		return s->count == SCRUB_MAX_NEEDLES ? AV_ELIMIT : AV_ENOMEM;
	filter_drop(s);
	n = &s->needles[s->count];
	memset(n, 0, sizeof(*n));
	n->fail = malloc(needle.len * (sizeof(*n->fail) + 1));
	if (n->fail == NULL)
		return AV_ENOMEM;
	n->bytes = (uint8_t *)(n->fail + needle.len);
	memcpy(n->bytes, needle.p, needle.len);
	n->len = needle.len;
	n->body_only = body_only;
	s->count++;
	return AV_OK;
}

enum av_err
scrub_add(struct scrub *s, struct str needle)
{
	return needle.len < SCRUB_MIN_NEEDLE ? AV_OK : add(s, needle, false);
}

enum av_err
scrub_add_block(struct scrub *s, struct str text)
{
	return text.len == 0 ? AV_OK : add(s, text, true);
}

/*
 * Walks one automaton over in[0..len) and stars its occurrences in `work`, where in[0] stands at
 * offset `base`. A match is longer than its present piece only by what is held, so it never begins
 * before work[0].
 */
static uint64_t
needle_walk(struct scrub_needle *n, size_t *state, const uint8_t *in, size_t len, uint8_t *work,
    size_t base)
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
				k = needle_border(n, k);
			if (in[i] == n->bytes[k])
				k++;
			i++;
		}
		if (k == n->len) {
			memset(work + base + i - n->len, SCRUB_STAR, n->len);
			hits++;
			k = needle_border(n, k);
		}
	}
	*state = k;
	return hits;
}

/* Only to see what may be the start of an occurrence at the end of in[0..len), len >= n->len. */
static void
needle_tail(struct scrub_needle *n, const uint8_t *in, size_t len)
{
	n->state = 0;
	(void)needle_walk(n, &n->state, in + len - (n->len - 1), n->len - 1, NULL, 0);
}

/* Occurrences that began before in[0]; `len` is at least the needle's. */
static uint64_t
needle_head(struct scrub_needle *n, const uint8_t *in, uint8_t *work, size_t base)
{
	size_t i = 0, k = n->state;
	uint64_t hits = 0;

	while (k > i) {
		while (k > 0 && in[i] != n->bytes[k])
			k = needle_border(n, k);
		if (in[i] == n->bytes[k])
			k++;
		i++;
		if (k == n->len) {
			memset(work + base + i - n->len, SCRUB_STAR, n->len);
			hits++;
			k = needle_border(n, k);
		}
	}
	return hits;
}

/* False: there is none, and none can be made. */
static bool
filter_ready(struct scrub *s)
{
	size_t i, shortest = SIZE_MAX;

	if (s->filter != NULL || s->count == 0)
		return s->filter != NULL;
	for (i = 0; i < s->count; i++)
		if (s->needles[i].len < shortest)
			shortest = s->needles[i].len;
	if (shortest < NEEDLE_FILTER_MIN)
		return false;
	s->filter = malloc(sizeof(*s->filter));
	if (s->filter == NULL)
		return false;
	needle_filter_init(s->filter, shortest);
	for (i = 0; i < s->count; i++)
		needle_filter_add(
		    s->filter, (struct str){(const char *)s->needles[i].bytes, s->needles[i].len});
	return true;
}

/* Stars the occurrences that lie whole in in[0..len), which stands at work[base]. */
static uint64_t
filter_walk(
    const struct scrub *s, bool body, const uint8_t *in, size_t len, uint8_t *work, size_t base)
{
	uint64_t hits = 0;
	size_t at, i;

	for (at = 0; needle_filter_next(s->filter, in, len, &at); at++) {
		for (i = 0; i < s->count; i++) {
			const struct scrub_needle *n = &s->needles[i];

			if (n->bytes[0] != in[at] || n->len > len - at || (n->body_only && !body) ||
			    memcmp(n->bytes, in + at, n->len) != 0)
				continue;
			memset(work + base + at, SCRUB_STAR, n->len);
			hits++;
		}
	}
	return hits;
}

static enum av_err
scrub_piece(struct scrub *s, const uint8_t *in, size_t len, struct buf *out)
{
	size_t i, base = s->held.len, keep = 0;
	bool large = len >= SCRUB_LARGE && filter_ready(s);
	enum av_err e = buf_append(&s->held, in, len);

	if (e != AV_OK)
		return e;
	if (large)
		s->hits += filter_walk(s, true, in, len, s->held.data, base);
	for (i = 0; i < s->count; i++) {
		struct scrub_needle *n = &s->needles[i];

		if (large && n->len <= len) {
			s->hits += needle_head(n, in, s->held.data, base);
			needle_tail(n, in, len);
		} else {
			s->hits += needle_walk(n, &n->state, in, len, s->held.data, base);
		}
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
scrub_text(struct scrub *s, struct str text, struct buf *out)
{
	const uint8_t *in = (const uint8_t *)text.p;
	size_t i;
	enum av_err e;

	buf_reset(out);
	e = buf_append(out, text.p, text.len);
	if (e != AV_OK || text.len < SCRUB_MIN_NEEDLE)
		return e;
	if (filter_ready(s)) {
		(void)filter_walk(s, false, in, text.len, out->data, 0);
		return AV_OK;
	}
	for (i = 0; i < s->count; i++) {
		size_t state = 0;

		if (!s->needles[i].body_only)
			(void)needle_walk(&s->needles[i], &state, in, text.len, out->data, 0);
	}
	return AV_OK;
}

bool
scrub_in_name(const struct scrub *s, struct str name)
{
	for (size_t i = 0; i < s->count; i++) {
		const struct scrub_needle *n = &s->needles[i];

		for (size_t at = 0; !n->body_only && n->len <= name.len && at <= name.len - n->len;
		     at++) {
			if (strncasecmp(name.p + at, (const char *)n->bytes, n->len) == 0)
				return true;
		}
	}
	return false;
}
