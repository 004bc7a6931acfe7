/* SPDX-License-Identifier: Apache-2.0 */
/* Input: a JSON text, read by the judge's strict reader inside its sandbox. */
#include "policy/lib.h"
#include "policy/sandbox.h"

#include <stdint.h>
#include <stdlib.h>

#define MUST(x)                  \
	do {                     \
		if (!(x))        \
			abort(); \
	} while (0)

/* What was read must be what JSON can say: depth, types, keys that are texts or 1..n. */
static void
walk(lua_State *L, int depth)
{
	MUST(lua_checkstack(L, 8));
	switch (lua_type(L, -1)) {
	case LUA_TTABLE:
		MUST(depth <= JSON_MAX_DEPTH);
		lua_pushnil(L);
		while (lua_next(L, -2)) {
			MUST(lua_type(L, -2) == LUA_TSTRING || lua_isinteger(L, -2));
			walk(L, depth + 1);
			lua_pop(L, 1);
		}
		break;
	case LUA_TSTRING: {
		struct str s;
		s.p = lua_tolstring(L, -1, &s.len);
		MUST(str_is_utf8(s));
		break;
	}
	case LUA_TLIGHTUSERDATA:
		MUST(lua_touserdata(L, -1) == NULL);
		break;
	default:
		MUST(lua_isboolean(L, -1) || lua_type(L, -1) == LUA_TNUMBER);
	}
}

static int
decode(lua_State *L)
{
	const struct str *text = lua_touserdata(L, 1);
	json_push(L, *text);
	walk(L, 1);
	return 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct sandbox box;
	char message[SANDBOX_MESSAGE_MAX + 1];
	if (box.L == NULL) {
		struct sandbox_limits limits = {1000, SANDBOX_MEMORY_BYTES};
		MUST(sandbox_init(&box, &limits) == AV_OK);
	}
	struct str text = {(const char *)data, size};
	enum run_status r = sandbox_run(&box, decode, &text, 1000, message);
	MUST(r == RUN_OK || r == RUN_ERROR);
	MUST(box.used <= SANDBOX_MEMORY_BYTES);
	return 0;
}
