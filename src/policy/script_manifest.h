/* SPDX-License-Identifier: Apache-2.0 */
/* script_manifest.h - the data half of a provider script, as the manifest that the keeper keeps. */
#ifndef AV_POLICY_SCRIPT_MANIFEST_H
#define AV_POLICY_SCRIPT_MANIFEST_H

#include "policy/argument.h"
#include "reach/manifest.h"

/* Fills *m from the provider table at `index` (what `provider` of lua/vocabulary.lua returns) and
 * validates it; raises `<file>:<line>: <message>` with the provider's line. Lists of pairs are
 * sorted, so that the same script always gives the same bytes. */
LUA_RAISES void script_manifest_read(lua_State *L, int index, const char *path, struct manifest *m);

#endif
