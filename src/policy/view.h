/* SPDX-License-Identifier: Apache-2.0 */
/*
 * view.h - `req`, what a check sees of the ask: read-only, made field by field when asked for, good
 * for the running check alone. Names and labels only; there is no secret in the process (I1).
 */
#ifndef AV_POLICY_VIEW_H
#define AV_POLICY_VIEW_H

#include "policy/argument.h"

LUA_RAISES void view_open(lua_State *L);
/* Pushes a fresh `req` for the running check. */
LUA_RAISES void view_push(lua_State *L);

#endif
