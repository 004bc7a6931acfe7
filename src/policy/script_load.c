/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/script_load.h"

#include "policy/frozen.h"
#include "policy/script_manifest.h"
#include "policy/watch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char objects_key, policies_key, instance_key, cache_key;

#define VOCABULARY_DIR "lua/"
#define INSTANCE_KEY_MAX 1024u

/* The innermost line that is a script's and not the vocabulary's; 0: none is on the stack. */
static int
script_line(lua_State *L, lua_Debug *ar)
{
	for (int level = 1; lua_getstack(L, level, ar); level++) {
		if (lua_getinfo(L, "Sl", ar) && ar->currentline > 0 &&
		    strncmp(ar->short_src, VOCABULARY_DIR, strlen(VOCABULARY_DIR)) != 0) {
			return ar->currentline;
		}
	}
	return 0;
}

/* core.fail(text). `return provider "x" {...}` is a tail call, which leaves no line on the stack: then
 * the line of `provider "x"` stands in. */
static int
core_fail(lua_State *L)
{
	const struct script *s = lua_touserdata(L, lua_upvalueindex(1));
	lua_Debug ar;
	arg_str(L, 1);
	lua_settop(L, 1);
	int line = script_line(L, &ar);
	if (line > 0) {
		lua_pushfstring(L, "%s:%d: ", ar.short_src, line);
	} else if (s->loading != NULL) {
		lua_pushfstring(L, "%s:%d: ", s->loading, s->loading_line);
	} else {
		lua_pushliteral(L, "");
	}
	lua_insert(L, 1);
	lua_concat(L, 2);
	return lua_error(L);
}

/* core.line([fallback]) notes the script's line, or the fallback where none is on the stack. */
static int
core_line(lua_State *L)
{
	struct script *s = lua_touserdata(L, lua_upvalueindex(1));
	lua_Debug ar;
	lua_Integer fallback = arg_int_or(L, 1, 0);
	int line = script_line(L, &ar);
	if (line == 0) {
		line = (int)fallback;
	}
	if (line > 0) {
		s->loading_line = line;
	}
	lua_pushinteger(L, s->loading_line);
	return 1;
}

void
script_push_object(lua_State *L, lua_Integer place)
{
	lua_rawgetp(L, LUA_REGISTRYINDEX, &objects_key);
	lua_rawgeti(L, -1, place);
	lua_remove(L, -2);
}

/* Takes the value on the top off the stack; returns its place. */
static lua_Integer
keep_object(lua_State *L)
{
	lua_rawgetp(L, LUA_REGISTRYINDEX, &objects_key);
	lua_Integer place = (lua_Integer)lua_rawlen(L, -1) + 1;
	lua_insert(L, -2);
	lua_rawseti(L, -2, place);
	lua_pop(L, 1);
	return place;
}

static void
load_vocabulary(lua_State *L, struct script *s, const struct embedded_file *file)
{
	int top = lua_gettop(L);
	sandbox_load(L, file->path, (struct str){file->data, file->len});
	lua_createtable(L, 0, 2);
	lua_pushlightuserdata(L, s);
	lua_pushcclosure(L, core_fail, 1);
	lua_setfield(L, -2, "fail");
	lua_pushlightuserdata(L, s);
	lua_pushcclosure(L, core_line, 1);
	lua_setfield(L, -2, "line");
	lua_call(L, 1, 2);
	if (lua_isfunction(L, top + 2)) {
		lua_pushvalue(L, top + 2);
		lua_rawsetp(L, LUA_REGISTRYINDEX, &instance_key);
	}
	sandbox_push_names(L);
	lua_pushnil(L);
	while (lua_next(L, top + 1)) {
		frozen_make_deep(L, -1);
		lua_pushvalue(L, -2);
		lua_insert(L, -2);
		lua_rawset(L, top + 3);
	}
	lua_settop(L, top);
}

/* rate_limit { per_minute = 60 }: instance(record, given). Upvalue 1 is the record. */
static int
policy_constructor(lua_State *L)
{
	lua_settop(L, 1);
	lua_rawgetp(L, LUA_REGISTRYINDEX, &instance_key);
	lua_pushvalue(L, lua_upvalueindex(1));
	lua_pushvalue(L, 1);
	lua_call(L, 2, 1);
	return 1;
}

static bool
field_is(lua_State *L, int t, const char *field, const char *text)
{
	lua_getfield(L, t, field);
	bool same = lua_type(L, -1) == LUA_TSTRING && strcmp(lua_tostring(L, -1), text) == 0;
	lua_pop(L, 1);
	return same;
}

