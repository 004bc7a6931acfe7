/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/script.h"

#include "policy/script_load.h"
#include "policy/view.h"
#include "policy/watch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Near the end of the table of steps the state is made anew, so that parameters which change often
 * cannot use it up. */
#define STEPS_KEPT_FREE (JUDGE_MAX_POLICIES + 1u)

struct str
script_provider(const struct embedded_file *file)
{
	struct str name = str_of(file->path);
	for (size_t i = name.len; i > 0; i--) {
		if (name.p[i - 1] == '/') {
			name = (struct str){name.p + i, name.len - i};
			break;
		}
	}
	if (str_ends(name, STR_LIT(".lua"))) {
		name.len -= 4;
	}
	return name;
}

static void
unload(struct script *s)
{
	sandbox_clear(&s->box);
	free(s->plans);
	s->plans = NULL;
	free(s->steps);
	s->steps = NULL;
	s->step_count = 0;
	manifest_free(s->manifest);
	s->manifest = NULL;
	s->loaded = false;
	s->loading = NULL;
}

static enum av_err
load(struct script *s, char *message)
{
	unload(s);
	enum av_err e = sandbox_init(&s->box, &s->limits);
	if (e == AV_OK) {
		s->manifest = manifest_new();
		e = s->manifest != NULL ? AV_OK : AV_ENOMEM;
	}
	if (e != AV_OK) {
		snprintf(message, SANDBOX_MESSAGE_MAX + 1, "%s",
		    "the sandbox cannot be made in the memory that is allowed");
		unload(s);
		return e;
	}
	char why[SANDBOX_MESSAGE_MAX + 1];
	enum run_status r = sandbox_run(&s->box, script_load, s, SANDBOX_LOAD_MS, why);
	if (r != RUN_OK) {
		const char *path = s->file != NULL ? s->file->path : "policies";
		bool placed = r == RUN_ERROR && strchr(why, ':') != NULL;
		snprintf(message, SANDBOX_MESSAGE_MAX + 1, "%.100s%s%.290s", placed ? "" : path,
		    placed ? "" : ":1: ", why);
		/* The same bytes would fail again, and take as long: it is not tried at every ask. */
		memcpy(s->broken, message, sizeof(s->broken));
		unload(s);
		return AV_EINVAL;
	}
	s->loaded = true;
	return AV_OK;
}

enum av_err
script_init(struct script *s, const struct script_source *source, const struct embedded_file *file,
    const struct sandbox_limits *limits, char *message)
{
	memset(s, 0, sizeof(*s));
	s->source = source;
	s->file = file;
	s->limits = *limits;
	return load(s, message);
}

void
script_clear(struct script *s)
{
	unload(s);
}

static void
run_step(lua_State *L, struct call *c, const struct script_step *step)
{
	int top = lua_gettop(L);
	c->step = step;
	c->script->box.serial++;
	_Static_assert(sizeof(c->draft->policy) == sizeof(step->policy), "copied whole");
	memcpy(c->draft->policy, step->policy, sizeof(step->policy));
	script_push_object(L, step->function);
	view_push(L);
	int args = 1;
	if (step->params != 0) {
		script_push_object(L, step->params);
		args = 2;
	}
	lua_call(L, args, LUA_MULTRET);
	int answers = lua_gettop(L) - top;
	if (answers != 1) {
		script_error(L, "a check must answer once, not %d times", answers);
	}
	const char *name = "";
	script_push_object(L, step->watch);
	if (watch_restore(L, -1, &name)) {
		script_error(L, "a check may keep nothing between calls, and changed '%s'", name);
	}
	verdict_take(L, top + 1, c->draft);
	lua_settop(L, top);
}

static int
run_chain(lua_State *L)
{
	struct call *c = lua_touserdata(L, 1);
	need_stack(L, LUA_MINSTACK * 2);
	size_t count = c->plan != NULL ? c->plan->count : 0;
	/* With nothing to ask, what C has checked is all there is. */
	c->draft->kind = VERDICT_ALLOW;
	for (size_t i = 0; i < count + c->ask->policy_count; i++) {
		size_t step;
		if (i < count) {
			step = c->plan->first + i;
		} else {
			step = script_instance_step(L, c->script, &c->ask->policies[i - count]);
		}
		c->draft->kind = VERDICT_DENY;
		const struct script_step running = c->script->steps[step];
		run_step(L, c, &running);
		if (c->draft->kind == VERDICT_DENY) {
			break;
		}
	}
	return 0;
}

/* After an error nothing may be left behind in an upvalue either. */
static int
restore_all(lua_State *L)
{
	const struct script *s = lua_touserdata(L, 1);
	const char *name;
	for (size_t i = 0; i < s->step_count; i++) {
		script_push_object(L, s->steps[i].watch);
		(void)watch_restore(L, -1, &name);
		lua_pop(L, 1);
	}
	return 0;
}

static bool
find_capability(const struct script *s, const struct judge_ask *ask, struct call *c)
{
	if (s->file == NULL) {
		return true;
	}
	for (size_t i = 0; i < s->manifest->capability_count; i++) {
		if (str_eq_cstr(ask->capability, s->manifest->capabilities[i].id)) {
			c->capability = &s->manifest->capabilities[i];
			c->plan = &s->plans[i];
			return true;
		}
	}
	return false;
}

static void
finish(struct script *s, enum run_status r, const char *message, struct verdict_draft *draft)
{
	static const char *const reasons[] = {[RUN_OK] = "",
	    [RUN_ERROR] = "policy_error",
	    [RUN_TIME] = "policy_timeout",
	    [RUN_MEMORY] = "policy_memory"};
	char again[SANDBOX_MESSAGE_MAX + 1];
	if (r == RUN_OK) {
		if (draft->kind == VERDICT_DENY) {
			draft->op_count = 0;
			draft->charge_count = 0;
		}
		return;
	}
	draft_blame_script(draft, reasons[r], str_of(message));
	if (r == RUN_ERROR &&
	    sandbox_run(&s->box, restore_all, s, SANDBOX_LOAD_MS, again) == RUN_OK) {
		return;
	}
	draft->limit_hit = r != RUN_ERROR;
	unload(s);
}

void
script_ask(struct script *s, const struct judge_ask *ask, struct str body,
    struct counter_table *counters, struct verdict_draft *draft)
{
	char message[SANDBOX_MESSAGE_MAX + 1];
	draft_reset(draft);
	if (s->broken[0] != '\0') {
		draft_blame_script(draft, "policy_error", str_of(s->broken));
		return;
	}
	if (s->loaded && s->step_count + STEPS_KEPT_FREE > SCRIPT_MAX_STEPS) {
		unload(s);
	}
	if (!s->loaded && load(s, message) != AV_OK) {
		draft_blame_script(draft, "policy_error", str_of(message));
		return;
	}
	struct call c = {
	    .ask = ask,
	    .body = body,
	    .script = s,
	    .draft = draft,
	    .counters = counters,
	};
	if (!find_capability(s, ask, &c)) {
		draft_blame_script(
		    draft, "policy_error", STR_LIT("the provider's script has no such capability"));
		return;
	}
	s->box.call = &c;
	enum run_status r = sandbox_run(&s->box, run_chain, &c, s->limits.check_ms, message);
	s->box.call = NULL;
	s->box.serial++;
	finish(s, r, message, draft);
	if (draft->kind == VERDICT_ALLOW) {
		counter_table_charge(counters, draft->charges, draft->charge_count, ask->now_ms);
	}
}
