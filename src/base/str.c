/* SPDX-License-Identifier: Apache-2.0 */
#include "base/str.h"

#include <stdlib.h>
#include <string.h>

struct str
str_of(const char *cstr)
{
	if (cstr == NULL)
		return (struct str){"", 0};
	return (struct str){cstr, strlen(cstr)};
}

bool
str_eq(struct str a, struct str b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.p, b.p, a.len) == 0);
}

bool
str_eq_cstr(struct str a, const char *b)
{
	return str_eq(a, str_of(b));
}

/* tolower() follows the locale; names on the wire do not. */
static unsigned char
fold(char c)
{
	unsigned char u = (unsigned char)c;

	return u >= 'A' && u <= 'Z' ? (unsigned char)(u + 32) : u;
}

bool
str_ieq(struct str a, struct str b)
{
	if (a.len != b.len)
		return false;
	for (size_t i = 0; i < a.len; i++)
		if (fold(a.p[i]) != fold(b.p[i]))
			return false;
	return true;
}

bool
str_ieq_cstr(struct str a, const char *b)
{
	return str_ieq(a, str_of(b));
}

bool
str_starts(struct str s, struct str prefix)
{
	return s.len >= prefix.len && str_eq((struct str){s.p, prefix.len}, prefix);
}

bool
str_ends(struct str s, struct str suffix)
{
	if (suffix.len == 0)
		return true;
	return s.len >= suffix.len && memcmp(s.p + (s.len - suffix.len), suffix.p, suffix.len) == 0;
}

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t';
}

struct str
str_trim(struct str s)
{
	while (s.len > 0 && is_blank(s.p[0])) {
		s.p++;
		s.len--;
	}
	while (s.len > 0 && is_blank(s.p[s.len - 1]))
		s.len--;
	return s;
}

bool
str_cut(struct str s, char c, struct str *head, struct str *tail)
{
	const char *at = s.len == 0 ? NULL : memchr(s.p, c, s.len);
	size_t before;

	if (at == NULL)
		return false;
	before = (size_t)(at - s.p);
	*head = (struct str){s.p, before};
	*tail = (struct str){at + 1, s.len - before - 1};
	return true;
}

char *
str_dup(struct str s)
{
	char *copy;

	if (s.len > 0 && memchr(s.p, '\0', s.len) != NULL)
		return NULL;
	copy = malloc(s.len + 1);
	if (copy == NULL)
		return NULL;
	if (s.len > 0)
		memcpy(copy, s.p, s.len);
	copy[s.len] = '\0';
	return copy;
}

/* RFC 3629 section 4, table of well-formed sequences: how many bytes follow, 0 if `p` is bad. */
static size_t
utf8_tail(const unsigned char *p, size_t len)
{
	unsigned char low = 0x80, high = 0xbf;
	size_t tail;

	if (p[0] >= 0xc2 && p[0] <= 0xdf)
		tail = 1;
	else if (p[0] >= 0xe0 && p[0] <= 0xef)
		tail = 2;
	else if (p[0] >= 0xf0 && p[0] <= 0xf4)
		tail = 3;
	else
		return 0;
	if (tail >= len)
		return 0;
	if (p[0] == 0xe0)
		low = 0xa0;
	else if (p[0] == 0xed)
		high = 0x9f;
	else if (p[0] == 0xf0)
		low = 0x90;
	else if (p[0] == 0xf4)
		high = 0x8f;
	if (p[1] < low || p[1] > high)
		return 0;
	for (size_t i = 2; i <= tail; i++)
		if ((p[i] & 0xc0u) != 0x80u)
			return 0;
	return tail;
}

bool
str_is_utf8(struct str s)
{
	const unsigned char *p = (const unsigned char *)s.p;
	size_t i = 0;

	while (i < s.len) {
		size_t tail = 0;

		if (p[i] >= 0x80) {
			tail = utf8_tail(p + i, s.len - i);
			if (tail == 0)
				return false;
		}
		i += tail + 1;
	}
	return true;
}

enum av_err
str_to_u64(struct str s, uint64_t min, uint64_t max, uint64_t *out)
{
	uint64_t v = 0;
	bool over = false;

	if (s.len == 0 || (s.len > 1 && s.p[0] == '0'))
		return AV_EFORMAT;
	for (size_t i = 0; i < s.len; i++) {
		uint64_t digit;

		if (s.p[i] < '0' || s.p[i] > '9')
			return AV_EFORMAT;
		digit = (uint64_t)(s.p[i] - '0');
		if (v > (UINT64_MAX - digit) / 10)
			over = true;
		else
			v = v * 10 + digit;
	}
	if (over || v < min || v > max)
		return AV_ELIMIT;
	*out = v;
	return AV_OK;
}

