/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/frozen.h"

static const char content_key;

static int
refuse_write(lua_State *L)
{
	script_error(L, "%s", lua_tostring(L, lua_upvalueindex(1)));
	return 0;
}

static int
content_len(lua_State *L)
{
	lua_pushinteger(L, frozen_len(L, 1));
	return 1;
}

/* [table, content] on the top; pops the content. */
static void
set_guard(lua_State *L, const char *message)
{
	lua_createtable(L, 0, 6);
	lua_pushvalue(L, -2);
	lua_rawsetp(L, -2, &content_key);
	lua_pushvalue(L, -2);
	lua_setfield(L, -2, "__index");
	lua_pushstring(L, message);
	lua_pushcclosure(L, refuse_write, 1);
	lua_setfield(L, -2, "__newindex");
	lua_pushcfunction(L, content_len);
	lua_setfield(L, -2, "__len");
	lua_pushboolean(L, 0);
	lua_setfield(L, -2, "__metatable");
	lua_setmetatable(L, -3);
	lua_pop(L, 1);
}

bool
frozen_is(lua_State *L, int index)
{
	if (!lua_istable(L, index) || !lua_getmetatable(L, index)) {
		return false;
	}
	bool yes = lua_rawgetp(L, -1, &content_key) == LUA_TTABLE;
	lua_pop(L, 2);
	return yes;
}

void
frozen_push_proxy(lua_State *L, int index, const char *message)
{
	index = lua_absindex(L, index);
	lua_createtable(L, 0, 0);
	lua_pushvalue(L, index);
	set_guard(L, message);
}

void
frozen_make(lua_State *L, int index)
{
	index = lua_absindex(L, index);
	need_stack(L, 8);
	if (frozen_is(L, index)) {
		return;
	}
	lua_pushvalue(L, index);
	lua_createtable(L, (int)lua_rawlen(L, index), 0);
	lua_pushnil(L);
	while (lua_next(L, index)) {
		lua_pushvalue(L, -2);
		lua_pushvalue(L, -2);
		lua_rawset(L, -5); /* content[k] = v */
		lua_pop(L, 1);
		lua_pushvalue(L, -1);
		lua_pushnil(L);
		lua_rawset(L, index); /* clearing the field just visited is allowed */
	}
	set_guard(L, "this table is read-only");
	lua_pop(L, 1);
}

void
frozen_push_content(lua_State *L, int index)
{
	index = lua_absindex(L, index);
	if (!lua_istable(L, index)) {
		script_error(
		    L, "a %s stands where a table belongs", lua_typename(L, lua_type(L, index)));
	}
	if (lua_getmetatable(L, index)) {
		if (lua_rawgetp(L, -1, &content_key) == LUA_TTABLE) {
			lua_remove(L, -2);
			return;
		}
		lua_pop(L, 2);
	}
	lua_pushvalue(L, index);
}

lua_Integer
frozen_len(lua_State *L, int index)
{
	frozen_push_content(L, index);
	lua_Integer n = (lua_Integer)lua_rawlen(L, -1);
	lua_pop(L, 1);
	return n;
}

/* Puts the value on the top on the list at `list`, once (`seen`); pops it. */
static void
enlist(lua_State *L, int list, int seen)
{
	int t = lua_type(L, -1);
	if (t == LUA_TTABLE || (t == LUA_TFUNCTION && !lua_iscfunction(L, -1))) {
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

void
frozen_make_deep(lua_State *L, int index)
{
	need_stack(L, 16);
	lua_pushvalue(L, index);
	lua_createtable(L, 8, 0);
	int list = lua_gettop(L);
	lua_createtable(L, 0, 8);
	int seen = lua_gettop(L);
	/* What scripts share is frozen by us already, and is not walked. */
	lua_pushvalue(L, list - 1);
	enlist(L, list, seen);
	for (lua_Integer i = 1; i <= (lua_Integer)lua_rawlen(L, list); i++) {
		lua_rawgeti(L, list, i);
		int value = lua_gettop(L);
		if (lua_istable(L, value) && !frozen_is(L, value)) {
			lua_pushnil(L);
			while (lua_next(L, value)) {
				enlist(L, list, seen);
				lua_pushvalue(L, -1);
				enlist(L, list, seen);
			}
			frozen_make(L, value);
		} else if (lua_isfunction(L, value)) {
			for (int n = 1; lua_getupvalue(L, value, n) != NULL; n++) {
				enlist(L, list, seen);
			}
		}
		lua_settop(L, value - 1);
	}
	lua_settop(L, list - 2);
}
