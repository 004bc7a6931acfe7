/* SPDX-License-Identifier: Apache-2.0 */
/* The linear part of Lua's string library. No patterns, no rep, no pack, no dump. */
#include "policy/frozen.h"
#include "policy/lib.h"
#include "policy/sandbox.h"

#include <stdio.h>
#include <string.h>

#define FORMAT_MAX_BYTES 4096u
#define FORMAT_ITEM_MAX 512u
#define FORMAT_FOLD 16

static int
string_len(lua_State *L)
{
	lua_pushinteger(L, (lua_Integer)arg_str(L, 1).len);
	return 1;
}

/* Lua's indexes: 1 is the first byte, -1 the last. Cut to the string; false: nothing is left. */
static bool
cut_range(struct str s, lua_Integer i, lua_Integer j, struct str *out)
{
	lua_Integer len = (lua_Integer)s.len;
	i = i < 0 ? (i < -len ? 1 : len + i + 1) : (i == 0 ? 1 : i);
	j = j < 0 ? (j < -len ? 0 : len + j + 1) : (j > len ? len : j);
	if (i > j) {
		return false;
	}
	*out = (struct str){s.p + i - 1, (size_t)(j - i + 1)};
	return true;
}

static int
string_sub(lua_State *L)
{
	struct str s = arg_str(L, 1), part = {"", 0};
	lua_Integer i = arg_int_or(L, 2, 1), j = arg_int_or(L, 3, -1);
	sandbox_tick(L, s.len);
	(void)cut_range(s, i, j, &part);
	push_str(L, part);
	return 1;
}

static int
string_byte(lua_State *L)
{
	struct str s = arg_str(L, 1), part;
	lua_Integer i = arg_int_or(L, 2, 1), j = arg_int_or(L, 3, i);
	if (!cut_range(s, i, j, &part)) {
		return 0;
	}
	if (part.len > LIB_MAX_RESULTS) {
		script_error(L, "string.byte: more than %d values", LIB_MAX_RESULTS);
	}
	need_stack(L, (int)part.len);
	for (size_t k = 0; k < part.len; k++) {
		lua_pushinteger(L, (unsigned char)part.p[k]);
	}
	return (int)part.len;
}

static int
string_char(lua_State *L)
{
	int n = lua_gettop(L);
	char *out = push_scratch(L, (size_t)n);
	for (int i = 1; i <= n; i++) {
		lua_Integer c = arg_int(L, i);
		if (c < 0 || c > 255) {
			script_error(L, "string.char: argument %d is not 0 to 255", i);
		}
		out[i - 1] = (char)c;
	}
	lua_pushlstring(L, out, (size_t)n);
	return 1;
}

static int
change_case(lua_State *L, char from, char to)
{
	struct str s = arg_str(L, 1);
	sandbox_tick(L, s.len);
	char *out = push_scratch(L, s.len);
	for (size_t i = 0; i < s.len; i++) {
		char c = s.p[i];
		out[i] = c >= from && c <= from + 25 ? (char)(c - from + to) : c;
	}
	lua_pushlstring(L, out, s.len);
	return 1;
}

static int
string_lower(lua_State *L)
{
	return change_case(L, 'A', 'a');
}

static int
string_upper(lua_State *L)
{
	return change_case(L, 'a', 'A');
}

/* One conversion: flags, at most two digits of width and of precision, a letter. */
struct conversion {
	char spec[16]; /* "%-08.3" */
	char letter;
};

static size_t
take_digits(struct str s, size_t i)
{
	size_t n = 0;
	while (n < 2 && i + n < s.len && s.p[i + n] >= '0' && s.p[i + n] <= '9') {
		n++;
	}
	return n;
}

/* Reads what follows a '%' at s.p[i]; returns the index behind it. */
static size_t
read_conversion(lua_State *L, struct str s, size_t i, struct conversion *c)
{
	size_t start = i, flags = 0;
	while (i < s.len && flags < 5 && strchr("-+ #0", s.p[i]) != NULL && s.p[i] != '\0') {
		i++;
		flags++;
	}
	i += take_digits(s, i);
	if (i < s.len && s.p[i] == '.') {
		i++;
		i += take_digits(s, i);
	}
	if (i >= s.len || strchr("diucxXoeEfFgGs", s.p[i]) == NULL || s.p[i] == '\0') {
		script_error(
		    L, "string.format: conversion not allowed; d i u c x X o e E f g G s are");
	}
	c->spec[0] = '%';
	memcpy(c->spec + 1, s.p + start, i - start);
	c->spec[i - start + 1] = '\0';
	c->letter = s.p[i];
	return i + 1;
}

