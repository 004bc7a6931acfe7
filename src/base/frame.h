/* SPDX-License-Identifier: Apache-2.0 */
/*
 * frame.h - the framing and the field codec of every conversation between our processes.
 *
 * A frame is: u32 payload length, u16 type, u16 zero, then the payload; little endian. A payload is
 * a fixed row of fields, written and read in the same order: u8, u32, u64 and byte strings (u32
 * length, then bytes). A reader is sticky: after the first bad read everything reads as zero or
 * empty, and fr_finish() fails; it also fails when bytes are left over, so a message has one form.
 * Strings read from a frame borrow from it.
 */
#ifndef AV_BASE_FRAME_H
#define AV_BASE_FRAME_H

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

#define FRAME_HEADER_LEN 8u
#define FRAME_MAX (1024u * 1024u) /* payload bytes; over it: AV_ELIMIT */

struct frame {
	uint16_t type;
	const uint8_t *payload; /* borrows from the parsed buffer */
	size_t len;
};

/* Looks for one whole frame at the front of in[0..len). AV_OK: *out is set and *used is its whole
 * size. AV_ETRUNC: more bytes are needed. AV_ELIMIT / AV_EFORMAT: the peer is broken, hang up. */
enum av_err frame_parse(const uint8_t *in, size_t len, struct frame *out, size_t *used) AV_MUST_USE;

/* Writing: appends to `b`, in order. */
struct frame_writer {
	struct buf *b;
	size_t start; /* offset of the header in b */
};
void fw_begin(struct frame_writer *w, struct buf *b, uint16_t type);
void fw_u8(struct frame_writer *w, uint8_t v);
void fw_u32(struct frame_writer *w, uint32_t v);
void fw_u64(struct frame_writer *w, uint64_t v);
void fw_str(struct frame_writer *w, struct str s);
void fw_cstr(struct frame_writer *w, const char *s); /* NULL reads as empty */
/* As fw_str, but a string that fr_str(max) or fr_text(max) would refuse fails here already, with
 * the same error, so that a sender's slip does not cost the whole conversation. */
void fw_str_max(struct frame_writer *w, struct str s, size_t max);
void fw_text(struct frame_writer *w, struct str s, size_t max);
/* Sets the length. On error the half frame is wiped and taken off `b`, which is then as usable as
 * it was before fw_begin(). */
enum av_err fw_end(struct frame_writer *w) AV_MUST_USE;

struct frame_reader {
	const uint8_t *p;
	size_t len;
	enum av_err err;
};
void fr_begin(struct frame_reader *r, const struct frame *f);
uint8_t fr_u8(struct frame_reader *r);
uint32_t fr_u32(struct frame_reader *r);
uint64_t fr_u64(struct frame_reader *r);
struct str fr_str(struct frame_reader *r, size_t max); /* any bytes, at most max */
struct str fr_text(struct frame_reader *r, size_t max); /* valid UTF-8 without NUL */
uint32_t fr_count(struct frame_reader *r, uint32_t max); /* a u32 that counts what follows */
enum av_err fr_finish(struct frame_reader *r) AV_MUST_USE;

#endif
