/* SPDX-License-Identifier: Apache-2.0 */
/*
 * frozen.h - tables that nobody can write to.
 *
 * A frozen table is empty; its content lies in a table behind it that only C can reach. Reading,
 * `#`, pairs and next see the content; every write raises. Scripts have no rawset, setmetatable or
 * getmetatable, so there is no way round.
 */
#ifndef AV_POLICY_FROZEN_H
#define AV_POLICY_FROZEN_H

#include "policy/argument.h"

/* Pushes an empty table that shows the one at `index`, which stays writable for C. */
LUA_RAISES void frozen_push_proxy(lua_State *L, int index, const char *message);
/* Freezes the table at `index` itself (its content moves behind). Frozen already: nothing. */
LUA_RAISES void frozen_make(lua_State *L, int index);
/* Freezes the value at `index` and all tables that can be reached from it, functions' upvalues
 * included. */
LUA_RAISES void frozen_make_deep(lua_State *L, int index);
/* Pushes the table that holds the content: the one behind, or the table itself. Raises where the
 * value is no table. */
LUA_RAISES void frozen_push_content(lua_State *L, int index);
bool frozen_is(lua_State *L, int index);
/* Border of the content's list part. */
LUA_RAISES lua_Integer frozen_len(lua_State *L, int index);

#endif
