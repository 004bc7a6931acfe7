/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sandbox.h - one Lua state with walls: its own allocator with a cap, a clock that a count hook and
 * every C loop look at, an environment that holds only what is listed, and one protected entry.
 *
 * Nothing of lualib is opened; every function that a script can name is in a lib_<name>.c here.
 * Globals and library tables are frozen. The clock is monotonic; before it ends a run it is
 * confirmed by the CPU time of the run, so that a busy machine denies nothing.
 */
#ifndef AV_POLICY_SANDBOX_H
#define AV_POLICY_SANDBOX_H

#include "base/buf.h"
#include "base/err.h"
#include "policy/argument.h"

#include <lua.h>

#ifdef AV_SANITIZED
#define SANDBOX_SLOWNESS 10u
#else
#define SANDBOX_SLOWNESS 1u
#endif
#define SANDBOX_CHECK_MS 5u
#define SANDBOX_LOAD_MS 200u
#define SANDBOX_MEMORY_BYTES (8u * 1024u * 1024u)
#define SANDBOX_MESSAGE_MAX 400u

struct counter_table;
struct call;

struct sandbox_limits {
	uint32_t check_ms; /* run time of one check chain */
	size_t memory_bytes; /* of one state */
};

struct sandbox {
	lua_State *L;
	struct sandbox_limits limits;
	size_t used;
	unsigned refused; /* blocks, in this run */ /* bytes that the state holds */
	bool over_time;
	bool armed; /* a run is going on and its clock counts */
	uint64_t limit_ns;
	uint64_t deadline_ns;
	uint64_t cpu_start_ns; /* 0: not looked at yet in this run */
	size_t work; /* units of C work since the clock was looked at */
	uint64_t serial; /* of the running check; values of another one are dead */
	struct call *call; /* the ask being judged; NULL while a script is loaded */
	struct buf scratch; /* for C work that may be left by longjmp */
};

enum run_status { RUN_OK, RUN_ERROR, RUN_TIME, RUN_MEMORY };

/* Makes the state and its environment; the vocabulary is not loaded yet. */
enum av_err sandbox_init(struct sandbox *s, const struct sandbox_limits *limits) AV_MUST_USE;
void sandbox_clear(struct sandbox *s);

/*
 * The one way in: calls f(L) protected, with `arg` as a light userdata in slot 1. `ms` is the run
 * time allowed. On anything but RUN_OK `message` (SANDBOX_MESSAGE_MAX + 1 bytes) says what happened.
 * What f returns is dropped.
 */
enum run_status sandbox_run(
    struct sandbox *s, lua_CFunction f, void *arg, uint32_t ms, char *message) AV_MUST_USE;

/* For code that runs inside sandbox_run: */
struct sandbox *sandbox_of(lua_State *L);
/* Counts `work` (bytes, elements) and raises when the run's time is over. Every loop of C code over
 * data that a script chose calls it. */
LUA_RAISES void sandbox_tick(lua_State *L, size_t work);
/* Pushes the table that scripts see as their globals (frozen), and the one behind it. */
LUA_RAISES void sandbox_push_env(lua_State *L);
LUA_RAISES void sandbox_push_names(lua_State *L);
/* Compiles text (never bytecode) with the frozen globals as its only upvalue and pushes the function;
 * raises with file and line on a syntax error. `name` is shown as it is. */
LUA_RAISES void sandbox_load(lua_State *L, const char *name, struct str text);

#endif
