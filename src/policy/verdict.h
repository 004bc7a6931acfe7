/* SPDX-License-Identifier: Apache-2.0 */
/*
 * verdict.h - what a check may answer: allow() or deny(), nothing else (I4).
 *
 * Both are C functions that make a value which only they can make and which is good for the running
 * check alone.
 */
#ifndef AV_POLICY_VERDICT_H
#define AV_POLICY_VERDICT_H

#include "policy/argument.h"
#include "policy/draft.h"

/* Adds `allow` and `deny` to the table on the top. */
LUA_RAISES void verdict_open(lua_State *L);
/* Reads the answer at `index` into the draft: adds an allow's changes, or makes it a deny. Raises on
 * anything that is not a whole, well-formed answer of the running check. */
LUA_RAISES void verdict_take(lua_State *L, int index, struct verdict_draft *d);

#endif
