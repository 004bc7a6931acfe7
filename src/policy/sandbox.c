/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/sandbox.h"

#include "base/clock.h"
#include "policy/frozen.h"
#include "policy/lib.h"
#include "policy/verdict.h"
#include "policy/view.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define HOOK_INSTRUCTIONS 100
#define WORK_BETWEEN_LOOKS 16384u
/* A block of this size is worth a look at the clock: joining strings copies without any hook. */
#define LARGE_BLOCK (64u * 1024u)
/* A refused block makes Lua collect all its garbage and ask again: a script that lives at the brim would
 * do so at each step, and no hook looks at the clock meanwhile. */
#define REFUSALS_MAX 8u
#define SCRATCH_MAX (1024u * 1024u)

static const char env_key, names_key;

static uint64_t
cpu_ns(void)
{
	struct timespec ts;
	if (clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts) != 0) {
		return 0;
	}
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

static bool
time_is_over(struct sandbox *s)
{
	if (!s->armed) {
		return false;
	}
	if (s->over_time) {
		return true;
	}
	if (s->cpu_start_ns == 0) {
		s->cpu_start_ns = cpu_ns();
	}
	uint64_t now = clock_mono_ns();
	if (now < s->deadline_ns) {
		return false;
	}
	uint64_t spent = cpu_ns() - s->cpu_start_ns;
	if (spent < s->limit_ns) {
		s->deadline_ns = now + (s->limit_ns - spent);
		return false;
	}
	s->over_time = true;
	return true;
}

/* Lua takes it for granted that making a block smaller works. */
static void *
state_alloc(void *ud, void *old, size_t old_size, size_t new_size)
{
	struct sandbox *s = ud;
	size_t had = old != NULL ? old_size : 0;
	if (new_size == 0) {
		free(old);
		s->used -= had;
		return NULL;
	}
	if (new_size > had) {
		if (new_size - had > s->limits.memory_bytes - s->used) {
			s->refused++;
			return NULL;
		}
		if (s->armed && s->refused > REFUSALS_MAX) {
			return NULL;
		}
		if (new_size >= LARGE_BLOCK && time_is_over(s)) {
			return NULL;
		}
	}
	void *p = realloc(old, new_size);
	if (p == NULL) {
		if (new_size > had) {
			return NULL;
		}
		p = old;
	}
	s->used = s->used - had + new_size;
	return p;
}

static int
state_panic(lua_State *L)
{
	(void)L;
	fputs("aivault-policy: a Lua call outside the protected entry failed\n", stderr);
	abort();
}

struct sandbox *
sandbox_of(lua_State *L)
{
	struct sandbox *s;
	memcpy(&s, lua_getextraspace(L), sizeof(s));
	return s;
}

static void
raise_time(lua_State *L)
{
	lua_pushliteral(L, "out of run time");
	lua_error(L);
}

void
sandbox_tick(lua_State *L, size_t work)
{
	struct sandbox *s = sandbox_of(L);
	s->work += work > WORK_BETWEEN_LOOKS ? WORK_BETWEEN_LOOKS : work;
	if (s->work < WORK_BETWEEN_LOOKS) {
		return;
	}
	s->work = 0;
	if (time_is_over(s)) {
		raise_time(L);
	}
}

static void
count_hook(lua_State *L, lua_Debug *ar)
{
	(void)ar;
	if (time_is_over(sandbox_of(L))) {
		raise_time(L);
	}
}

/* The error value is a string, or something that a script threw: only strings are shown. */
static void
copy_message(lua_State *L, char *message)
{
	message[0] = '\0';
	if (lua_type(L, -1) == LUA_TSTRING) {
		size_t len;
		const char *text = lua_tolstring(L, -1, &len);
		size_t n = len < SANDBOX_MESSAGE_MAX ? len : SANDBOX_MESSAGE_MAX;
		memcpy(message, text, n);
		message[n] = '\0';
	} else {
		snprintf(message, SANDBOX_MESSAGE_MAX + 1, "error with a %s instead of a text",
		    lua_typename(L, lua_type(L, -1)));
	}
}

