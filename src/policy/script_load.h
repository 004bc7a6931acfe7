/* SPDX-License-Identifier: Apache-2.0 */
/* script_load.h - what happens inside a sandbox while a script is loaded. */
#ifndef AV_POLICY_SCRIPT_LOAD_H
#define AV_POLICY_SCRIPT_LOAD_H

#include "policy/script.h"

/* lua_CFunction for sandbox_run; its argument is the struct script. */
LUA_RAISES int script_load(lua_State *L);
/* Pushes the object at a place that a step names. */
LUA_RAISES void script_push_object(lua_State *L, lua_Integer place);
/* The step of a policy that the ask names, made at its first use. */
LUA_RAISES size_t script_instance_step(
    lua_State *L, struct script *s, const struct policy_instance *instance);

#endif
