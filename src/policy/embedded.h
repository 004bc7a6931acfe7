/* SPDX-License-Identifier: Apache-2.0 */
/* embedded.h - the Lua sources compiled into the judge by src/tools/embed.c. Path order. */
#ifndef AV_POLICY_EMBEDDED_H
#define AV_POLICY_EMBEDDED_H

#include <stddef.h>

struct embedded_file {
	const char *path; /* "capabilities/openai.lua" */
	const char *data; /* not NUL-terminated for counting; len bytes */
	size_t len;
};
extern const struct embedded_file embedded_lua[];
extern const size_t embedded_lua_count;

#endif
