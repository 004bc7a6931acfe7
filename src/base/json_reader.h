/* SPDX-License-Identifier: Apache-2.0 */
/*
 * json_reader.h - a strict pull reader of JSON (RFC 8259), for text from outside.
 *
 * Strings come out byte for byte, with \u0000 as a NUL byte; numbers stay text. Refused: bytes that
 * are not UTF-8, lone surrogates, raw control bytes, more than JSON_DEPTH_MAX levels, anything after
 * the one value. Keeps nothing of its own: it borrows the text, and its faults show none of it.
 *
 * The first error sticks: every later call gives it back. Reasons are `json` and `json_depth`.
 */
#ifndef AV_BASE_JSON_READER_H
#define AV_BASE_JSON_READER_H

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

#include <stdbool.h>

#define JSON_DEPTH_MAX 64u

enum json_kind {
	JSON_OBJECT,
	JSON_ARRAY,
	JSON_STRING,
	JSON_NUMBER,
	JSON_TRUE,
	JSON_FALSE,
	JSON_NULL
};

struct json_reader {
	struct str text;
	size_t at;
	unsigned depth;
	bool first; /* no member or item of the innermost object or array was read yet */
	struct fault fault;
};

/* AV_EFORMAT where the text is not UTF-8. */
enum av_err json_reader_init(struct json_reader *r, struct str text, struct fault *f) AV_MUST_USE;
/* What the next value is, without taking it. */
enum av_err json_reader_peek(struct json_reader *r, enum json_kind *kind) AV_MUST_USE;
/* Takes '{' or '['; json_reader_next() then steps through what is in it. */
enum av_err json_reader_enter(struct json_reader *r, enum json_kind kind) AV_MUST_USE;
/* *more: another member or item follows; in an object its key was put into `key` (NULL: an array).
 * Otherwise the closing bracket was taken. */
enum av_err json_reader_next(
    struct json_reader *r, enum json_kind in, struct buf *key, bool *more) AV_MUST_USE;
/* Appends the decoded string. AV_ELIMIT where `out` has no room. */
enum av_err json_reader_string(struct json_reader *r, struct buf *out) AV_MUST_USE;
/* The number's own text. */
enum av_err json_reader_number(struct json_reader *r, struct str *out) AV_MUST_USE;
/* Takes any value. */
enum av_err json_reader_skip(struct json_reader *r) AV_MUST_USE;
/* Nothing but blanks may follow. */
enum av_err json_reader_end(struct json_reader *r) AV_MUST_USE;

#endif