enum av_err
str_to_seconds(struct str s, uint64_t max, uint64_t *out)
{
	uint64_t unit = 1, n;
	enum av_err e;

	if (s.len > 0) {
		switch (s.p[s.len - 1]) {
		case 's':
			unit = 1;
			s.len--;
			break;
		case 'm':
			unit = 60;
			s.len--;
			break;
		case 'h':
			unit = 3600;
			s.len--;
			break;
		case 'd':
			unit = 86400;
			s.len--;
			break;
		default:
			break;
		}
	}
	e = str_to_u64(s, 0, max / unit, &n);
	if (e == AV_OK)
		*out = n * unit;
	return e;
}

bool
str_to_bool(const char *s)
{
	struct str t = str_of(s);

	while (t.len > 0 && (is_blank(t.p[0]) || t.p[0] == '\n' || t.p[0] == '\r')) {
		t.p++;
		t.len--;
	}
	while (t.len > 0 &&
	    (is_blank(t.p[t.len - 1]) || t.p[t.len - 1] == '\n' || t.p[t.len - 1] == '\r'))
		t.len--;
	return str_ieq_cstr(t, "1") || str_ieq_cstr(t, "true") || str_ieq_cstr(t, "yes") ||
	    str_ieq_cstr(t, "on");
}

void
hex_encode(const void *in, size_t len, char *out)
{
	static const char digits[] = "0123456789abcdef";
	const uint8_t *p = in;

	for (size_t i = 0; i < len; i++) {
		out[2 * i] = digits[p[i] >> 4];
		out[2 * i + 1] = digits[p[i] & 0x0f];
	}
	out[2 * len] = '\0';
}

int
hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

enum av_err
hex_decode(struct str s, uint8_t *out, size_t out_len)
{
	if (s.len % 2 != 0 || s.len / 2 != out_len)
		return AV_EFORMAT;
	for (size_t i = 0; i < out_len; i++) {
		int high = hex_digit(s.p[2 * i]);
		int low = hex_digit(s.p[2 * i + 1]);

		if (high < 0 || low < 0)
			return AV_EFORMAT;
		out[i] = (uint8_t)(high << 4 | low);
	}
	return AV_OK;
}

size_t
b64_encoded_len(size_t len)
{
	return (len / 3 + (len % 3 != 0)) * 4;
}

void
b64_encode(const void *in, size_t len, char *out)
{
	static const char digits[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const uint8_t *p = in;
	size_t n = 0;

	for (size_t i = 0; i < len; i += 3) {
		size_t have = len - i < 3 ? len - i : 3;
		uint32_t v = (uint32_t)p[i] << 16;

		if (have > 1)
			v |= (uint32_t)p[i + 1] << 8;
		if (have > 2)
			v |= p[i + 2];
		out[n++] = digits[v >> 18];
		out[n++] = digits[v >> 12 & 63];
		out[n++] = have > 1 ? digits[v >> 6 & 63] : '=';
		out[n++] = have > 2 ? digits[v & 63] : '=';
	}
	out[n] = '\0';
}

static int
b64_value(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	if (c == '+')
		return 62;
	return c == '/' ? 63 : -1;
}

enum av_err
b64_decode(struct str s, uint8_t *out, size_t *out_len)
{
	size_t pad = 0, n = 0, want;

	if (s.len % 4 != 0)
		return AV_EFORMAT;
	if (s.len > 0 && s.p[s.len - 1] == '=')
		pad = s.p[s.len - 2] == '=' ? 2 : 1;
	want = s.len / 4 * 3 - pad;
	if (want > *out_len)
		return AV_ELIMIT;
	for (size_t i = 0; i < s.len; i += 4) {
		size_t digits = i + 4 == s.len ? 4 - pad : 4;
		uint32_t v = 0;

		for (size_t k = 0; k < 4; k++) {
			int d = k < digits ? b64_value(s.p[i + k]) : 0;

			if (d < 0)
				return AV_EFORMAT;
			v = v << 6 | (uint32_t)d;
		}
		/* Bits that no output byte takes must be zero, or one value has several texts. */
		if ((digits == 2 && (v & 0xffffu) != 0) || (digits == 3 && (v & 0xffu) != 0))
			return AV_EFORMAT;
		out[n++] = (uint8_t)(v >> 16);
		if (digits > 2)
			out[n++] = (uint8_t)(v >> 8);
		if (digits > 3)
			out[n++] = (uint8_t)v;
	}
	*out_len = n;
	return AV_OK;
}

bool
id_is_valid(struct str s)
{
	bool at_start = true;

	if (s.len == 0 || s.len > 128)
		return false;
	for (size_t i = 0; i < s.len; i++) {
		char c = s.p[i];

		if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'))
			at_start = false;
		else if (at_start)
			return false;
		else if (c == '/')
			at_start = true;
		else if (c != '.' && c != '_' && c != '-' && c != ':')
			return false;
	}
	return !at_start;
}

bool
credential_id_is_valid(struct str s)
{
	if (s.len == 0 || s.len > CREDENTIAL_ID_MAX)
		return false;
	for (size_t i = 0; i < s.len; i++) {
		char c = s.p[i];
		bool alnum =
		    (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
		if (!alnum && (i == 0 || c == '\0' || strchr("._-:/@", c) == NULL))
			return false;
	}
	return true;
}
