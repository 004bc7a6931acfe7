/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/frozen.h"
#include "policy/lib.h"

#include <math.h>

/* A float result becomes a whole number where one fits. */
static void
push_rounded(lua_State *L, lua_Number v)
{
	lua_Integer i;
	if (v >= (lua_Number)LUA_MININTEGER && v < -(lua_Number)LUA_MININTEGER) {
		i = (lua_Integer)v;
		lua_pushinteger(L, i);
	} else {
		lua_pushnumber(L, v);
	}
}

static int
round_with(lua_State *L, lua_Number (*f)(lua_Number))
{
	if (lua_isinteger(L, 1)) {
		lua_settop(L, 1);
		return 1;
	}
	push_rounded(L, f(arg_number(L, 1)));
	return 1;
}

static int
math_floor(lua_State *L)
{
	return round_with(L, floor);
}

static int
math_ceil(lua_State *L)
{
	return round_with(L, ceil);
}

static int
math_abs(lua_State *L)
{
	if (lua_isinteger(L, 1)) {
		lua_Integer i = lua_tointeger(L, 1);
		/* The least integer has no counterpart: it stays itself, as in Lua. */
		lua_pushinteger(L, i < 0 ? (lua_Integer)(0u - (lua_Unsigned)i) : i);
	} else {
		lua_pushnumber(L, fabs(arg_number(L, 1)));
	}
	return 1;
}

static int
math_fmod(lua_State *L)
{
	if (lua_isinteger(L, 1) && lua_isinteger(L, 2)) {
		lua_Integer a = lua_tointeger(L, 1), b = lua_tointeger(L, 2);
		if (b == 0) {
			script_error(L, "math.fmod: division by zero");
		}
		lua_pushinteger(L, b == -1 ? 0 : a % b);
	} else {
		lua_Number a = arg_number(L, 1), b = arg_number(L, 2);
		lua_pushnumber(L, fmod(a, b));
	}
	return 1;
}

static int
pick(lua_State *L, bool greatest)
{
	int n = lua_gettop(L), best = 1;
	arg_number(L, 1);
	for (int i = 2; i <= n; i++) {
		arg_number(L, i);
		if (greatest ? lua_compare(L, best, i, LUA_OPLT)
		             : lua_compare(L, i, best, LUA_OPLT)) {
			best = i;
		}
	}
	lua_pushvalue(L, best);
	return 1;
}

static int
math_max(lua_State *L)
{
	return pick(L, true);
}

static int
math_min(lua_State *L)
{
	return pick(L, false);
}

static int
math_sqrt(lua_State *L)
{
	lua_pushnumber(L, sqrt(arg_number(L, 1)));
	return 1;
}

static int
math_tointeger(lua_State *L)
{
	int ok = 0;
	arg_any(L, 1);
	lua_Integer i = lua_type(L, 1) == LUA_TNUMBER ? lua_tointegerx(L, 1, &ok) : 0;
	if (ok) {
		lua_pushinteger(L, i);
	} else {
		lua_pushnil(L);
	}
	return 1;
}

static int
math_type(lua_State *L)
{
	arg_any(L, 1);
	if (lua_type(L, 1) != LUA_TNUMBER) {
		lua_pushnil(L);
	} else {
		lua_pushstring(L, lua_isinteger(L, 1) ? "integer" : "float");
	}
	return 1;
}

void
lib_math_open(lua_State *L)
{
	static const struct lib_function functions[] = {
	    {"abs", math_abs},
	    {"ceil", math_ceil},
	    {"floor", math_floor},
	    {"fmod", math_fmod},
	    {"max", math_max},
	    {"min", math_min},
	    {"sqrt", math_sqrt},
	    {"tointeger", math_tointeger},
	    {"type", math_type},
	};
	lib_register(L, "math", functions, LIB_ARRAY_LEN(functions));
	lua_getfield(L, -1, "math");
	frozen_push_content(L, -1);
	lua_pushnumber(L, HUGE_VAL);
	lua_setfield(L, -2, "huge");
	lua_pushinteger(L, LUA_MAXINTEGER);
	lua_setfield(L, -2, "maxinteger");
	lua_pushinteger(L, LUA_MININTEGER);
	lua_setfield(L, -2, "mininteger");
	lua_pushnumber(L, 3.141592653589793);
	lua_setfield(L, -2, "pi");
	lua_pop(L, 2);
}
