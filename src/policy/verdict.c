/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/verdict.h"

#include "http/header_list.h"
#include "policy/frozen.h"
#include "policy/sandbox.h"

#include <string.h>

static const char value_key;

struct verdict_value {
	uint64_t serial;
	enum verdict_kind kind;
};

static void
push_value(lua_State *L, enum verdict_kind kind, int fields)
{
	struct sandbox *s = sandbox_of(L);
	if (s->call == NULL) {
		script_error(L, "allow() and deny() belong into a check");
	}
	struct verdict_value *v = lua_newuserdatauv(L, sizeof(*v), fields);
	v->serial = s->serial;
	v->kind = kind;
	lua_rawgetp(L, LUA_REGISTRYINDEX, &value_key);
	lua_setmetatable(L, -2);
}

static int
verdict_allow(lua_State *L)
{
	if (lua_isnoneornil(L, 1)) {
		push_value(L, VERDICT_ALLOW, 0);
		return 1;
	}
	arg_table(L, 1);
	push_value(L, VERDICT_ALLOW, 1);
	lua_pushvalue(L, 1);
	lua_setiuservalue(L, -2, 1);
	return 1;
}

static int
verdict_deny(lua_State *L)
{
	arg_str_strict(L, 1);
	if (!lua_isnoneornil(L, 2)) {
		arg_table(L, 2);
	}
	push_value(L, VERDICT_DENY, 2);
	lua_pushvalue(L, 1);
	lua_setiuservalue(L, -2, 1);
	lua_pushvalue(L, 2);
	lua_setiuservalue(L, -2, 2);
	return 1;
}

static int
refuse_field(lua_State *L)
{
	script_error(L, "a verdict has no fields");
	return 0;
}

void
verdict_open(lua_State *L)
{
	static const struct lib_function functions[] = {
	    {"allow", verdict_allow},
	    {"deny", verdict_deny},
	};
	set_functions(L, functions, 2);
	lua_createtable(L, 0, 3);
	lua_pushboolean(L, 0);
	lua_setfield(L, -2, "__metatable");
	lua_pushcfunction(L, refuse_field);
	lua_setfield(L, -2, "__index");
	lua_pushcfunction(L, refuse_field);
	lua_setfield(L, -2, "__newindex");
	lua_rawsetp(L, LUA_REGISTRYINDEX, &value_key);
}

static struct str
string_at(lua_State *L, int index, const char *what)
{
	if (lua_type(L, index) != LUA_TSTRING) {
		script_error(L, "%s must be a text", what);
	}
	struct str s;
	s.p = lua_tolstring(L, index, &s.len);
	return s;
}

/* The field `name` of the options on the top as a whole number 0..max; *out is left where nil. */
static bool
number_field(lua_State *L, int t, const char *name, uint64_t max, uint64_t *out)
{
	int ok = 0;
	if (lua_getfield(L, t, name) == LUA_TNIL) {
		lua_pop(L, 1);
		return false;
	}
	lua_Integer v = lua_type(L, -1) == LUA_TNUMBER ? lua_tointegerx(L, -1, &ok) : 0;
	if (!ok || v < 0 || (uint64_t)v > max) {
		script_error(L, "%s must be a whole number that is not negative", name);
	}
	lua_pop(L, 1);
	*out = (uint64_t)v;
	return true;
}

static void
refuse_other_keys(lua_State *L, int t, const char *const *allowed)
{
	frozen_push_content(L, t);
	lua_pushnil(L);
	while (lua_next(L, -2)) {
		lua_pop(L, 1);
		struct str key = string_at(L, -1, "a key of a verdict");
		size_t i = 0;
		while (allowed[i] != NULL && !str_eq_cstr(key, allowed[i])) {
			i++;
		}
		if (allowed[i] == NULL) {
			script_error(L, "a verdict has no field '%s'", key.p);
		}
	}
	lua_pop(L, 1);
}

static bool
is_token_byte(unsigned char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	    (c != 0 && strchr("!#$%&'*+-.^_`|~", c) != NULL);
}

static void
add_op(lua_State *L, struct verdict_draft *d, struct str name, const struct str *value)
{
	if (d->op_count == JUDGE_MAX_HEADER_OPS) {
		script_error(L, "more than %d header changes", (int)JUDGE_MAX_HEADER_OPS);
	}
	bool good = name.len > 0 && name.len <= 256;
	for (size_t i = 0; good && i < name.len; i++) {
		good = is_token_byte((unsigned char)name.p[i]);
	}
	if (!good) {
		script_error(L, "a header name is malformed");
	}
	if (header_is_auth_class(name) || header_is_reserved(name)) {
		script_error(L, "the header '%s' cannot be changed by a script", name.p);
	}
	struct header_op *op = &d->ops[d->op_count];
	memset(op, 0, sizeof(*op));
	op->drop = value == NULL;
	size_t at = d->text_len;
	if (!draft_keep(d, name, &op->name)) {
		script_error(L, "header changes over %d bytes", (int)DRAFT_TEXT_MAX);
	}
	for (size_t i = at; i < d->text_len; i++) {
		d->text[i] =
		    d->text[i] >= 'A' && d->text[i] <= 'Z' ? (char)(d->text[i] + 32) : d->text[i];
	}
	if (value != NULL) {
		for (size_t i = 0; i < value->len; i++) {
			unsigned char c = (unsigned char)value->p[i];
			if ((c < 0x20 && c != '\t') || c == 0x7f) {
				script_error(
				    L, "the value for header '%s' holds a control byte", name.p);
			}
		}
		if (!draft_keep(d, *value, &op->value)) {
			script_error(L, "header changes over %d bytes", (int)DRAFT_TEXT_MAX);
		}
	}
	d->op_count++;
}

