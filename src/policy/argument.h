/* SPDX-License-Identifier: Apache-2.0 */
/*
 * argument.h - what a Lua-callable C function asks of its arguments, and how it raises.
 *
 * Stands in for lauxlib, which is not linked: it would bring fopen() into the judge. A function
 * marked LUA_RAISES may leave by longjmp; its callers hold no heap of their own across it.
 */
#ifndef AV_POLICY_ARGUMENT_H
#define AV_POLICY_ARGUMENT_H

#include "base/str.h"

#include <lua.h>

#define LUA_RAISES

/* Raises `<file>:<line>: <text>`, the place being the innermost script line. lua_pushfstring's
 * formats only: %s %d %I %f %c %U %%. */
LUA_RAISES _Noreturn void script_error(lua_State *L, const char *fmt, ...);
/* "file:line: " of the function at `level` (1: the caller of the running C function), or "". */
LUA_RAISES void push_where(lua_State *L, int level);

LUA_RAISES struct str arg_str(lua_State *L, int n); /* a string or a number */
LUA_RAISES struct str arg_str_strict(lua_State *L, int n);
LUA_RAISES lua_Integer arg_int(lua_State *L, int n);
LUA_RAISES lua_Integer arg_int_or(lua_State *L, int n, lua_Integer fallback);
LUA_RAISES lua_Number arg_number(lua_State *L, int n);
LUA_RAISES void arg_table(lua_State *L, int n);
LUA_RAISES void arg_any(lua_State *L, int n);
LUA_RAISES void push_str(lua_State *L, struct str s);
/* Room for `n` more stack slots, or an error. */
LUA_RAISES void need_stack(lua_State *L, int n);
/* `n` bytes that the garbage collector owns, left on the stack. */
LUA_RAISES char *push_scratch(lua_State *L, size_t n);

struct lib_function {
	const char *name;
	lua_CFunction function;
};
/* Sets each function as a field of the table on the top. */
LUA_RAISES void set_functions(lua_State *L, const struct lib_function *f, size_t count);

#endif
