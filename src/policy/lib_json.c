/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The judge's own JSON reader: RFC 8259, and stricter where two readers could differ (I5). Refused:
 * a name twice in one object, invalid UTF-8, lone surrogates, anything after the value, a byte order
 * mark, depth over 64, over 1 MiB, over 65,536 values, whole numbers outside 64 bits, other numbers
 * of 2^53 and more, or not finite. A text may hold U+0000. null is json.null.
 */
#include "policy/frozen.h"
#include "policy/lib.h"
#include "policy/sandbox.h"

#include <math.h>
#include <string.h>

#define NUMBER_MAX 128u
#define EXACT_MAX 9007199254740992.0

struct json {
	lua_State *L;
	const char *start;
	const char *p;
	const char *end;
	unsigned values;
};

static LUA_RAISES void push_any(struct json *j, int depth);

static _Noreturn void
refuse(struct json *j, const char *what)
{
	script_error(j->L, "JSON: %s at byte %d", what, (int)(j->p - j->start) + 1);
}

static void
skip_blanks(struct json *j)
{
	while (j->p < j->end && (*j->p == ' ' || *j->p == '\t' || *j->p == '\n' || *j->p == '\r')) {
		j->p++;
	}
}

/* The next byte that is not blank, or -1 at the end. */
static int
peek(struct json *j)
{
	skip_blanks(j);
	return j->p < j->end ? (unsigned char)*j->p : -1;
}

static void
expect(struct json *j, char c, const char *what)
{
	if (peek(j) != c) {
		refuse(j, what);
	}
	j->p++;
}

static unsigned
hex4(struct json *j)
{
	unsigned v = 0;
	if (j->end - j->p < 4) {
		refuse(j, "a cut escape");
	}
	for (int i = 0; i < 4; i++) {
		char c = *j->p;
		unsigned d;
		if (c >= '0' && c <= '9') {
			d = (unsigned)(c - '0');
		} else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f') {
			d = (unsigned)((c | 0x20) - 'a') + 10;
		} else {
			refuse(j, "a bad escape");
		}
		v = v * 16 + d;
		j->p++;
	}
	return v;
}

static unsigned
unicode_escape(struct json *j)
{
	unsigned c = hex4(j);
	if (c < 0xd800 || c > 0xdfff) {
		return c;
	}
	if (c > 0xdbff || j->end - j->p < 6 || j->p[0] != '\\' || j->p[1] != 'u') {
		refuse(j, "a lone surrogate");
	}
	j->p += 2;
	unsigned low = hex4(j);
	if (low < 0xdc00 || low > 0xdfff) {
		refuse(j, "a lone surrogate");
	}
	return 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
}

static size_t
put_utf8(char *out, unsigned c)
{
	if (c < 0x80) {
		out[0] = (char)c;
		return 1;
	}
	if (c < 0x800) {
		out[0] = (char)(0xc0 | (c >> 6));
		out[1] = (char)(0x80 | (c & 0x3f));
		return 2;
	}
	if (c < 0x10000) {
		out[0] = (char)(0xe0 | (c >> 12));
		out[1] = (char)(0x80 | ((c >> 6) & 0x3f));
		out[2] = (char)(0x80 | (c & 0x3f));
		return 3;
	}
	out[0] = (char)(0xf0 | (c >> 18));
	out[1] = (char)(0x80 | ((c >> 12) & 0x3f));
	out[2] = (char)(0x80 | ((c >> 6) & 0x3f));
	out[3] = (char)(0x80 | (c & 0x3f));
	return 4;
}

/* j->p stands behind a backslash; writes what the escape means. */
static size_t
put_escape(struct json *j, char *out)
{
	static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
	if (j->p == j->end) {
		refuse(j, "a cut escape");
	}
	char c = *j->p++;
	if (c == 'u') {
		return put_utf8(out, unicode_escape(j));
	}
	const char *at = c != '\0' ? strchr(from, c) : NULL;
	if (at == NULL) {
		j->p--;
		refuse(j, "a bad escape");
	}
	out[0] = to[at - from];
	return 1;
}

/* j->p stands behind the opening quote. */
static void
push_text(struct json *j)
{
	const char *start = j->p, *q = j->p;
	bool escapes = false;
	while (q < j->end && *q != '"') {
		if ((unsigned char)*q < 0x20) {
			j->p = q;
			refuse(j, "a control byte in a text");
		}
		if (*q == '\\') {
			escapes = true;
			q++;
		}
		q++;
	}
	if (q >= j->end) {
		refuse(j, "a text without its end");
	}
	size_t raw = (size_t)(q - start);
	if (!escapes) {
		lua_pushlstring(j->L, start, raw);
		j->p = q + 1;
		return;
	}
	/* No escape is longer in UTF-8 than it is written. */
	char *out = push_scratch(j->L, raw);
	size_t n = 0;
	while (j->p < q) {
		if (*j->p == '\\') {
			j->p++;
			n += put_escape(j, out + n);
		} else {
			out[n++] = *j->p++;
		}
	}
	j->p = q + 1;
	lua_pushlstring(j->L, out, n);
	lua_remove(j->L, -2);
}