/* "policies/rate_limit.lua" -> "rate_limit", pushed. */
static const char *
push_base_name(lua_State *L, const struct embedded_file *file)
{
	struct str name = script_provider(file);
	return lua_pushlstring(L, name.p, name.len);
}

/* Runs the file and leaves the record on the stack. */
static void
load_record(lua_State *L, struct script *s, const struct embedded_file *file, const char *kind)
{
	s->loading = file->path;
	s->loading_line = 1;
	const char *name = push_base_name(L, file);
	sandbox_load(L, file->path, (struct str){file->data, file->len});
	int top = lua_gettop(L);
	lua_call(L, 0, LUA_MULTRET);
	if (lua_gettop(L) != top || !lua_istable(L, top) || !field_is(L, top, "kind", kind)) {
		lua_pushfstring(L, "%s:1: the file must return one %s", file->path, kind);
		lua_error(L);
	}
	if (!field_is(L, top, "name", name)) {
		lua_pushfstring(
		    L, "%s:1: the %s must have the file's name, '%s'", file->path, kind, name);
		lua_error(L);
	}
	lua_remove(L, -2);
	s->loading = NULL;
}

static void
load_policy(lua_State *L, struct script *s, const struct embedded_file *file)
{
	int top = lua_gettop(L);
	const char *name = push_base_name(L, file);
	load_record(L, s, file, "policy");
	frozen_make_deep(L, -1);
	if (strlen(name) > DRAFT_WORD_MAX) {
		lua_pushfstring(L, "%s:1: the name is too long", file->path);
		lua_error(L);
	}
	sandbox_push_names(L);
	if (lua_getfield(L, -1, "policy") == LUA_TNIL) {
		script_error(L, "%s: there is no vocabulary", file->path);
	}
	lua_pop(L, 1);
	lua_pushvalue(L, top + 2);
	lua_pushcclosure(L, policy_constructor, 1);
	lua_setfield(L, -2, name);
	lua_rawgetp(L, LUA_REGISTRYINDEX, &policies_key);
	lua_pushvalue(L, top + 2);
	lua_setfield(L, -2, name);
	lua_settop(L, top);
}

/* Adds a step for the function and parameters on the top (nil: none); pops both. */
static size_t
add_step(lua_State *L, struct script *s, const char *policy, const char *origin)
{
	if (s->step_count == SCRIPT_MAX_STEPS) {
		script_error(L, "more than %d checks in one script", (int)SCRIPT_MAX_STEPS);
	}
	struct script_step step = {.origin = origin};
	snprintf(step.policy, sizeof(step.policy), "%s", policy);
	watch_push(L, -2);
	step.watch = keep_object(L);
	if (lua_isnil(L, -1)) {
		lua_pop(L, 1);
	} else {
		frozen_make_deep(L, -1);
		step.params = keep_object(L);
	}
	step.function = keep_object(L);
	if (s->step_count % 32 == 0) {
		struct script_step *more = realloc(s->steps, (s->step_count + 32) * sizeof(*more));
		if (more == NULL) {
			script_error(L, "out of memory");
		}
		s->steps = more;
	}
	s->steps[s->step_count] = step;
	return s->step_count++;
}

/* A policy's name stands in keys of counters, between '|'. */
static bool
is_word(lua_State *L, int index)
{
	size_t len = 0;
	const char *p = lua_type(L, index) == LUA_TSTRING ? lua_tolstring(L, index, &len) : NULL;
	for (size_t i = 0; i < len; i++) {
		if (!((p[i] >= 'a' && p[i] <= 'z') || (p[i] >= '0' && p[i] <= '9') ||
		        p[i] == '_')) {
			return false;
		}
	}
	return len > 0 && len <= DRAFT_WORD_MAX;
}

static size_t
add_instance(lua_State *L, struct script *s, int instance, const char *origin)
{
	lua_getfield(L, instance, "name");
	lua_getfield(L, instance, "check");
	lua_getfield(L, instance, "params");
	if (!is_word(L, -3) || !lua_isfunction(L, -2) || !lua_istable(L, -1)) {
		script_error(L, "a policy must be made by the constructor of its name");
	}
	size_t step = add_step(L, s, lua_tostring(L, -3), origin);
	lua_pop(L, 1);
	return step;
}

