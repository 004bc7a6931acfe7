/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/watch.h"

#include "policy/frozen.h"
#include "policy/sandbox.h"

/* A watch is a list of triples: function, number of the upvalue, its value. */

static bool
is_script_function(lua_State *L, int index)
{
	return lua_isfunction(L, index) && !lua_iscfunction(L, index);
}

/* Enlists the table or script function on the top, once; pops it. */
static void
enlist(lua_State *L, int list, int seen)
{
	if (lua_istable(L, -1) || is_script_function(L, -1)) {
		lua_pushvalue(L, -1);
		if (lua_rawget(L, seen) == LUA_TNIL) {
			lua_pushvalue(L, -2);
			lua_pushboolean(L, 1);
			lua_rawset(L, seen);
			lua_pushvalue(L, -2);
			lua_rawseti(L, list, (lua_Integer)lua_rawlen(L, list) + 1);
		}
		lua_pop(L, 1);
	}
	lua_pop(L, 1);
}

/* Value of upvalue n of `function` on the top; adds the triple unless another function shares it. */
static void
add_upvalue(lua_State *L, int watch, int seen, int function, int n)
{
	void *id = lua_upvalueid(L, function, n);
	if (lua_rawgetp(L, seen, id) == LUA_TNIL) {
		lua_pushboolean(L, 1);
		lua_rawsetp(L, seen, id);
		lua_Integer at = (lua_Integer)lua_rawlen(L, watch);
		lua_pushvalue(L, function);
		lua_rawseti(L, watch, at + 1);
		lua_pushinteger(L, n);
		lua_rawseti(L, watch, at + 2);
		/* nil would be a hole: false stands for it, with the number negated. */
		if (lua_isnil(L, -2)) {
			lua_pushinteger(L, -n);
			lua_rawseti(L, watch, at + 2);
			lua_pushboolean(L, 0);
		} else {
			lua_pushvalue(L, -2);
		}
		lua_rawseti(L, watch, at + 3);
	}
	lua_pop(L, 1);
}

static void
visit_function(lua_State *L, int watch, int list, int seen, int function)
{
	for (int n = 1; lua_getupvalue(L, function, n) != NULL; n++) {
		add_upvalue(L, watch, seen, function, n);
		/* The globals are the judge's own and frozen, their functions keep nothing. */
		lua_pushvalue(L, -1);
		if (lua_rawget(L, seen) != LUA_TNIL) {
			lua_pop(L, 2);
			continue;
		}
		lua_pop(L, 1);
		enlist(L, list, seen);
	}
}

void
watch_push(lua_State *L, int index)
{
	index = lua_absindex(L, index);
	need_stack(L, 16);
	lua_createtable(L, 8, 0);
	int watch = lua_gettop(L);
	lua_createtable(L, 4, 0);
	int list = lua_gettop(L);
	lua_createtable(L, 0, 8);
	int seen = lua_gettop(L);
	sandbox_push_env(L);
	lua_pushboolean(L, 1);
	lua_rawset(L, seen);
	lua_pushvalue(L, index);
	enlist(L, list, seen);
	for (lua_Integer i = 1; i <= (lua_Integer)lua_rawlen(L, list); i++) {
		lua_rawgeti(L, list, i);
		int value = lua_gettop(L);
		if (lua_istable(L, value)) {
			frozen_push_content(L, value);
			lua_pushnil(L);
			while (lua_next(L, -2)) {
				enlist(L, list, seen);
				lua_pushvalue(L, -1);
				enlist(L, list, seen);
			}
		} else {
			visit_function(L, watch, list, seen, value);
		}
		lua_settop(L, value - 1);
	}
	lua_settop(L, watch);
}

bool
watch_restore(lua_State *L, int watch, const char **name)
{
	watch = lua_absindex(L, watch);
	bool changed = false;
	lua_Integer n = (lua_Integer)lua_rawlen(L, watch);
	for (lua_Integer i = 1; i <= n; i += 3) {
		lua_rawgeti(L, watch, i);
		lua_rawgeti(L, watch, i + 1);
		int which = (int)lua_tointeger(L, -1);
		bool was_nil = which < 0;
		which = was_nil ? -which : which;
		lua_pop(L, 1);
		const char *upvalue = lua_getupvalue(L, -1, which);
		if (was_nil) {
			lua_pushnil(L);
		} else {
			lua_rawgeti(L, watch, i + 2);
		}
		if (upvalue != NULL && !lua_rawequal(L, -1, -2)) {
			changed = true;
			*name = upvalue;
			lua_setupvalue(L, -3, which);
			lua_pop(L, 2);
		} else {
			lua_pop(L, 3);
		}
	}
	return changed;
}
