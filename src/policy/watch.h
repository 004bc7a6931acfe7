/* SPDX-License-Identifier: Apache-2.0 */
/*
 * watch.h - no state between calls through the upvalues of a check.
 *
 * All tables that a check can reach are frozen after loading, so the one thing left that a call
 * could change for the next is the value of an upvalue. A watch lists every upvalue that can be
 * reached from a function, with its value after loading, and puts changed ones back.
 */
#ifndef AV_POLICY_WATCH_H
#define AV_POLICY_WATCH_H

#include "policy/argument.h"

/* Pushes a watch (a table) over the Lua function at `index`. */
LUA_RAISES void watch_push(lua_State *L, int index);
/* Restores what was changed; true: something was. `*name` is one changed upvalue's name. */
LUA_RAISES bool watch_restore(lua_State *L, int watch, const char **name);

#endif
