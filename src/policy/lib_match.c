/* SPDX-License-Identifier: Apache-2.0 */
/* Matching without patterns that can explode: time is the text's length times the pattern's. */
#include "policy/lib.h"
#include "policy/sandbox.h"
#include "reach/host.h"
#include "reach/reach.h"

#include <string.h>

#define GLOB_MAX_PATTERN 256u
#define GLOB_STAR 256 /* '*': any bytes but '/' */
#define GLOB_STARS 257 /* "**": any bytes */

/* Turns the pattern into tokens; runs of stars become one. */
static size_t
glob_tokens(struct str pattern, uint16_t *out)
{
	size_t n = 0;
	for (size_t i = 0; i < pattern.len; i++) {
		if (pattern.p[i] != '*') {
			out[n++] = (unsigned char)pattern.p[i];
			continue;
		}
		bool across = i + 1 < pattern.len && pattern.p[i + 1] == '*';
		if (across) {
			i++;
		}
		if (n > 0 && out[n - 1] >= GLOB_STAR) {
			out[n - 1] = across ? GLOB_STARS : out[n - 1];
		} else {
			out[n++] = across ? GLOB_STARS : GLOB_STAR;
		}
	}
	return n;
}

/* Walks the text once with the set of places in the pattern that may be reached so far. */
static bool
glob_matches(lua_State *L, struct str text, const uint16_t *tokens, size_t n)
{
	unsigned char at[GLOB_MAX_PATTERN + 2] = {0};
	at[0] = 1;
	for (size_t k = 0; k < n && tokens[k] >= GLOB_STAR && at[k]; k++) {
		at[k + 1] = 1;
	}
	for (size_t i = 0; i < text.len; i++) {
		unsigned char c = (unsigned char)text.p[i];
		bool alive = false;
		sandbox_tick(L, n / 8 + 1);
		at[n] = 0;
		for (size_t k = n; k-- > 0;) {
			if (!at[k]) {
				continue;
			}
			at[k] = tokens[k] == GLOB_STARS || (tokens[k] == GLOB_STAR && c != '/');
			if (tokens[k] == c) {
				at[k + 1] = 1;
				alive = true;
			}
			alive = alive || at[k];
		}
		if (!alive) {
			return false;
		}
		for (size_t k = 0; k < n; k++) {
			if (at[k] && tokens[k] >= GLOB_STAR) {
				at[k + 1] = 1;
			}
		}
	}
	return at[n];
}

static int
match_glob(lua_State *L)
{
	struct str text = arg_str_strict(L, 1), pattern = arg_str_strict(L, 2);
	uint16_t tokens[GLOB_MAX_PATTERN];
	if (pattern.len > GLOB_MAX_PATTERN) {
		script_error(L, "match.glob: pattern longer than %d bytes", (int)GLOB_MAX_PATTERN);
	}
	if (text.len > 65536) {
		script_error(L, "match.glob: text longer than %d bytes", 65536);
	}
	size_t n = glob_tokens(pattern, tokens);
	lua_pushboolean(L, glob_matches(L, text, tokens, n));
	return 1;
}

static int
match_prefix(lua_State *L)
{
	struct str path = arg_str_strict(L, 1), prefix = arg_str_strict(L, 2);
	sandbox_tick(L, prefix.len);
	lua_pushboolean(L, path_prefix_matches(prefix, path));
	return 1;
}

static int
match_host(lua_State *L)
{
	struct str host = arg_str_strict(L, 1), pattern = arg_str_strict(L, 2);
	sandbox_tick(L, host.len + pattern.len);
	lua_pushboolean(L, host_matches(pattern, host));
	return 1;
}

void
lib_match_open(lua_State *L)
{
	static const struct lib_function functions[] = {
	    {"glob", match_glob},
	    {"host", match_host},
	    {"prefix", match_prefix},
	};
	lib_register(L, "match", functions, LIB_ARRAY_LEN(functions));
}