static void
plan_capability(lua_State *L, struct script *s, int t, struct script_plan *plan)
{
	plan->first = s->step_count;
	lua_getfield(L, t, "policies");
	lua_Integer n = frozen_len(L, -1);
	for (lua_Integer i = 1; i <= n; i++) {
		lua_geti(L, -1, i);
		add_instance(L, s, lua_gettop(L), "script");
		lua_pop(L, 1);
	}
	lua_pop(L, 1);
	if (lua_getfield(L, t, "check") == LUA_TFUNCTION) {
		lua_pushnil(L);
		add_step(L, s, "check", "script");
	} else {
		lua_pop(L, 1);
	}
	plan->count = s->step_count - plan->first;
}

static void
load_provider(lua_State *L, struct script *s)
{
	load_record(L, s, s->file, "provider");
	int t = lua_gettop(L);
	script_manifest_read(L, t, s->file->path, s->manifest);
	frozen_make_deep(L, t);
	s->plans = calloc(s->manifest->capability_count + 1, sizeof(s->plans[0]));
	if (s->plans == NULL) {
		script_error(L, "out of memory");
	}
	lua_getfield(L, t, "capabilities");
	for (size_t i = 0; i < s->manifest->capability_count; i++) {
		lua_geti(L, -1, (lua_Integer)i + 1);
		plan_capability(L, s, lua_gettop(L), &s->plans[i]);
		lua_pop(L, 1);
	}
}

static void
new_registry_table(lua_State *L, const void *key)
{
	lua_createtable(L, 0, 8);
	lua_rawsetp(L, LUA_REGISTRYINDEX, key);
}

int
script_load(lua_State *L)
{
	struct script *s = lua_touserdata(L, 1);
	new_registry_table(L, &objects_key);
	new_registry_table(L, &policies_key);
	new_registry_table(L, &cache_key);
	need_stack(L, 40);
	for (size_t i = 0; i < s->source->count; i++) {
		if (str_starts(str_of(s->source->files[i].path), STR_LIT(VOCABULARY_DIR))) {
			load_vocabulary(L, s, &s->source->files[i]);
		}
	}
	for (size_t i = 0; i < s->source->count; i++) {
		if (str_starts(str_of(s->source->files[i].path), STR_LIT("policies/"))) {
			load_policy(L, s, &s->source->files[i]);
		}
	}
	if (s->file != NULL) {
		load_provider(L, s);
	}
	return 0;
}

/* Policy and parameters as one text, the cache's key; NULL where they are over the limit. */
static const char *
instance_text(const struct policy_instance *p, char *out)
{
	int n = snprintf(out, INSTANCE_KEY_MAX, "%.*s", STR_FMT(p->policy));
	for (size_t i = 0; i < p->param_count && n >= 0 && (size_t)n < INSTANCE_KEY_MAX; i++) {
		n += snprintf(out + n, INSTANCE_KEY_MAX - (size_t)n, "|%.*s=%llu",
		    STR_FMT(p->params[i].name), (unsigned long long)p->params[i].value);
	}
	return n >= 0 && (size_t)n < INSTANCE_KEY_MAX ? out : NULL;
}

size_t
script_instance_step(lua_State *L, struct script *s, const struct policy_instance *instance)
{
	char text[INSTANCE_KEY_MAX];
	if (instance_text(instance, text) == NULL) {
		script_error(L, "a policy's parameters are too long");
	}
	int top = lua_gettop(L);
	lua_rawgetp(L, LUA_REGISTRYINDEX, &cache_key);
	if (lua_getfield(L, -1, text) == LUA_TNUMBER) {
		size_t step = (size_t)lua_tointeger(L, -1);
		lua_settop(L, top);
		return step;
	}
	lua_rawgetp(L, LUA_REGISTRYINDEX, &instance_key);
	lua_rawgetp(L, LUA_REGISTRYINDEX, &policies_key);
	push_str(L, instance->policy);
	if (lua_rawget(L, -2) != LUA_TTABLE) {
		script_error(L, "there is no policy of the name that was set for this capability");
	}
	lua_remove(L, -2);
	lua_createtable(L, 0, (int)instance->param_count);
	for (size_t i = 0; i < instance->param_count; i++) {
		if (instance->params[i].value > (uint64_t)LUA_MAXINTEGER) {
			script_error(L, "a policy's parameter is too large");
		}
		push_str(L, instance->params[i].name);
		lua_pushinteger(L, (lua_Integer)instance->params[i].value);
		lua_rawset(L, -3);
	}
	lua_call(L, 2, 1);
	size_t step = add_instance(L, s, lua_gettop(L), "set");
	lua_pushinteger(L, (lua_Integer)step);
	lua_setfield(L, top + 1, text);
	lua_settop(L, top);
	return step;
}
