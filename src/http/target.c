/* SPDX-License-Identifier: Apache-2.0 */
#include "http/target.h"

#include <string.h>

#define REMEDY_PATH "send a plain path: '/' and unescaped segments"
#define REMEDY_QUERY "percent-encode the query once, as UTF-8"

static bool
is_unreserved(unsigned char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	    c == '-' || c == '.' || c == '_' || c == '~';
}

/* pchar of RFC 3986 3.3 without the escapes, and '/'. */
static bool
is_path_byte(unsigned char c)
{
	return is_unreserved(c) || (c != '\0' && strchr("!$&'()*+,;=:@/", c) != NULL);
}

/* The byte that the escape at s.p[i] stands for, or -1. */
static int
escape_at(struct str s, size_t i)
{
	int hi, lo;

	if (s.len - i < 3)
		return -1;
	hi = hex_digit(s.p[i + 1]);
	lo = hex_digit(s.p[i + 2]);
	return hi < 0 || lo < 0 ? -1 : hi * 16 + lo;
}

static size_t
put_escape(uint8_t *out, unsigned char c)
{
	static const char digits[] = "0123456789ABCDEF";

	out[0] = '%';
	out[1] = (uint8_t)digits[c >> 4];
	out[2] = (uint8_t)digits[c & 15];
	return 3;
}

void
target_init(struct target *t)
{
	buf_init(&t->path, TARGET_MAX);
	buf_init(&t->query, TARGET_MAX);
	t->has_query = false;
}

void
target_clear(struct target *t)
{
	buf_clear(&t->path);
	buf_clear(&t->query);
	t->has_query = false;
}

/* What differs between the two halves of a target. */
struct half {
	bool is_path;
	bool opaque_slash;
	const char *control, *space, *high, *fragment, *nul, *escape, *utf8, *raw;
	const char *remedy;
};

static const struct half half_query = {false, false, "query_control_byte", "query_space",
    "query_high_byte", "query_fragment", "query_nul", "query_bad_escape", "query_not_utf8",
    "query_raw_byte", REMEDY_QUERY};
static const struct half half_path = {true, false, "path_control_byte", "path_space",
    "path_high_byte", "path_fragment", "path_nul", "path_bad_escape", "path_not_utf8",
    "path_raw_byte", REMEDY_PATH};

static enum av_err
refuse_raw(const struct half *h, unsigned char c, struct fault *f)
{
	const char *part = h->is_path ? "path" : "query";

	if (c < 0x20 || c == 0x7f)
		return fault_set(f, AV_EINVAL, h->control, h->remedy,
		    "the %s holds the control byte 0x%02x", part, c);
	if (c == ' ')
		return fault_set(f, AV_EINVAL, h->space, h->remedy, "the %s holds a space", part);
	if (c > 0x7e)
		return fault_set(
		    f, AV_EINVAL, h->high, h->remedy, "the %s holds the raw byte 0x%02x", part, c);
	if (c == '#')
		return fault_set(f, AV_EINVAL, h->fragment, h->remedy, "the %s holds a '#'", part);
	if (c == '\\')
		return fault_set(
		    f, AV_EINVAL, "path_backslash", h->remedy, "the path holds a backslash");
	return fault_set(f, AV_EINVAL, h->raw, h->remedy, "the %s holds a raw '%c'", part, c);
}

static enum av_err
check_escape(const struct half *h, int c, struct fault *f)
{
	const char *part = h->is_path ? "path" : "query";

	if (c < 0)
		return fault_set(f, AV_EINVAL, h->escape, h->remedy,
		    "the %s holds a '%%' that two hex digits do not follow", part);
	if (c == 0)
		return fault_set(f, AV_EINVAL, h->nul, h->remedy, "the %s holds %%00", part);
	if (!h->is_path)
		return AV_OK;
	if (c == '\\')
		return fault_set(f, AV_EINVAL, "path_backslash", h->remedy, "the path holds %%5c");
	if (c == '/' && !h->opaque_slash)
		return fault_set(f, AV_EINVAL, "path_encoded_slash", h->remedy,
		    "the path holds %%2f, and the capability does not say opaque_slash");
	return AV_OK;
}