/* set_headers: sorted by name, so that the same answer always has the same bytes. */
static void
take_set_headers(lua_State *L, int t, struct verdict_draft *d)
{
	size_t first = d->op_count;
	if (lua_getfield(L, t, "set_headers") != LUA_TNIL) {
		if (!lua_istable(L, -1)) {
			script_error(L, "set_headers must be a table of names and values");
		}
		frozen_push_content(L, -1);
		lua_pushnil(L);
		while (lua_next(L, -2)) {
			struct str value = string_at(L, -1, "the value of a header");
			add_op(L, d, string_at(L, -2, "the name of a header"), &value);
			lua_pop(L, 1);
		}
		lua_pop(L, 1);
	}
	lua_pop(L, 1);
	for (size_t i = first + 1; i < d->op_count; i++) {
		struct header_op op = d->ops[i];
		size_t k = i;
		for (; k > first; k--) {
			struct str a = d->ops[k - 1].name;
			size_t n = a.len < op.name.len ? a.len : op.name.len;
			int order = memcmp(a.p, op.name.p, n);
			if (order == 0 && a.len == op.name.len) {
				script_error(L, "one header is set twice");
			}
			if (order < 0 || (order == 0 && a.len < op.name.len)) {
				break;
			}
			d->ops[k] = d->ops[k - 1];
		}
		d->ops[k] = op;
	}
}

static void
take_drop_headers(lua_State *L, int t, struct verdict_draft *d)
{
	if (lua_getfield(L, t, "drop_headers") != LUA_TNIL) {
		if (!lua_istable(L, -1)) {
			script_error(L, "drop_headers must be a list of names");
		}
		lua_Integer n = frozen_len(L, -1);
		for (lua_Integer i = 1; i <= n; i++) {
			lua_geti(L, -1, i);
			add_op(L, d, string_at(L, -1, "the name of a header"), NULL);
			lua_pop(L, 1);
		}
	}
	lua_pop(L, 1);
}

static void
take_allow(lua_State *L, int value, struct verdict_draft *d)
{
	static const char *const keys[] = {
	    "set_headers", "drop_headers", "max_request_bytes", "max_response_bytes", NULL};
	if (lua_getiuservalue(L, value, 1) != LUA_TTABLE) {
		lua_pop(L, 1);
		return;
	}
	int t = lua_gettop(L);
	uint64_t n;
	refuse_other_keys(L, t, keys);
	take_set_headers(L, t, d);
	take_drop_headers(L, t, d);
	if (number_field(L, t, "max_request_bytes", INT64_MAX, &n) && n < d->max_request_bytes) {
		d->max_request_bytes = n;
	}
	if (number_field(L, t, "max_response_bytes", INT64_MAX, &n) && n < d->max_response_bytes) {
		d->max_response_bytes = n;
	}
	lua_pop(L, 1);
}

static void
take_reason(lua_State *L, struct verdict_draft *d)
{
	struct str word = string_at(L, -1, "reason");
	bool good = word.len > 0 && word.len <= DRAFT_WORD_MAX;
	for (size_t i = 0; good && i < word.len; i++) {
		char c = word.p[i];
		good = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
	}
	if (!good || str_starts(word, STR_LIT("policy_"))) {
		script_error(
		    L, "reason must be a word of a-z, 0-9 and _ that does not begin with policy_");
	}
	memcpy(d->reason, word.p, word.len);
	d->reason[word.len] = '\0';
}

static void
take_deny(lua_State *L, int value, struct verdict_draft *d)
{
	static const char *const keys[] = {"retry_after", "remedy", "reason", NULL};
	lua_getiuservalue(L, value, 1);
	draft_deny(d, "policy_denied", string_at(L, -1, "the reason of a deny"));
	if (lua_getiuservalue(L, value, 2) == LUA_TTABLE) {
		int t = lua_gettop(L);
		uint64_t seconds = 0;
		refuse_other_keys(L, t, keys);
		if (number_field(L, t, "retry_after", 366u * 86400u, &seconds)) {
			d->retry_after = (uint32_t)seconds;
		}
		if (lua_getfield(L, t, "remedy") != LUA_TNIL) {
			draft_copy_text(d->remedy, DRAFT_REMEDY_MAX, string_at(L, -1, "remedy"));
		}
		if (lua_getfield(L, t, "reason") != LUA_TNIL) {
			take_reason(L, d);
		}
	}
}

void
verdict_take(lua_State *L, int index, struct verdict_draft *d)
{
	index = lua_absindex(L, index);
	int top = lua_gettop(L);
	bool ours = false;
	if (lua_type(L, index) == LUA_TUSERDATA && lua_getmetatable(L, index)) {
		lua_rawgetp(L, LUA_REGISTRYINDEX, &value_key);
		ours = lua_rawequal(L, -1, -2);
	}
	lua_settop(L, top);
	if (!ours) {
		script_error(L, "a check must answer allow() or deny(), not a %s",
		    lua_typename(L, lua_type(L, index)));
	}
	const struct verdict_value *v = lua_touserdata(L, index);
	if (v->serial != sandbox_of(L)->serial) {
		script_error(L, "the answer was made in another call");
	}
	if (v->kind == VERDICT_ALLOW) {
		take_allow(L, index, d);
	} else {
		take_deny(L, index, d);
	}
	d->kind = v->kind;
	lua_settop(L, top);
}
