/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/needle_forms.h"

#include <string.h>

#define UNRESERVED_MARKS "-._~"
#define MARKUP "<>&"

/* Bytes beside letters and digits that stay as they are. */
struct percent_style {
	const char *kept;
	bool form; /* a blank is '+' */
};

static const struct percent_style percent_styles[] = {
    {UNRESERVED_MARKS, false}, {UNRESERVED_MARKS "!*'()", false}, /* encodeURIComponent */
    {UNRESERVED_MARKS "!*'();,/?:@&=+$#", false}, /* encodeURI */
    {UNRESERVED_MARKS "!$&'()*+,;=:@", false}, /* what a path segment needs (RFC 3986 3.3) */
    {UNRESERVED_MARKS "/", false}, /* Python's quote() */
    {UNRESERVED_MARKS, true}, {"*-._", true}, /* URLSearchParams */
};

struct json_style {
	const char *by_number; /* ASCII bytes that become \uXXXX */
	bool slash; /* "\/" */
	bool ascii; /* everything else past ASCII becomes \uXXXX */
	bool upper; /* hex digits */
};

static const struct json_style json_styles[] = {
    {"", false, false, false},
    {"", true, false, false},
    {"", false, true, false},
    {"", false, true, true},
    {"", true, true, false}, /* PHP */
    {MARKUP, false, false, false}, /* Go */
    {MARKUP "='", false, false, false}, /* Gson */
    {MARKUP "\"'+`", false, true, true}, /* .NET */
    {MARKUP, false, true, false},
};

