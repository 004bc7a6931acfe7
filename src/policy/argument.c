/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/argument.h"

#include <stdarg.h>
#include <stdlib.h>

void
push_where(lua_State *L, int level)
{
	lua_Debug ar;
	if (lua_getstack(L, level, &ar) && lua_getinfo(L, "Sl", &ar) && ar.currentline > 0) {
		lua_pushfstring(L, "%s:%d: ", ar.short_src, ar.currentline);
		return;
	}
	lua_pushliteral(L, "");
}

void
script_error(lua_State *L, const char *fmt, ...)
{
	push_where(L, 1);
	va_list ap;
	va_start(ap, fmt);
	lua_pushvfstring(L, fmt, ap);
	va_end(ap);
	lua_concat(L, 2);
	lua_error(L);
	abort(); /* lua_error does not return; its prototype does not say so */
}

static const char *
name_of_type(lua_State *L, int n)
{
	return lua_isnone(L, n) ? "nothing" : lua_typename(L, lua_type(L, n));
}

static _Noreturn void
arg_error(lua_State *L, int n, const char *want)
{
	lua_Debug ar;
	const char *name = "?";
	if (lua_getstack(L, 0, &ar) && lua_getinfo(L, "n", &ar) && ar.name != NULL) {
		name = ar.name;
	}
	script_error(L, "%s: argument %d must be %s, not %s", name, n, want, name_of_type(L, n));
}

struct str
arg_str(lua_State *L, int n)
{
	if (!lua_isstring(L, n)) {
		arg_error(L, n, "a string");
	}
	struct str s;
	s.p = lua_tolstring(L, n, &s.len);
	return s;
}

struct str
arg_str_strict(lua_State *L, int n)
{
	if (lua_type(L, n) != LUA_TSTRING) {
		arg_error(L, n, "a string");
	}
	return arg_str(L, n);
}

lua_Integer
arg_int(lua_State *L, int n)
{
	int ok = 0;
	lua_Integer v = lua_type(L, n) == LUA_TNUMBER ? lua_tointegerx(L, n, &ok) : 0;
	if (!ok) {
		arg_error(L, n, "a whole number");
	}
	return v;
}

lua_Integer
arg_int_or(lua_State *L, int n, lua_Integer fallback)
{
	return lua_isnoneornil(L, n) ? fallback : arg_int(L, n);
}

lua_Number
arg_number(lua_State *L, int n)
{
	if (lua_type(L, n) != LUA_TNUMBER) {
		arg_error(L, n, "a number");
	}
	return lua_tonumberx(L, n, NULL);
}

void
arg_table(lua_State *L, int n)
{
	if (!lua_istable(L, n)) {
		arg_error(L, n, "a table");
	}
}

void
arg_any(lua_State *L, int n)
{
	if (lua_isnone(L, n)) {
		arg_error(L, n, "given");
	}
}

void
push_str(lua_State *L, struct str s)
{
	lua_pushlstring(L, s.len > 0 ? s.p : "", s.len);
}

void
need_stack(lua_State *L, int n)
{
	if (!lua_checkstack(L, n)) {
		script_error(L, "too many values");
	}
}

char *
push_scratch(lua_State *L, size_t n)
{
	return lua_newuserdatauv(L, n > 0 ? n : 1, 0);
}

void
set_functions(lua_State *L, const struct lib_function *f, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		lua_pushcfunction(L, f[i].function);
		lua_setfield(L, -2, f[i].name);
	}
}
