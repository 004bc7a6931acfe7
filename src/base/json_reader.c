/* SPDX-License-Identifier: Apache-2.0 */
#include "base/json_reader.h"

#include <string.h>

#define REMEDY "Send one JSON value as RFC 8259 has it."

static enum av_err
bad(struct json_reader *r, const char *what)
{
	if (r->fault.err == AV_OK)
		fault_set(&r->fault, AV_EFORMAT, "json", REMEDY,
		    "The JSON is malformed at byte %zu: %s.", r->at, what);
	return r->fault.err;
}

enum av_err
json_reader_init(struct json_reader *r, struct str text, struct fault *f)
{
	*r = (struct json_reader){.text = text, .first = true};
	if (text.len > 0 && !str_is_utf8(text))
		return fault_set(f, AV_EFORMAT, "json", "Send UTF-8.", "The JSON is not UTF-8.");
	return AV_OK;
}

static int
byte_at(const struct json_reader *r, size_t at)
{
	return at < r->text.len ? (unsigned char)r->text.p[at] : -1;
}

static int
skip_blanks(struct json_reader *r)
{
	int c = byte_at(r, r->at);

	while (c == ' ' || c == '\t' || c == '\r' || c == '\n')
		c = byte_at(r, ++r->at);
	return c;
}

enum av_err
json_reader_peek(struct json_reader *r, enum json_kind *kind)
{
	int c = skip_blanks(r);

	*kind = JSON_NULL;
	if (r->fault.err != AV_OK)
		return r->fault.err;
	switch (c) {
	case '{':
		*kind = JSON_OBJECT;
		return AV_OK;
	case '[':
		*kind = JSON_ARRAY;
		return AV_OK;
	case '"':
		*kind = JSON_STRING;
		return AV_OK;
	case 't':
		*kind = JSON_TRUE;
		return AV_OK;
	case 'f':
		*kind = JSON_FALSE;
		return AV_OK;
	case 'n':
		return AV_OK;
	default:
		*kind = JSON_NUMBER;
		return c == '-' || (c >= '0' && c <= '9') ? AV_OK : bad(r, "no value");
	}
}

enum av_err
json_reader_enter(struct json_reader *r, enum json_kind kind)
{
	enum json_kind found;
	enum av_err e = json_reader_peek(r, &found);

	if (e != AV_OK)
		return e;
	if (found != kind)
		return bad(r, kind == JSON_OBJECT ? "no object" : "no array");
	if (r->depth == JSON_DEPTH_MAX)
		return fault_set(&r->fault, AV_ELIMIT, "json_depth", "Nest less.",
		    "The JSON is nested over %u levels deep.", JSON_DEPTH_MAX);
	r->depth++;
	r->at++;
	r->first = true;
	return AV_OK;
}

enum av_err
json_reader_next(struct json_reader *r, enum json_kind in, struct buf *key, bool *more)
{
	int c = skip_blanks(r), close = in == JSON_OBJECT ? '}' : ']';
	enum av_err e = r->fault.err;

	*more = false;
	if (e != AV_OK)
		return e;
	if (c == close) {
		r->at++;
		r->depth--;
		r->first = false;
		return AV_OK;
	}
	if (!r->first) {
		if (c != ',')
			return bad(r, "no comma");
		r->at++;
		c = skip_blanks(r);
	}
	r->first = false;
	*more = true;
	if (in == JSON_ARRAY)
		return AV_OK;
	if (c != '"')
		return bad(r, "no key");
	e = json_reader_string(r, key);
	if (e == AV_OK && skip_blanks(r) != ':')
		e = bad(r, "no colon");
	r->at++;
	return e;
}

/* ---- strings -------------------------------------------------------------------------------------- */

static enum av_err
put_code_point(struct buf *out, uint32_t c)
{
	uint8_t b[4];
	size_t n;

	if (c < 0x80) {
		b[0] = (uint8_t)c;
		n = 1;
	} else if (c < 0x800) {
		b[0] = (uint8_t)(0xc0 | (c >> 6));
		n = 2;
	} else if (c < 0x10000) {
		b[0] = (uint8_t)(0xe0 | (c >> 12));
		b[1] = (uint8_t)(0x80 | ((c >> 6) & 0x3f));
		n = 3;
	} else {
		b[0] = (uint8_t)(0xf0 | (c >> 18));
		b[1] = (uint8_t)(0x80 | ((c >> 12) & 0x3f));
		b[2] = (uint8_t)(0x80 | ((c >> 6) & 0x3f));
		n = 4;
	}
	if (n > 1)
		b[n - 1] = (uint8_t)(0x80 | (c & 0x3f));
	return buf_append(out, b, n);
}

/* Four hex digits at the reader's place. */
static enum av_err
take_hex(struct json_reader *r, uint32_t *out)
{
	*out = 0;
	for (int i = 0; i < 4; i++) {
		int c = byte_at(r, r->at);
		uint32_t digit;

		if (c >= '0' && c <= '9')
			digit = (uint32_t)(c - '0');
		else if (c >= 'a' && c <= 'f')
			digit = (uint32_t)(c - 'a' + 10);
		else if (c >= 'A' && c <= 'F')
			digit = (uint32_t)(c - 'A' + 10);
		else
			return bad(r, "a \\u without four hex digits");
		*out = *out * 16 + digit;
		r->at++;
	}
	return AV_OK;
}

