/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lib.h - every function that a script can call, a file a topic. docs/POLICY-API.md lists them.
 *
 * Rules for a function here: linear in its input, or bounded by a stated limit; sandbox_tick() for
 * what it walks; no address in any result; no heap of its own across a call that may raise.
 */
#ifndef AV_POLICY_LIB_H
#define AV_POLICY_LIB_H

#include "policy/argument.h"

#define LIB_ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))
#define LIB_MAX_RESULTS 256 /* values that one call may return */

/* Each adds its names to the table on the top of the stack, which stays there. */
LUA_RAISES void lib_open_all(lua_State *L);
LUA_RAISES void lib_base_open(lua_State *L);
LUA_RAISES void lib_string_open(lua_State *L);
LUA_RAISES void lib_table_open(lua_State *L);
LUA_RAISES void lib_math_open(lua_State *L);
LUA_RAISES void lib_match_open(lua_State *L);
LUA_RAISES void lib_text_open(lua_State *L);
LUA_RAISES void lib_json_open(lua_State *L);
LUA_RAISES void lib_counter_open(lua_State *L);
LUA_RAISES void lib_time_open(lua_State *L);

/* Sets names[name] to a frozen table of the functions; names is on the top. */
LUA_RAISES void lib_register(
    lua_State *L, const char *name, const struct lib_function *f, size_t count);
/* Pushes a string without an address, whatever the value is. */
LUA_RAISES void push_tostring(lua_State *L, int n);

#define JSON_MAX_BYTES (1024u * 1024u)
#define JSON_MAX_DEPTH 64
#define JSON_MAX_VALUES 65536u
/* Pushes the value of a JSON text (RFC 8259, strict: see lib_json.c) or raises. */
LUA_RAISES void json_push(lua_State *L, struct str text);

#endif
