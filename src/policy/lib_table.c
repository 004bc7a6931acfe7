/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lua's table library over real lengths: scripts have no metatables, so a length is the table's own
 * border or the border of what lies behind a frozen one. Reads and writes go through lua_geti and
 * lua_seti, so a frozen table refuses writes here too.
 */
#include "policy/frozen.h"
#include "policy/lib.h"
#include "policy/sandbox.h"

#include <string.h>

#define SORT_MAX 100000

static int
table_insert(lua_State *L)
{
	arg_table(L, 1);
	lua_Integer n = frozen_len(L, 1);
	/* Sixty-odd fields are enough to put a table's border there. */
	if (n == LUA_MAXINTEGER) {
		script_error(L, "table.insert: there is no place behind the last element");
	}
	lua_Integer at = n + 1;
	int args = lua_gettop(L);
	if (args == 3) {
		at = arg_int(L, 2);
		if (at < 1 || at > n + 1) {
			script_error(L, "table.insert: position out of bounds");
		}
	} else if (args != 2) {
		script_error(L, "table.insert: takes a table, maybe a position, and a value");
	}
	for (lua_Integer i = n; i >= at; i--) {
		sandbox_tick(L, 8);
		lua_geti(L, 1, i);
		lua_seti(L, 1, i + 1);
	}
	lua_settop(L, args);
	lua_seti(L, 1, at);
	return 0;
}

static int
table_remove(lua_State *L)
{
	arg_table(L, 1);
	lua_Integer n = frozen_len(L, 1), at = arg_int_or(L, 2, n);
	if (n == 0 && (at == 0 || at == 1)) {
		lua_pushnil(L);
		return 1;
	}
	if (at < 1 || at > n) {
		script_error(L, "table.remove: position out of bounds");
	}
	lua_geti(L, 1, at);
	for (lua_Integer i = at; i < n; i++) {
		sandbox_tick(L, 8);
		lua_geti(L, 1, i + 1);
		lua_seti(L, 1, i);
	}
	lua_pushnil(L);
	lua_seti(L, 1, n);
	return 1;
}

static int
table_unpack(lua_State *L)
{
	arg_table(L, 1);
	lua_Integer i = arg_int_or(L, 2, 1), j = arg_int_or(L, 3, frozen_len(L, 1));
	if (i > j) {
		return 0;
	}
	/* The difference of two whole numbers need not be one; unsigned, it is always exact. */
	lua_Unsigned span = (lua_Unsigned)j - (lua_Unsigned)i;
	if (span >= LIB_MAX_RESULTS) {
		script_error(L, "table.unpack: more than %d values", LIB_MAX_RESULTS);
	}
	int n = (int)span + 1;
	need_stack(L, n);
	for (int k = 0; k < n; k++) {
		lua_geti(L, 1, i + k);
	}
	return n;
}

/* Leaves the text of element i on the stack. */
static struct str
element_text(lua_State *L, lua_Integer i)
{
	int t = lua_geti(L, 1, i);
	if (t != LUA_TSTRING && t != LUA_TNUMBER) {
		script_error(
		    L, "table.concat: element %I is a %s", (LUAI_UACINT)i, lua_typename(L, t));
	}
	struct str s;
	s.p = lua_tolstring(L, -1, &s.len);
	return s;
}

static int
table_concat(lua_State *L)
{
	arg_table(L, 1);
	struct str sep = lua_isnoneornil(L, 2) ? (struct str){"", 0} : arg_str(L, 2);
	lua_Integer first = arg_int_or(L, 3, 1), last = arg_int_or(L, 4, frozen_len(L, 1));
	size_t total = 0, limit = sandbox_of(L)->limits.memory_bytes;
	for (lua_Integer i = first; i <= last; i++) {
		struct str s = element_text(L, i);
		lua_pop(L, 1);
		total += s.len + (i < last ? sep.len : 0);
		sandbox_tick(L, 8);
		if (total > limit || i == LUA_MAXINTEGER) {
			script_error(L, "table.concat: longer than %d bytes", (int)limit);
		}
	}
	char *out = push_scratch(L, total);
	size_t at = 0;
	for (lua_Integer i = first; i <= last; i++) {
		struct str s = element_text(L, i);
		memcpy(out + at, s.p, s.len);
		at += s.len;
		lua_pop(L, 1);
		if (i < last) {
			memcpy(out + at, sep.p, sep.len);
			at += sep.len;
		}
		sandbox_tick(L, s.len + sep.len + 8);
	}
	lua_pushlstring(L, out, at);
	return 1;
}

/* Is element a before element b? Both lie on the stack. */
static bool
before(lua_State *L, int a, int b)
{
	sandbox_tick(L, 64);
	if (lua_isnil(L, 2)) {
		int t = lua_type(L, a);
		if (t != lua_type(L, b) || (t != LUA_TNUMBER && t != LUA_TSTRING)) {
			script_error(
			    L, "table.sort: without an order, all must be numbers or all texts");
		}
		if (t == LUA_TSTRING) {
			sandbox_tick(L, lua_rawlen(L, a));
		}
		return lua_compare(L, a, b, LUA_OPLT);
	}
	a = lua_absindex(L, a);
	b = lua_absindex(L, b);
	lua_pushvalue(L, 2);
	lua_pushvalue(L, a);
	lua_pushvalue(L, b);
	lua_call(L, 2, 1);
	bool r = lua_toboolean(L, -1);
	lua_pop(L, 1);
	return r;
}

/* Heap sort: n log n whatever the order function answers, and never an index outside 1..n. */
static void
sift_down(lua_State *L, lua_Integer root, lua_Integer n)
{
	lua_geti(L, 1, root);
	int moving = lua_gettop(L);
	for (;;) {
		lua_Integer child = root * 2;
		if (child > n) {
			break;
		}
		lua_geti(L, 1, child);
		if (child < n) {
			lua_geti(L, 1, child + 1);
			if (before(L, -2, -1)) {
				child++;
				lua_remove(L, -2);
			} else {
				lua_pop(L, 1);
			}
		}
		if (!before(L, moving, -1)) {
			lua_pop(L, 1);
			break;
		}
		lua_seti(L, 1, root);
		root = child;
	}
	lua_seti(L, 1, root);
}

static int
table_sort(lua_State *L)
{
	arg_table(L, 1);
	lua_settop(L, 2);
	if (!lua_isnil(L, 2) && !lua_isfunction(L, 2)) {
		script_error(L, "table.sort: the order must be a function");
	}
	lua_Integer n = frozen_len(L, 1);
	if (n > SORT_MAX) {
		script_error(L, "table.sort: more than %d elements", SORT_MAX);
	}
	need_stack(L, 16);
	for (lua_Integer i = n / 2; i >= 1; i--) {
		sift_down(L, i, n);
	}
	for (lua_Integer i = n; i > 1; i--) {
		lua_geti(L, 1, 1);
		lua_geti(L, 1, i);
		lua_seti(L, 1, 1);
		lua_seti(L, 1, i);
		sift_down(L, 1, i - 1);
	}
	return 0;
}

void
lib_table_open(lua_State *L)
{
	static const struct lib_function functions[] = {
	    {"concat", table_concat},
	    {"insert", table_insert},
	    {"remove", table_remove},
	    {"sort", table_sort},
	    {"unpack", table_unpack},
	};
	lib_register(L, "table", functions, LIB_ARRAY_LEN(functions));
}
