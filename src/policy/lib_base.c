/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/frozen.h"
#include "policy/lib.h"
#include "policy/sandbox.h"

#include <string.h>

void
push_tostring(lua_State *L, int n)
{
	n = lua_absindex(L, n);
	switch (lua_type(L, n)) {
	case LUA_TNUMBER:
		lua_pushvalue(L, n);
		lua_tolstring(L, -1, NULL);
		break;
	case LUA_TSTRING:
		lua_pushvalue(L, n);
		break;
	case LUA_TBOOLEAN:
		lua_pushstring(L, lua_toboolean(L, n) ? "true" : "false");
		break;
	case LUA_TNIL:
		lua_pushliteral(L, "nil");
		break;
	case LUA_TLIGHTUSERDATA: /* json.null is the only one */
		lua_pushliteral(L, "null");
		break;
	default:
		lua_pushstring(L, lua_typename(L, lua_type(L, n)));
	}
}

static int
base_tostring(lua_State *L)
{
	arg_any(L, 1);
	push_tostring(L, 1);
	return 1;
}

static int
base_type(lua_State *L)
{
	arg_any(L, 1);
	lua_pushstring(L, lua_typename(L, lua_type(L, 1)));
	return 1;
}

static int
base_error(lua_State *L)
{
	lua_Integer level = arg_int_or(L, 2, 1);
	lua_settop(L, 1);
	if (lua_type(L, 1) == LUA_TSTRING && level > 0 && level < 100) {
		push_where(L, (int)level);
		lua_insert(L, 1);
		lua_concat(L, 2);
	}
	return lua_error(L);
}

static int
base_assert(lua_State *L)
{
	arg_any(L, 1);
	if (lua_toboolean(L, 1)) {
		return lua_gettop(L);
	}
	if (lua_type(L, 2) == LUA_TSTRING) {
		script_error(L, "%s", lua_tostring(L, 2));
	}
	script_error(L, "assertion failed");
}

static int
base_next(lua_State *L)
{
	arg_table(L, 1);
	lua_settop(L, 2);
	frozen_push_content(L, 1);
	lua_insert(L, 2);
	return lua_next(L, 2) ? 2 : (lua_pushnil(L), 1);
}

static int
base_pairs(lua_State *L)
{
	arg_table(L, 1);
	lua_pushcfunction(L, base_next);
	lua_pushvalue(L, 1);
	lua_pushnil(L);
	return 3;
}

static int
ipairs_step(lua_State *L)
{
	lua_Integer i = arg_int(L, 2);
	arg_table(L, 1);
	if (i == LUA_MAXINTEGER) {
		script_error(L, "ipairs: there is no element behind the last integer");
	}
	lua_pushinteger(L, ++i);
	return lua_geti(L, 1, i) == LUA_TNIL ? 1 : 2;
}

static int
base_ipairs(lua_State *L)
{
	arg_table(L, 1);
	lua_pushcfunction(L, ipairs_step);
	lua_pushvalue(L, 1);
	lua_pushinteger(L, 0);
	return 3;
}

static int
base_select(lua_State *L)
{
	int n = lua_gettop(L);
	if (lua_type(L, 1) == LUA_TSTRING && strcmp(lua_tostring(L, 1), "#") == 0) {
		lua_pushinteger(L, n - 1);
		return 1;
	}
	lua_Integer i = arg_int(L, 1);
	if (i < 0) {
		i = n + i;
	} else if (i > n) {
		i = n;
	}
	if (i < 1) {
		script_error(L, "select: argument 1 is out of range");
	}
	return n - (int)i;
}

static int
digit_value(char c)
{
	if (c >= '0' && c <= '9') {
		return c - '0';
	}
	c |= 0x20;
	return c >= 'a' && c <= 'z' ? c - 'a' + 10 : 99;
}

/* tonumber(text, base): one optional '-', digits of that base, nothing else; nil where it overflows. */
static bool
parse_based(struct str s, int base, lua_Integer *out)
{
	bool minus = s.len > 0 && s.p[0] == '-';
	size_t i = minus ? 1 : 0;
	lua_Integer v = 0;
	if (i == s.len) {
		return false;
	}
	for (; i < s.len; i++) {
		int d = digit_value(s.p[i]);
		if (d >= base || v > (LUA_MAXINTEGER - d) / base) {
			return false;
		}
		v = v * base + d;
	}
	*out = minus ? -v : v;
	return true;
}

static int
base_tonumber(lua_State *L)
{
	arg_any(L, 1);
	if (lua_isnoneornil(L, 2)) {
		if (lua_type(L, 1) == LUA_TNUMBER) {
			lua_settop(L, 1);
			return 1;
		}
		size_t len = 0;
		const char *s = lua_type(L, 1) == LUA_TSTRING ? lua_tolstring(L, 1, &len) : NULL;
		sandbox_tick(L, len);
		if (s != NULL && lua_stringtonumber(L, s) == len + 1) {
			return 1;
		}
	} else {
		struct str s = arg_str_strict(L, 1);
		lua_Integer base = arg_int(L, 2), v;
		if (base < 2 || base > 36) {
			script_error(L, "tonumber: the base must be 2 to 36");
		}
		if (parse_based(s, (int)base, &v)) {
			lua_pushinteger(L, v);
			return 1;
		}
	}
	lua_pushnil(L);
	return 1;
}

void
lib_register(lua_State *L, const char *name, const struct lib_function *f, size_t count)
{
	lua_createtable(L, 0, (int)count);
	set_functions(L, f, count);
	frozen_push_proxy(L, -1, "library tables are read-only");
	lua_setfield(L, -3, name);
	lua_pop(L, 1);
}

void
lib_base_open(lua_State *L)
{
	static const struct lib_function functions[] = {
	    {"assert", base_assert},
	    {"error", base_error},
	    {"ipairs", base_ipairs},
	    {"next", base_next},
	    {"pairs", base_pairs},
	    {"select", base_select},
	    {"tonumber", base_tonumber},
	    {"tostring", base_tostring},
	    {"type", base_type},
	};
	set_functions(L, functions, LIB_ARRAY_LEN(functions));
}

void
lib_open_all(lua_State *L)
{
	lib_base_open(L);
	lib_string_open(L);
	lib_table_open(L);
	lib_math_open(L);
	lib_match_open(L);
	lib_text_open(L);
	lib_json_open(L);
	lib_counter_open(L);
	lib_time_open(L);
}