#pragma GCC diagnostic push
/* The format is checked above, letter by letter: no %n, no %p, no *, two digits at most. */
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
static void
push_conversion(lua_State *L, const struct conversion *c, int arg)
{
	char format[24], out[FORMAT_ITEM_MAX];
	int n;
	if (c->letter == 's') {
		arg_any(L, arg);
		push_tostring(L, arg);
		if (c->spec[1] == '\0') {
			return;
		}
		size_t len;
		const char *text = lua_tolstring(L, -1, &len);
		if (len >= 100 && strchr(c->spec, '.') == NULL) {
			return; /* no width can matter */
		}
		snprintf(format, sizeof(format), "%ss", c->spec);
		n = snprintf(out, sizeof(out), format, text);
		lua_pop(L, 1);
	} else if (c->letter == 'c') {
		out[0] = (char)arg_int(L, arg);
		n = 1;
	} else if (strchr("diuxXo", c->letter) != NULL) {
		char letter = c->letter == 'i' || c->letter == 'u' ? 'd' : c->letter;
		snprintf(format, sizeof(format), "%sll%c", c->spec, letter);
		n = snprintf(out, sizeof(out), format, (long long)arg_int(L, arg));
	} else {
		snprintf(format, sizeof(format), "%s%c", c->spec, c->letter);
		n = snprintf(out, sizeof(out), format, arg_number(L, arg));
	}
	if (n < 0 || (size_t)n >= sizeof(out)) {
		script_error(
		    L, "string.format: one item is longer than %d bytes", (int)FORMAT_ITEM_MAX);
	}
	lua_pushlstring(L, out, (size_t)n);
}
#pragma GCC diagnostic pop

static int
string_format(lua_State *L)
{
	struct str s = arg_str_strict(L, 1);
	int arg = 1, pieces = 0;
	if (s.len > FORMAT_MAX_BYTES) {
		script_error(
		    L, "string.format: format longer than %d bytes", (int)FORMAT_MAX_BYTES);
	}
	need_stack(L, FORMAT_FOLD + 4);
	int top = lua_gettop(L);
	size_t i = 0;
	while (i < s.len) {
		size_t start = i;
		while (i < s.len && s.p[i] != '%') {
			i++;
		}
		if (i > start) {
			lua_pushlstring(L, s.p + start, i - start);
		} else if (i + 1 < s.len && s.p[i + 1] == '%') {
			lua_pushliteral(L, "%");
			i += 2;
		} else {
			struct conversion c;
			i = read_conversion(L, s, i + 1, &c);
			arg++;
			if (arg > top) {
				script_error(
				    L, "string.format: no value for conversion %d", arg - 1);
			}
			push_conversion(L, &c, arg);
		}
		if (++pieces == FORMAT_FOLD) {
			lua_concat(L, pieces);
			sandbox_tick(L, lua_rawlen(L, -1));
			pieces = 1;
		}
	}
	lua_concat(L, pieces);
	return 1;
}

void
lib_string_open(lua_State *L)
{
	static const struct lib_function functions[] = {
	    {"byte", string_byte},
	    {"char", string_char},
	    {"format", string_format},
	    {"len", string_len},
	    {"lower", string_lower},
	    {"sub", string_sub},
	    {"upper", string_upper},
	};
	lib_register(L, "string", functions, LIB_ARRAY_LEN(functions));
	/* ("x"):upper() goes through the same seven functions. */
	lua_pushliteral(L, "");
	lua_createtable(L, 0, 2);
	lua_getfield(L, -3, "string");
	lua_setfield(L, -2, "__index");
	lua_pushboolean(L, 0);
	lua_setfield(L, -2, "__metatable");
	lua_setmetatable(L, -2);
	lua_pop(L, 1);
}
