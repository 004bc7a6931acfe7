/* SPDX-License-Identifier: Apache-2.0 */
/*
 * buf.h - a growing byte buffer with a stated maximum.
 *
 * A failed append is sticky: the buffer keeps what it had, later appends fail too, and
 * buf_err() tells why, so that a row of appends needs one check. Memory that a buffer
 * gives up (growing, clearing) is wiped first. Owns its bytes; never keeps pointers to yours.
 */
#ifndef AV_BASE_BUF_H
#define AV_BASE_BUF_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf {
	uint8_t *data; /* may be NULL while len == 0 */
	size_t len;
	size_t cap;
	size_t max; /* appends past this fail with AV_ELIMIT */
	enum av_err err;
};

void buf_init(struct buf *b, size_t max);
void buf_clear(struct buf *b); /* wipes and frees; the buffer can be used again (same max) */
void buf_reset(struct buf *b); /* wipes the content, keeps the memory */
enum av_err buf_append(struct buf *b, const void *p, size_t len);
enum av_err buf_append_str(struct buf *b, const char *s);
enum av_err buf_append_byte(struct buf *b, uint8_t c);
enum av_err buf_append_u64(
    struct buf *b, uint64_t n); /* decimal; where buf_appendf() is too slow */
enum av_err buf_appendf(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Room for at least `len` more bytes; *out points at it. Follow by buf_commit(). */
enum av_err buf_reserve(struct buf *b, size_t len, uint8_t **out) AV_MUST_USE;
void buf_commit(struct buf *b, size_t len);
/* Drops `len` bytes (<= b->len) at the front. */
void buf_consume(struct buf *b, size_t len);
/* NUL-terminates (the NUL is not counted in len) and returns the text; NULL when that fails. */
const char *buf_cstr(struct buf *b);
enum av_err buf_err(const struct buf *b) AV_MUST_USE;

/* Overwrites memory in a way the compiler keeps. p may be NULL when len is 0. */
void av_wipe(void *p, size_t len);

#endif
