/* SPDX-License-Identifier: Apache-2.0 */
/*
 * counter.* looks at the judge's working copy and puts charges on the verdict; it changes nothing.
 * The copy counts them when the whole chain has allowed, the keeper when it commits the decision.
 */
#include "policy/counter_table.h"
#include "policy/lib.h"
#include "policy/sandbox.h"
#include "policy/script.h"

#include <string.h>

#define KEY_MAX 128u

static struct call *
running_call(lua_State *L)
{
	struct call *c = sandbox_of(L)->call;
	if (c == NULL) {
		script_error(L, "counters belong into a check");
	}
	return c;
}

/* "<capability>|<policy>|<origin>|<key>": a script cannot name another's counter. With "everywhere"
 * the capability is "*": one counter for all that name the same policy. */
static struct str
full_key(lua_State *L, const struct call *c, int scope, char out[COUNTER_KEY_MAX])
{
	struct str key = arg_str(L, 1);
	struct str capability = c->ask->capability;
	if (key.len == 0 || key.len > KEY_MAX || memchr(key.p, '\0', key.len) != NULL ||
	    !str_is_utf8(key)) {
		script_error(L, "counter: the key must be 1 to %d bytes of UTF-8", (int)KEY_MAX);
	}
	if (scope != 0 && !lua_isnoneornil(L, scope)) {
		if (!str_eq_cstr(arg_str_strict(L, scope), "everywhere")) {
			script_error(L, "counter: the scope can only be \"everywhere\"");
		}
		capability = STR_LIT("*");
	}
	const struct str parts[] = {
	    capability, str_of(c->step->policy), str_of(c->step->origin), key};
	size_t n = 0;
	for (size_t i = 0; i < LIB_ARRAY_LEN(parts); i++) {
		if (parts[i].len + 1 > COUNTER_KEY_MAX - n) {
			script_error(L, "counter: the key is too long");
		}
		memcpy(out + n, parts[i].p, parts[i].len);
		n += parts[i].len;
		out[n++] = '|';
	}
	return (struct str){out, n - 1};
}

static uint32_t
arg_window(lua_State *L, int n)
{
	lua_Integer w = arg_int(L, n);
	if (w < 1 || w > COUNTER_MAX_WINDOW_S) {
		script_error(
		    L, "counter: the window must be 1 to %d seconds", (int)COUNTER_MAX_WINDOW_S);
	}
	return (uint32_t)w;
}

static uint64_t
arg_amount(lua_State *L, int n)
{
	lua_Integer v = arg_int(L, n);
	if (v < 0 || v > UINT32_MAX) {
		script_error(L, "counter: a number must be 0 to 4294967295");
	}
	return (uint64_t)v;
}

/* What this chain has put on its verdict so far. */
static uint64_t
pending(const struct call *c, struct str key, uint32_t window_s)
{
	uint64_t sum = 0;
	for (size_t i = 0; i < c->draft->charge_count; i++) {
		const struct charge *x = &c->draft->charges[i];
		if (str_eq(x->key, key) && (window_s == 0 || x->window_s == window_s)) {
			sum += x->n;
		}
	}
	return sum;
}

static void
add_charge(
    lua_State *L, struct call *c, struct str key, uint64_t n, uint64_t limit, uint32_t window_s)
{
	struct verdict_draft *d = c->draft;
	if (d->charge_count == JUDGE_MAX_CHARGES) {
		script_error(
		    L, "counter: more than %d charges in one verdict", (int)JUDGE_MAX_CHARGES);
	}
	struct charge *x = &d->charges[d->charge_count];
	*x = (struct charge){.n = n, .limit = limit, .window_s = window_s};
	if (!draft_keep(d, key, &x->key) || !draft_keep(d, str_of(c->step->policy), &x->policy)) {
		script_error(L, "counter: the verdict is too long");
	}
	d->charge_count++;
}

/* counter.take(key, limit, window_s [, "everywhere"]) -> true, or false and the seconds to wait */
static int
counter_take(lua_State *L)
{
	struct call *c = running_call(L);
	char text[COUNTER_KEY_MAX];
	struct str key = full_key(L, c, 4, text);
	uint64_t limit = arg_amount(L, 2);
	uint32_t window_s = arg_window(L, 3);
	uint64_t have = counter_table_sum(c->counters, key, window_s, c->ask->now_ms) +
	    pending(c, key, window_s);
	if (have >= limit) {
		lua_pushboolean(L, 0);
		lua_pushinteger(L,
		    limit == 0 ? (lua_Integer)window_s
		               : counter_table_wait(
		                     c->counters, key, window_s, have - limit + 1, c->ask->now_ms));
		return 2;
	}
	add_charge(L, c, key, 1, limit, window_s);
	lua_pushboolean(L, 1);
	return 1;
}

/* counter.add(key, n, window_s [, "everywhere"]): counts n, whatever is there already */
static int
counter_add(lua_State *L)
{
	struct call *c = running_call(L);
	char text[COUNTER_KEY_MAX];
	struct str key = full_key(L, c, 4, text);
	uint64_t n = arg_amount(L, 2);
	add_charge(L, c, key, n, UINT64_MAX, arg_window(L, 3));
	return 0;
}

/* counter.get(key [, window_s [, "everywhere"]]) -> what the window holds */
static int
counter_get(lua_State *L)
{
	struct call *c = running_call(L);
	char text[COUNTER_KEY_MAX];
	struct str key = full_key(L, c, 3, text);
	uint32_t window_s = lua_isnoneornil(L, 2) ? 0 : arg_window(L, 2);
	uint64_t n = counter_table_sum(c->counters, key, window_s, c->ask->now_ms) +
	    pending(c, key, window_s);
	lua_pushinteger(L, n > INT64_MAX ? LUA_MAXINTEGER : (lua_Integer)n);
	return 1;
}

void
lib_counter_open(lua_State *L)
{
	static const struct lib_function functions[] = {
	    {"add", counter_add},
	    {"get", counter_get},
	    {"take", counter_take},
	};
	lib_register(L, "counter", functions, LIB_ARRAY_LEN(functions));
}