static bool
is_alnum(uint8_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

static bool
is_in(const char *set, uint8_t c)
{
	return c != '\0' && c < 0x80 && strchr(set, c) != NULL;
}

static enum av_err
take(struct scrub *s, const struct buf *form)
{
	enum av_err e = buf_err(form);

	return e == AV_OK ? scrub_add(s, (struct str){(const char *)form->data, form->len}) : e;
}

/* ---- percent ------------------------------------------------------------------------------------ */

static void
percent_form(struct str secret, const struct percent_style *style, bool upper, struct buf *out)
{
	size_t i;

	buf_reset(out);
	for (i = 0; i < secret.len; i++) {
		uint8_t c = (uint8_t)secret.p[i];

		if (is_alnum(c) || is_in(style->kept, c))
			(void)buf_append_byte(out, c);
		else if (c == ' ' && style->form)
			(void)buf_append_byte(out, '+');
		else
			(void)buf_appendf(out, upper ? "%%%02X" : "%%%02x", c);
	}
}

/* ---- JSON --------------------------------------------------------------------------------------- */

/* The character at `at` of a text that is UTF-8, and its length. */
static uint32_t
code_point(struct str text, size_t at, size_t *len)
{
	const uint8_t *p = (const uint8_t *)text.p + at;
	uint32_t c = p[0];
	size_t i;

	*len = c < 0x80 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
	if (*len > 1)
		c &= 0x7fu >> *len;
	for (i = 1; i < *len; i++)
		c = c << 6 | (p[i] & 0x3fu);
	return c;
}

static void
put_unit(struct buf *out, uint32_t unit, bool upper)
{
	(void)buf_appendf(out, upper ? "\\u%04X" : "\\u%04x", unit);
}

static void
put_number(struct buf *out, uint32_t c, bool upper)
{
	if (c >= 0x10000) {
		put_unit(out, 0xd800 + ((c - 0x10000) >> 10), upper);
		c = 0xdc00 + ((c - 0x10000) & 0x3ff);
	}
	put_unit(out, c, upper);
}

static void
json_form(struct str secret, const struct json_style *style, struct buf *out)
{
	static const char shorts[] = "\bb\ff\nn\rr\tt\"\"\\\\";
	size_t i, n = 1;

	buf_reset(out);
	for (i = 0; i < secret.len; i += n) {
		uint8_t c = (uint8_t)secret.p[i];
		const char *named = NULL;
		size_t j;

		n = 1;
		for (j = 0; j + 1 < sizeof(shorts); j += 2)
			if ((uint8_t)shorts[j] == c)
				named = &shorts[j + 1];
		if (is_in(style->by_number, c) || (c < 0x20 && named == NULL)) {
			put_number(out, c, style->upper);
		} else if (c >= 0x80 && style->ascii) {
			put_number(out, code_point(secret, i, &n), style->upper);
		} else if (named != NULL || (c == '/' && style->slash)) {
			(void)buf_append_byte(out, '\\');
			(void)buf_append_byte(out, named != NULL ? (uint8_t)*named : c);
		} else {
			(void)buf_append_byte(out, c);
		}
	}
}

/* ---- base64 ------------------------------------------------------------------------------------- */

static enum av_err
add_base64_slice(struct scrub *s, uint8_t *text, size_t from, size_t to)
{
	struct str slice = {(const char *)text + from, to - from};
	enum av_err e = scrub_add(s, slice);
	size_t i;

	for (i = from; i < to; i++)
		text[i] = text[i] == '+' ? '-' : text[i] == '/' ? '_' : text[i];
	return e == AV_OK ? scrub_add(s, slice) : e;
}

static enum av_err
add_base64(struct scrub *s, struct str secret)
{
	size_t room = b64_encoded_len(secret.len + 2) + 1, off;
	struct buf plain, coded;
	uint8_t *to = NULL;
	enum av_err e = AV_OK;

	buf_init(&plain, SCRUB_MAX_NEEDLE);
	buf_init(&coded, SCRUB_MAX_NEEDLE);
	for (off = 0; off < 3 && e == AV_OK; off++) {
		/* The characters whose six bits are all the secret's. */
		size_t from = (8 * off + 5) / 6, end = 8 * (off + secret.len) / 6;

		buf_reset(&plain);
		(void)buf_append(&plain, "\0\0", off);
		e = buf_append(&plain, secret.p, secret.len);
		if (e == AV_OK)
			e = buf_reserve(&coded, room, &to);
		if (e != AV_OK)
			break;
		b64_encode(plain.data, plain.len, (char *)to);
		buf_commit(&coded, room);
		e = add_base64_slice(s, to, from, end);
		if (e == AV_OK && off == 0 && secret.len % 3 != 0) {
			b64_encode(plain.data, plain.len, (char *)to);
			e = add_base64_slice(s, to, 0, end + 1);
		}
		buf_reset(&coded);
	}
	buf_clear(&plain);
	buf_clear(&coded);
	return e;
}

/* ------------------------------------------------------------------------------------------------- */

static enum av_err
add_escaped(struct scrub *s, struct str secret)
{
	bool utf8 = str_is_utf8(secret);
	enum av_err e = AV_OK;
	struct buf form;
	size_t i;

	buf_init(&form, SCRUB_MAX_NEEDLE);
	for (i = 0; i < 2 * sizeof(percent_styles) / sizeof(percent_styles[0]) && e == AV_OK; i++) {
		percent_form(secret, &percent_styles[i / 2], i % 2 == 0, &form);
		e = take(s, &form);
	}
	for (i = 0; i < sizeof(json_styles) / sizeof(json_styles[0]) && e == AV_OK; i++) {
		if (json_styles[i].ascii && !utf8)
			continue;
		json_form(secret, &json_styles[i], &form);
		e = take(s, &form);
	}
	buf_clear(&form);
	return e;
}

enum av_err
needle_forms_add(struct scrub *s, struct str secret)
{
	enum av_err e = scrub_add(s, secret);
	bool plain = true;
	size_t i;

	if (secret.len < SCRUB_MIN_NEEDLE)
		return AV_OK;
	for (i = 0; i < secret.len; i++)
		plain = plain &&
		    (is_alnum((uint8_t)secret.p[i]) ||
		        is_in(UNRESERVED_MARKS, (uint8_t)secret.p[i]));
	if (e == AV_OK)
		e = add_base64(s, secret);
	/* Most keys look the same percent-encoded and in JSON; '~' alone does not in a form. */
	if (e == AV_OK && (!plain || memchr(secret.p, '~', secret.len) != NULL))
		e = add_escaped(s, secret);
	return e;
}