static size_t
digits(struct json *j)
{
	const char *start = j->p;
	while (j->p < j->end && *j->p >= '0' && *j->p <= '9') {
		j->p++;
	}
	return (size_t)(j->p - start);
}

static void
push_number(struct json *j)
{
	const char *start = j->p;
	bool whole = true;
	if (*j->p == '-') {
		j->p++;
	}
	bool zero = j->p < j->end && *j->p == '0';
	size_t n = digits(j);
	if (n == 0 || (zero && n > 1)) {
		refuse(j, "a malformed number");
	}
	if (j->p < j->end && *j->p == '.') {
		whole = false;
		j->p++;
		if (digits(j) == 0) {
			refuse(j, "a malformed number");
		}
	}
	if (j->p < j->end && (*j->p == 'e' || *j->p == 'E')) {
		whole = false;
		j->p++;
		if (j->p < j->end && (*j->p == '+' || *j->p == '-')) {
			j->p++;
		}
		if (digits(j) == 0) {
			refuse(j, "a malformed number");
		}
	}
	char text[NUMBER_MAX];
	size_t len = (size_t)(j->p - start);
	if (len >= sizeof(text)) {
		refuse(j, "a number that is too long");
	}
	memcpy(text, start, len);
	text[len] = '\0';
	if (lua_stringtonumber(j->L, text) != len + 1) {
		refuse(j, "a malformed number");
	}
	if (whole ? !lua_isinteger(j->L, -1) : !(fabs(lua_tonumber(j->L, -1)) < EXACT_MAX)) {
		refuse(j, "a number too large to be exact");
	}
}

static void
push_array(struct json *j, int depth)
{
	lua_createtable(j->L, 0, 0);
	if (peek(j) == ']') {
		j->p++;
		return;
	}
	for (lua_Integer n = 1;; n++) {
		push_any(j, depth + 1);
		lua_rawseti(j->L, -2, n);
		if (peek(j) == ']') {
			j->p++;
			return;
		}
		expect(j, ',', "',' or ']' is missing");
	}
}

static void
push_object(struct json *j, int depth)
{
	lua_createtable(j->L, 0, 0);
	if (peek(j) == '}') {
		j->p++;
		return;
	}
	for (;;) {
		expect(j, '"', "a name is missing");
		push_text(j);
		lua_pushvalue(j->L, -1);
		if (lua_rawget(j->L, -3) != LUA_TNIL) {
			refuse(j, "a name is there twice");
		}
		lua_pop(j->L, 1);
		expect(j, ':', "':' is missing");
		push_any(j, depth + 1);
		lua_rawset(j->L, -3);
		if (peek(j) == '}') {
			j->p++;
			return;
		}
		expect(j, ',', "',' or '}' is missing");
	}
}

static bool
take_word(struct json *j, const char *word)
{
	size_t n = strlen(word);
	if ((size_t)(j->end - j->p) < n || memcmp(j->p, word, n) != 0) {
		return false;
	}
	j->p += n;
	return true;
}

static void
push_any(struct json *j, int depth)
{
	if (++j->values > JSON_MAX_VALUES) {
		refuse(j, "more than 65536 values");
	}
	need_stack(j->L, 8);
	sandbox_tick(j->L, 64);
	int c = peek(j);
	if ((c == '{' || c == '[') && depth > JSON_MAX_DEPTH) {
		refuse(j, "more than 64 levels");
	}
	if (c == '{') {
		j->p++;
		push_object(j, depth);
	} else if (c == '[') {
		j->p++;
		push_array(j, depth);
	} else if (c == '"') {
		j->p++;
		push_text(j);
	} else if (c == '-' || (c >= '0' && c <= '9')) {
		push_number(j);
	} else if (take_word(j, "true")) {
		lua_pushboolean(j->L, 1);
	} else if (take_word(j, "false")) {
		lua_pushboolean(j->L, 0);
	} else if (take_word(j, "null")) {
		lua_pushlightuserdata(j->L, NULL);
	} else {
		refuse(j, "a value is missing");
	}
}

void
json_push(lua_State *L, struct str text)
{
	struct json j = {L, text.p, text.p, text.p + text.len, 0};
	if (text.len > JSON_MAX_BYTES) {
		script_error(L, "JSON: longer than %d bytes", (int)JSON_MAX_BYTES);
	}
	sandbox_tick(L, text.len);
	if (!str_is_utf8(text)) {
		script_error(L, "JSON: not UTF-8");
	}
	push_any(&j, 1);
	if (peek(&j) != -1) {
		refuse(&j, "something after the value");
	}
}

static int
json_decode(lua_State *L)
{
	json_push(L, arg_str_strict(L, 1));
	return 1;
}

void
lib_json_open(lua_State *L)
{
	static const struct lib_function functions[] = {{"decode", json_decode}};
	lib_register(L, "json", functions, LIB_ARRAY_LEN(functions));
	lua_getfield(L, -1, "json");
	frozen_push_content(L, -1);
	lua_pushlightuserdata(L, NULL);
	lua_setfield(L, -2, "null");
	lua_pop(L, 2);
}