static enum av_err
take_unicode(struct json_reader *r, struct buf *out)
{
	uint32_t c, low;
	enum av_err e = take_hex(r, &c);

	if (e != AV_OK)
		return e;
	if (c >= 0xdc00 && c <= 0xdfff)
		return bad(r, "a lone surrogate");
	if (c >= 0xd800 && c <= 0xdbff) {
		if (byte_at(r, r->at) != '\\' || byte_at(r, r->at + 1) != 'u')
			return bad(r, "a lone surrogate");
		r->at += 2;
		e = take_hex(r, &low);
		if (e != AV_OK)
			return e;
		if (low < 0xdc00 || low > 0xdfff)
			return bad(r, "a lone surrogate");
		c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
	}
	return put_code_point(out, c);
}

static enum av_err
take_escape(struct json_reader *r, struct buf *out)
{
	static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
	int c = byte_at(r, r->at);
	const char *found = c > 0 ? strchr(from, c) : NULL;

	if (c == 'u') {
		r->at++;
		return take_unicode(r, out);
	}
	if (found == NULL)
		return bad(r, "an unknown escape");
	r->at++;
	return buf_append_byte(out, (uint8_t)to[found - from]);
}

enum av_err
json_reader_string(struct json_reader *r, struct buf *out)
{
	enum av_err e = r->fault.err;

	if (e != AV_OK)
		return e;
	if (skip_blanks(r) != '"')
		return bad(r, "no string");
	r->at++;
	while (e == AV_OK) {
		size_t from = r->at;
		int c = byte_at(r, r->at);

		while (c >= 0x20 && c != '"' && c != '\\')
			c = byte_at(r, ++r->at);
		if (r->at > from)
			e = buf_append(out, r->text.p + from, r->at - from);
		if (e != AV_OK)
			break;
		if (c < 0)
			return bad(r, "a string without an end");
		if (c < 0x20)
			return bad(r, "a raw control byte in a string");
		r->at++;
		if (c == '"')
			return AV_OK;
		e = take_escape(r, out);
	}
	if (r->fault.err == AV_OK)
		fault_set(&r->fault, e, e == AV_ELIMIT ? "json_string_too_long" : "out_of_memory",
		    "Send a shorter one.", "A string in the JSON is over its limit of %zu bytes.",
		    out->max);
	return r->fault.err;
}

/* ---- the rest ------------------------------------------------------------------------------------- */

static size_t
take_digits(struct json_reader *r)
{
	size_t from = r->at;

	while (byte_at(r, r->at) >= '0' && byte_at(r, r->at) <= '9')
		r->at++;
	return r->at - from;
}

enum av_err
json_reader_number(struct json_reader *r, struct str *out)
{
	size_t from;
	int c = skip_blanks(r);

	*out = (struct str){"", 0};
	if (r->fault.err != AV_OK)
		return r->fault.err;
	from = r->at;
	if (c == '-')
		c = byte_at(r, ++r->at);
	if (c == '0')
		r->at++;
	else if (take_digits(r) == 0)
		return bad(r, "no number");
	if (byte_at(r, r->at) == '.') {
		r->at++;
		if (take_digits(r) == 0)
			return bad(r, "a point without digits");
	}
	c = byte_at(r, r->at);
	if (c == 'e' || c == 'E') {
		c = byte_at(r, ++r->at);
		if (c == '+' || c == '-')
			r->at++;
		if (take_digits(r) == 0)
			return bad(r, "an exponent without digits");
	}
	*out = (struct str){r->text.p + from, r->at - from};
	return AV_OK;
}

static enum av_err
take_word(struct json_reader *r, struct str word)
{
	struct str rest = {r->text.p + r->at, r->text.len - r->at};

	if (!str_starts(rest, word))
		return bad(r, "an unknown word");
	r->at += word.len;
	return AV_OK;
}

static enum av_err
skip_string(struct json_reader *r)
{
	struct buf drop;
	enum av_err e;

	buf_init(&drop, r->text.len);
	e = json_reader_string(r, &drop);
	buf_clear(&drop);
	return e;
}

static enum av_err
skip_plain(struct json_reader *r, enum json_kind kind)
{
	struct str unused;

	switch (kind) {
	case JSON_STRING:
		return skip_string(r);
	case JSON_NUMBER:
		return json_reader_number(r, &unused);
	case JSON_TRUE:
		return take_word(r, STR_LIT("true"));
	case JSON_FALSE:
		return take_word(r, STR_LIT("false"));
	case JSON_NULL:
		return take_word(r, STR_LIT("null"));
	case JSON_OBJECT:
	case JSON_ARRAY:
	default:
		return bad(r, "no plain value");
	}
}

/* Without recursion: the depth that the text chooses must not be ours. */
enum av_err
json_reader_skip(struct json_reader *r)
{
	enum json_kind open[JSON_DEPTH_MAX + 1], kind;
	unsigned n = 0;
	bool more = true;
	enum av_err e = AV_OK;

	do {
		struct buf key;

		if (more) {
			e = json_reader_peek(r, &kind);
			if (e == AV_OK && (kind == JSON_OBJECT || kind == JSON_ARRAY)) {
				e = json_reader_enter(r, kind);
				open[n++] = kind;
			} else if (e == AV_OK) {
				e = skip_plain(r, kind);
			}
		}
		if (e != AV_OK || n == 0)
			return e;
		buf_init(&key, r->text.len);
		e = json_reader_next(r, open[n - 1], &key, &more);
		buf_clear(&key);
		if (e == AV_OK && !more)
			n--;
	} while (e == AV_OK && (n > 0 || more));
	return e;
}

enum av_err
json_reader_end(struct json_reader *r)
{
	if (r->fault.err != AV_OK)
		return r->fault.err;
	return skip_blanks(r) < 0 ? AV_OK : bad(r, "something after its end");
}