/* Appends the canonical form of `raw` to `out`. It is never longer than `raw`. */
static enum av_err
half_canonical(struct buf *out, struct str raw, const struct half *h, struct fault *f)
{
	bool high = false;
	uint8_t *p;
	size_t n = 0;
	enum av_err e;

	if (raw.len == 0)
		return AV_OK;
	if (buf_reserve(out, raw.len, &p) != AV_OK)
		return fault_set(f, buf_err(out), "no_memory", "", "out of memory");
	for (size_t i = 0; i < raw.len; i++) {
		unsigned char c = (unsigned char)raw.p[i];
		int decoded;
		if (c != '%') {
			if (h->is_path ? !is_path_byte(c) : (c <= 0x20 || c > 0x7e || c == '#'))
				return refuse_raw(h, c, f);
			p[n++] = c;
			continue;
		}
		decoded = escape_at(raw, i);
		e = check_escape(h, decoded, f);
		if (e != AV_OK)
			return e;
		c = (unsigned char)decoded;
		high = high || c > 0x7f;
		if (is_unreserved(c))
			p[n++] = c;
		else
			n += put_escape(p + n, c);
		i += 2;
	}
	buf_commit(out, n);
	if (high) {
		struct buf plain;
		bool fine;
		buf_init(&plain, TARGET_MAX);
		e = percent_decode(&plain, (struct str){(const char *)out->data, out->len});
		fine = e == AV_OK && str_is_utf8((struct str){(const char *)plain.data, plain.len});
		buf_clear(&plain);
		if (!fine)
			return fault_set(f, AV_EINVAL, h->utf8, h->remedy,
			    "the %s is not UTF-8 once it is decoded",
			    h->is_path ? "path" : "query");
	}
	return AV_OK;
}

/* A segment ends at '/', %2F, or the end; its name ends at ';' (parameters) too: some servers cut
 * "..;x" down to "..". */
static bool
is_dot_segment(struct str seg)
{
	size_t n = 0;

	while (n < seg.len && seg.p[n] == '.')
		n++;
	if (n != 1 && n != 2)
		return false;
	seg.p += n;
	seg.len -= n;
	return seg.len == 0 || seg.p[0] == ';' || str_starts(seg, STR_LIT("%3B"));
}

/* "%25" (or "%2525"...) before "2e", "2f" or "5c": one more decode would make a dot or a slash. */
static bool
is_double_encoded(struct str s)
{
	if (!str_starts(s, STR_LIT("%25")))
		return false;
	s = (struct str){s.p + 3, s.len - 3};
	while (str_starts(s, STR_LIT("25")))
		s = (struct str){s.p + 2, s.len - 2};
	if (s.len < 2)
		return false;
	s.len = 2;
	return str_ieq_cstr(s, "2e") || str_ieq_cstr(s, "2f") || str_ieq_cstr(s, "5c");
}

static enum av_err
path_check(struct str path, bool opaque_slash, struct fault *f)
{
	size_t start = 1;

	for (size_t i = 1; i <= path.len; i++) {
		struct str rest = {path.p + i, path.len - i};
		size_t cut = 0;
		if (rest.len == 0 || rest.p[0] == '/')
			cut = 1;
		else if (str_starts(rest, STR_LIT("%2F")))
			cut = 3;
		if (cut > 0) {
			if (is_dot_segment((struct str){path.p + start, i - start}))
				return fault_set(f, AV_EINVAL, "path_dot_segment", REMEDY_PATH,
				    "the path holds a '.' or '..' segment");
			start = i + cut;
		}
		if (rest.len > 0 && rest.p[0] == '/' && path.p[i - 1] == '/' && !opaque_slash)
			return fault_set(f, AV_EINVAL, "path_empty_segment", REMEDY_PATH,
			    "the path holds '//', and the capability does not say opaque_slash");
		if (is_double_encoded(rest))
			return fault_set(f, AV_EINVAL, "path_double_encoded", REMEDY_PATH,
			    "the path holds a dot, slash or backslash that is encoded twice");
	}
	return AV_OK;
}