enum run_status
sandbox_run(struct sandbox *s, lua_CFunction f, void *arg, uint32_t ms, char *message)
{
	lua_State *L = s->L;
	s->over_time = false;
	s->work = 0;
	s->refused = 0;
	s->cpu_start_ns = 0;
	s->limit_ns = (uint64_t)ms * SANDBOX_SLOWNESS * 1000000u;
	s->deadline_ns = clock_mono_ns() + s->limit_ns;
	s->armed = true;
	lua_settop(L, 0);
	lua_sethook(L, count_hook, LUA_MASKCOUNT, HOOK_INSTRUCTIONS);
	lua_pushcfunction(L, f);
	lua_pushlightuserdata(L, arg);
	int status = lua_pcall(L, 1, 0, 0);
	s->armed = false;
	enum run_status result = RUN_OK;
	if (s->over_time) {
		result = RUN_TIME;
		snprintf(
		    message, SANDBOX_MESSAGE_MAX + 1, "over the limit of %u ms of run time", ms);
	} else if (status == LUA_ERRMEM) {
		result = RUN_MEMORY;
		snprintf(message, SANDBOX_MESSAGE_MAX + 1, "over the limit of %zu bytes of memory",
		    s->limits.memory_bytes);
	} else if (status != LUA_OK) {
		result = RUN_ERROR;
		copy_message(L, message);
	}
	lua_settop(L, 0);
	return result;
}

void
sandbox_push_env(lua_State *L)
{
	lua_rawgetp(L, LUA_REGISTRYINDEX, &env_key);
}

void
sandbox_push_names(lua_State *L)
{
	lua_rawgetp(L, LUA_REGISTRYINDEX, &names_key);
}

static const char *
read_text(lua_State *L, void *ud, size_t *size)
{
	(void)L;
	struct str *text = ud;
	*size = text->len;
	text->len = 0;
	return *size > 0 ? text->p : NULL;
}

void
sandbox_load(lua_State *L, const char *name, struct str text)
{
	lua_pushfstring(L, "@%s", name);
	int status = lua_load(L, read_text, &text, lua_tostring(L, -1), "t");
	if (status != LUA_OK) {
		lua_error(L);
	}
	lua_remove(L, -2);
	sandbox_push_env(L);
	/* A chunk has exactly one upvalue, its globals; without this it would see the registry's. */
	if (lua_setupvalue(L, -2, 1) == NULL) {
		lua_pop(L, 1);
	}
}

static int
unknown_name(lua_State *L)
{
	lua_pushvalue(L, 2);
	script_error(L, "there is no '%s' here",
	    lua_type(L, 2) == LUA_TSTRING ? lua_tostring(L, -1) : "such name");
	return 0;
}

static int
build_environment(lua_State *L)
{
	lua_createtable(L, 0, 64);
	lua_pushvalue(L, -1);
	lua_rawsetp(L, LUA_REGISTRYINDEX, &names_key);
	lib_open_all(L);
	verdict_open(L);
	view_open(L);
	/* Reading a name that does not exist is an error, not nil: a typing error must not allow. */
	lua_createtable(L, 0, 1);
	lua_pushcfunction(L, unknown_name);
	lua_setfield(L, -2, "__index");
	lua_setmetatable(L, -2);
	frozen_push_proxy(L, -1, "globals are read-only");
	lua_rawsetp(L, LUA_REGISTRYINDEX, &env_key);
	/* What lua_load hands to a chunk by itself must hold nothing. */
	lua_createtable(L, 0, 0);
	lua_rawseti(L, LUA_REGISTRYINDEX, LUA_RIDX_GLOBALS);
	return 0;
}

enum av_err
sandbox_init(struct sandbox *s, const struct sandbox_limits *limits)
{
	memset(s, 0, sizeof(*s));
	s->limits = *limits;
	buf_init(&s->scratch, SCRATCH_MAX);
	s->L = lua_newstate(state_alloc, s);
	if (s->L == NULL) {
		return AV_ENOMEM;
	}
	lua_atpanic(s->L, state_panic);
	memcpy(lua_getextraspace(s->L), &s, sizeof(s));
	char message[SANDBOX_MESSAGE_MAX + 1];
	if (sandbox_run(s, build_environment, NULL, SANDBOX_LOAD_MS, message) != RUN_OK) {
		sandbox_clear(s);
		return AV_ENOMEM;
	}
	return AV_OK;
}

void
sandbox_clear(struct sandbox *s)
{
	if (s->L != NULL) {
		lua_close(s->L);
		s->L = NULL;
	}
	buf_clear(&s->scratch);
}
