/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/lib.h"
#include "policy/sandbox.h"

#include <string.h>

#define SPLIT_MAX 10000

/* First place of `needle` at or after `from`, or s.len; the time is linear in what memmem is. */
static size_t
find_from(struct str s, struct str needle, size_t from)
{
	if (needle.len == 0) {
		return from;
	}
	const char *p = memmem(s.p + from, s.len - from, needle.p, needle.len);
	return p != NULL ? (size_t)(p - s.p) : s.len;
}

/* text.find(s, needle [, from]) -> first and last byte of it, or nil. Plain: there are no patterns. */
static int
text_find(lua_State *L)
{
	struct str s = arg_str(L, 1), needle = arg_str(L, 2);
	lua_Integer from = arg_int_or(L, 3, 1);
	if (from < 1) {
		script_error(L, "text.find: the start must be 1 or more");
	}
	sandbox_tick(L, s.len);
	if (from > (lua_Integer)s.len + 1) {
		lua_pushnil(L);
		return 1;
	}
	size_t at = find_from(s, needle, (size_t)from - 1);
	if (at == s.len && needle.len > 0) {
		lua_pushnil(L);
		return 1;
	}
	lua_pushinteger(L, (lua_Integer)at + 1);
	lua_pushinteger(L, (lua_Integer)at + (lua_Integer)needle.len);
	return 2;
}

static int
text_lower(lua_State *L)
{
	struct str s = arg_str(L, 1);
	sandbox_tick(L, s.len);
	char *out = push_scratch(L, s.len);
	for (size_t i = 0; i < s.len; i++) {
		out[i] = s.p[i] >= 'A' && s.p[i] <= 'Z' ? (char)(s.p[i] + 32) : s.p[i];
	}
	lua_pushlstring(L, out, s.len);
	return 1;
}

static int
text_split(lua_State *L)
{
	struct str s = arg_str(L, 1), separator = arg_str(L, 2);
	if (separator.len == 0) {
		script_error(L, "text.split: the separator is empty");
	}
	lua_createtable(L, 4, 0);
	size_t at = 0;
	for (lua_Integer n = 1;; n++) {
		if (n > SPLIT_MAX) {
			script_error(L, "text.split: more than %d parts", SPLIT_MAX);
		}
		size_t end = find_from(s, separator, at);
		lua_pushlstring(L, s.p + at, end - at);
		lua_rawseti(L, -2, n);
		sandbox_tick(L, end - at + 32);
		if (end == s.len) {
			return 1;
		}
		at = end + separator.len;
	}
}

static int
text_trim(lua_State *L)
{
	struct str s = arg_str(L, 1);
	sandbox_tick(L, s.len);
	while (s.len > 0 && strchr(" \t\r\n", s.p[0]) != NULL && s.p[0] != '\0') {
		s.p++;
		s.len--;
	}
	while (s.len > 0 && strchr(" \t\r\n", s.p[s.len - 1]) != NULL && s.p[s.len - 1] != '\0') {
		s.len--;
	}
	push_str(L, s);
	return 1;
}

void
lib_text_open(lua_State *L)
{
	static const struct lib_function functions[] = {
	    {"find", text_find},
	    {"lower", text_lower},
	    {"split", text_split},
	    {"trim", text_trim},
	};
	lib_register(L, "text", functions, LIB_ARRAY_LEN(functions));
}