enum av_err
target_parse(struct target *t, struct str raw, bool opaque_slash, struct fault *f)
{
	struct half h = half_path;
	struct str path = raw, query = {NULL, 0};
	enum av_err e;

	buf_reset(&t->path);
	buf_reset(&t->query);
	h.opaque_slash = opaque_slash;
	if (raw.len > TARGET_MAX)
		return fault_set(f, AV_ELIMIT, "path_too_long", "shorten the path or the query",
		    "path and query are over %u bytes", TARGET_MAX);
	t->has_query = str_cut(raw, '?', &path, &query);
	if (!t->has_query)
		path = raw;
	if (path.len == 0 || path.p[0] != '/') {
		e = fault_set(f, AV_EINVAL, "path_not_absolute", REMEDY_PATH,
		    "the path does not begin with '/'");
		goto out;
	}
	e = half_canonical(&t->path, path, &h, f);
	if (e != AV_OK)
		goto out;
	e = path_check((struct str){(const char *)t->path.data, t->path.len}, opaque_slash, f);
	if (e != AV_OK)
		goto out;
	if (t->has_query)
		e = half_canonical(&t->query, query, &half_query, f);
out:
	if (e != AV_OK) {
		/* Nothing half-checked may stay to be sent. */
		target_clear(t);
	}
	return e;
}

static void
decode_form(uint8_t *out, size_t *n, struct str s)
{
	for (size_t i = 0; i < s.len; i++) {
		int c = (unsigned char)s.p[i];
		if (c == '+') {
			c = ' ';
		} else if (c == '%') {
			int decoded = escape_at(s, i);
			if (decoded >= 0) {
				c = decoded;
				i += 2;
			}
		}
		out[(*n)++] = (uint8_t)c;
	}
}

bool
query_next(struct str query, size_t *pos, struct buf *scratch, struct str *name, struct str *value)
{
	struct str piece = {NULL, 0}, rest, left = {NULL, 0}, right = {NULL, 0};
	uint8_t *p;
	size_t n = 0, name_len;

	while (piece.len == 0) {
		if (*pos >= query.len)
			return false;
		rest = (struct str){query.p + *pos, query.len - *pos};
		if (!str_cut(rest, '&', &piece, &left))
			piece = rest;
		*pos += piece.len + 1;
	}
	buf_reset(scratch);
	if (buf_reserve(scratch, piece.len, &p) != AV_OK)
		return false;
	if (!str_cut(piece, '=', &left, &right)) {
		left = piece;
		right = (struct str){NULL, 0};
	}
	decode_form(p, &n, left);
	name_len = n;
	decode_form(p, &n, right);
	buf_commit(scratch, n);
	*name = (struct str){(const char *)scratch->data, name_len};
	*value = (struct str){(const char *)scratch->data + name_len, n - name_len};
	return true;
}

enum av_err
percent_encode(struct buf *out, struct str s)
{
	for (size_t i = 0; i < s.len; i++) {
		unsigned char c = (unsigned char)s.p[i];
		uint8_t escape[3];
		if (is_unreserved(c))
			(void)buf_append_byte(out, c);
		else
			(void)buf_append(out, escape, put_escape(escape, c));
	}
	return buf_err(out);
}

enum av_err
percent_decode(struct buf *out, struct str s)
{
	for (size_t i = 0; i < s.len; i++) {
		int c = (unsigned char)s.p[i];
		if (c == '%') {
			c = escape_at(s, i);
			if (c < 0)
				return AV_EFORMAT;
			i += 2;
		}
		(void)buf_append_byte(out, (uint8_t)c);
	}
	return buf_err(out);
}
