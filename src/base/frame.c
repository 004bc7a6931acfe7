/* SPDX-License-Identifier: Apache-2.0 */
#include "base/frame.h"

#include <string.h>

#define FRAME_BROKEN SIZE_MAX /* the buffer had failed before this frame began */

static uint32_t
get_u32(const uint8_t *p)
{
	return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static void
put_u32(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t)v;
	p[1] = (uint8_t)(v >> 8);
	p[2] = (uint8_t)(v >> 16);
	p[3] = (uint8_t)(v >> 24);
}

enum av_err
frame_parse(const uint8_t *in, size_t len, struct frame *out, size_t *used)
{
	uint32_t size;

	if (len < FRAME_HEADER_LEN)
		return AV_ETRUNC;
	size = get_u32(in);
	if (size > FRAME_MAX)
		return AV_ELIMIT;
	if (in[6] != 0 || in[7] != 0)
		return AV_EFORMAT;
	if (len - FRAME_HEADER_LEN < size)
		return AV_ETRUNC;
	out->type = (uint16_t)(in[4] | in[5] << 8);
	out->payload = in + FRAME_HEADER_LEN;
	out->len = size;
	*used = FRAME_HEADER_LEN + size;
	return AV_OK;
}

void
fw_begin(struct frame_writer *w, struct buf *b, uint16_t type)
{
	uint8_t head[FRAME_HEADER_LEN] = {0};

	w->b = b;
	w->start = b->err == AV_OK ? b->len : FRAME_BROKEN;
	head[4] = (uint8_t)type;
	head[5] = (uint8_t)(type >> 8);
	(void)buf_append(b, head, sizeof head);
}

void
fw_u8(struct frame_writer *w, uint8_t v)
{
	(void)buf_append_byte(w->b, v);
}

void
fw_u32(struct frame_writer *w, uint32_t v)
{
	uint8_t bytes[4];

	put_u32(bytes, v);
	(void)buf_append(w->b, bytes, sizeof bytes);
}

void
fw_u64(struct frame_writer *w, uint64_t v)
{
	uint8_t bytes[8];

	put_u32(bytes, (uint32_t)v);
	put_u32(bytes + 4, (uint32_t)(v >> 32));
	(void)buf_append(w->b, bytes, sizeof bytes);
}

void
fw_str(struct frame_writer *w, struct str s)
{
	if (s.len > FRAME_MAX) {
		if (w->b->err == AV_OK)
			w->b->err = AV_ELIMIT;
		return;
	}
	fw_u32(w, (uint32_t)s.len);
	(void)buf_append(w->b, s.p, s.len);
}

void
fw_cstr(struct frame_writer *w, const char *s)
{
	fw_str(w, str_of(s));
}

void
fw_str_max(struct frame_writer *w, struct str s, size_t max)
{
	if (s.len > max && w->b->err == AV_OK)
		w->b->err = AV_ELIMIT;
	fw_str(w, s);
}

static bool
is_text(struct str s)
{
	return str_is_utf8(s) && (s.len == 0 || memchr(s.p, '\0', s.len) == NULL);
}

void
fw_text(struct frame_writer *w, struct str s, size_t max)
{
	if (w->b->err == AV_OK && s.len <= max && !is_text(s))
		w->b->err = AV_EFORMAT;
	fw_str_max(w, s, max);
}

enum av_err
fw_end(struct frame_writer *w)
{
	struct buf *b = w->b;
	enum av_err e = b->err;
	size_t payload;

	if (w->start == FRAME_BROKEN)
		return e == AV_OK ? AV_EFORMAT : e;
	if (e == AV_OK) {
		payload = b->len - w->start - FRAME_HEADER_LEN;
		if (payload <= FRAME_MAX) {
			put_u32(b->data + w->start, (uint32_t)payload);
			return AV_OK;
		}
		e = AV_ELIMIT;
	}
	if (b->len > w->start)
		av_wipe(b->data + w->start, b->len - w->start);
	b->len = w->start;
	b->err = AV_OK;
	return e;
}

void
fr_begin(struct frame_reader *r, const struct frame *f)
{
	r->p = f->payload;
	r->len = f->len;
	r->err = AV_OK;
}

static const uint8_t *
fr_take(struct frame_reader *r, size_t len)
{
	const uint8_t *p = r->p;

	if (r->err != AV_OK)
		return NULL;
	if (len > r->len) {
		r->err = AV_ETRUNC;
		return NULL;
	}
	if (len > 0)
		r->p += len;
	r->len -= len;
	return p;
}

uint8_t
fr_u8(struct frame_reader *r)
{
	const uint8_t *p = fr_take(r, 1);

	return p == NULL ? 0 : p[0];
}

uint32_t
fr_u32(struct frame_reader *r)
{
	const uint8_t *p = fr_take(r, 4);

	return p == NULL ? 0 : get_u32(p);
}

uint64_t
fr_u64(struct frame_reader *r)
{
	const uint8_t *p = fr_take(r, 8);

	return p == NULL ? 0 : (uint64_t)get_u32(p) | (uint64_t)get_u32(p + 4) << 32;
}

struct str
fr_str(struct frame_reader *r, size_t max)
{
	struct str s = {"", 0};
	uint32_t len = fr_u32(r);
	const uint8_t *p;

	if (r->err == AV_OK && len > max)
		r->err = AV_ELIMIT;
	if (len == 0)
		return s;
	p = fr_take(r, len);
	if (p != NULL) {
		s.p = (const char *)p;
		s.len = len;
	}
	return s;
}

struct str
fr_text(struct frame_reader *r, size_t max)
{
	struct str s = fr_str(r, max);

	if (!is_text(s)) {
		r->err = AV_EFORMAT;
		return (struct str){"", 0};
	}
	return s;
}

uint32_t
fr_count(struct frame_reader *r, uint32_t max)
{
	uint32_t n = fr_u32(r);

	if (n <= max)
		return n;
	r->err = AV_ELIMIT;
	return 0;
}

enum av_err
fr_finish(struct frame_reader *r)
{
	if (r->err == AV_OK && r->len > 0)
		r->err = AV_EFORMAT;
	return r->err;
}
