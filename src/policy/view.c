/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/view.h"

#include "http/target.h"
#include "policy/lib.h"
#include "policy/sandbox.h"
#include "policy/script.h"

static const char metatable_key;

enum view_part { PART_REQUEST, PART_QUERY, PART_HEADERS, PART_CALLER };

struct view_value {
	uint64_t serial;
	enum view_part part;
};

typedef void (*view_field)(lua_State *L, const struct call *c);

static void
push_part(lua_State *L, enum view_part part, int values)
{
	struct view_value *v = lua_newuserdatauv(L, sizeof(*v), values);
	v->serial = sandbox_of(L)->serial;
	v->part = part;
	lua_rawgetp(L, LUA_REGISTRYINDEX, &metatable_key);
	lua_setmetatable(L, -2);
}

void
view_push(lua_State *L)
{
	push_part(L, PART_REQUEST, 1); /* the value holds the parsed body */
}

static void
request_capability(lua_State *L, const struct call *c)
{
	push_str(L, c->ask->capability);
}

static void
request_credential(lua_State *L, const struct call *c)
{
	push_str(L, c->ask->credential);
}

static void
request_method(lua_State *L, const struct call *c)
{
	push_str(L, c->ask->method);
}

static void
request_host(lua_State *L, const struct call *c)
{
	push_str(L, c->ask->host);
}

static void
request_path(lua_State *L, const struct call *c)
{
	push_str(L, c->ask->path);
}

static void
request_query(lua_State *L, const struct call *c)
{
	(void)c;
	push_part(L, PART_QUERY, 0);
}

static void
request_headers(lua_State *L, const struct call *c)
{
	(void)c;
	push_part(L, PART_HEADERS, 0);
}

static void
request_caller(lua_State *L, const struct call *c)
{
	(void)c;
	push_part(L, PART_CALLER, 0);
}

static void
request_body_size(lua_State *L, const struct call *c)
{
	if (c->ask->body_size > (uint64_t)LUA_MAXINTEGER) {
		lua_pushnil(L); /* not known before it was sent */
	} else {
		lua_pushinteger(L, (lua_Integer)c->ask->body_size);
	}
}

static void
request_workspace(lua_State *L, const struct call *c)
{
	lua_pushstring(L, c->ask->caller.workspace);
}

static void
request_group(lua_State *L, const struct call *c)
{
	lua_pushstring(L, c->ask->caller.group);
}

static void
request_now(lua_State *L, const struct call *c)
{
	lua_pushinteger(L, c->ask->now_ms);
}

/* I5: a body that a check reads must mean one thing only. */
static void
need_body(lua_State *L, const struct call *c, enum inspect want, const char *field)
{
	if (c->capability == NULL || c->capability->inspect != want) {
		script_error(L, "req.%s: the capability does not say inspect = \"%s\"", field,
		    want == INSPECT_JSON ? "json" : "text");
	}
	for (size_t i = 0; i < c->ask->header_count; i++) {
		const struct header *h = &c->ask->headers[i];
		if (str_ieq_cstr(h->name, "content-encoding") &&
		    !str_ieq_cstr(h->value, "identity")) {
			script_error(L, "req.%s: the body has a content encoding", field);
		}
	}
	if (!c->ask->has_body && c->ask->body_size != 0) {
		script_error(L, "req.%s: the body is not here", field);
	}
	if (c->ask->body_size != UINT64_MAX && c->ask->has_body &&
	    c->ask->body_size != c->body.len) {
		script_error(L, "req.%s: the body is not whole", field);
	}
}

static void
request_body(lua_State *L, const struct call *c)
{
	need_body(L, c, INSPECT_TEXT, "body");
	sandbox_tick(L, c->body.len);
	if (!str_is_utf8(c->body)) {
		script_error(L, "req.body: the body is not UTF-8");
	}
	push_str(L, c->body);
}

/* Parsed once a check, so that no check sees what another has made of it. */
static void
request_json(lua_State *L, const struct call *c)
{
	need_body(L, c, INSPECT_JSON, "json");
	if (lua_getiuservalue(L, 1, 1) != LUA_TNIL) {
		return;
	}
	lua_pop(L, 1);
	if (c->body.len == 0) {
		lua_pushnil(L);
		return;
	}
	json_push(L, c->body);
	lua_pushvalue(L, -1);
	lua_setiuservalue(L, 1, 1);
}

static void
caller_uid(lua_State *L, const struct call *c)
{
	lua_pushinteger(L, c->ask->caller.uid);
}

static void
caller_gid(lua_State *L, const struct call *c)
{
	lua_pushinteger(L, c->ask->caller.gid);
}

static void
caller_pid(lua_State *L, const struct call *c)
{
	lua_pushinteger(L, c->ask->caller.pid);
}

static void
caller_name(lua_State *L, const struct call *c)
{
	lua_pushstring(L, c->ask->caller.name);
}

static void
caller_program(lua_State *L, const struct call *c)
{
	lua_pushstring(L, c->ask->caller.program);
}

/* The token's name, or nil for a caller known by its user. */
static void
caller_token(lua_State *L, const struct call *c)
{
	struct str name = str_of(c->ask->caller.name), prefix = STR_LIT("token:");
	if (!str_starts(name, prefix)) {
		lua_pushnil(L);
		return;
	}
	push_str(L, (struct str){name.p + prefix.len, name.len - prefix.len});
}

static void
push_query_value(lua_State *L, struct sandbox *s, const struct call *c, struct str want)
{
	size_t pos = 0;
	int found = 0;
	struct str name, value;
	lua_pushnil(L);
	sandbox_tick(L, c->ask->query.len);
	while (query_next(c->ask->query, &pos, &s->scratch, &name, &value)) {
		if (!str_eq(name, want)) {
			continue;
		}
		if (++found > 1) {
			script_error(L, "req.query: a name is given more than once");
		}
		lua_pop(L, 1);
		push_str(L, value);
	}
}

static void
push_header_value(lua_State *L, const struct call *c, struct str want)
{
	const struct header *found = NULL;
	for (size_t i = 0; i < c->ask->header_count; i++) {
		const struct header *h = &c->ask->headers[i];
		if (!str_ieq(h->name, want)) {
			continue;
		}
		if (found != NULL) {
			script_error(L, "req.headers: a name is given more than once");
		}
		found = h;
	}
	if (found == NULL) {
		lua_pushnil(L);
	} else {
		push_str(L, found->value);
	}
}

/* Upvalue 1 maps the names of req's fields to functions, upvalue 2 those of req.caller. */
static void
push_field(lua_State *L, const struct call *c, int fields, const char *what)
{
	lua_pushvalue(L, 2);
	if (lua_rawget(L, lua_upvalueindex(fields)) != LUA_TLIGHTUSERDATA) {
		script_error(L, "%s has no field '%s'", what,
		    lua_type(L, 2) == LUA_TSTRING ? lua_tostring(L, 2) : "?");
	}
	const view_field *f = lua_touserdata(L, -1);
	lua_pop(L, 1);
	(*f)(L, c);
}

static int
view_index(lua_State *L)
{
	struct sandbox *s = sandbox_of(L);
	const struct view_value *v = lua_touserdata(L, 1);
	if (s->call == NULL || v->serial != s->serial) {
		script_error(L, "req of an earlier call cannot be read");
	}
	switch (v->part) {
	case PART_REQUEST:
		push_field(L, s->call, 1, "req");
		break;
	case PART_CALLER:
		push_field(L, s->call, 2, "req.caller");
		break;
	case PART_QUERY:
		push_query_value(L, s, s->call, arg_str_strict(L, 2));
		break;
	case PART_HEADERS:
		push_header_value(L, s->call, arg_str_strict(L, 2));
		break;
	}
	return 1;
}

static int
view_newindex(lua_State *L)
{
	script_error(L, "req is read-only");
	return 0;
}

struct field {
	const char *name;
	view_field push;
};

static void
push_fields(lua_State *L, const struct field *fields, size_t count)
{
	lua_createtable(L, 0, (int)count);
	for (size_t i = 0; i < count; i++) {
		/* The table is only read through view_index(): the const is kept. */
		lua_pushlightuserdata(L, (void *)(uintptr_t)&fields[i].push);
		lua_setfield(L, -2, fields[i].name);
	}
}

void
view_open(lua_State *L)
{
	static const struct field request[] = {
	    {"body", request_body},
	    {"body_size", request_body_size},
	    {"caller", request_caller},
	    {"capability", request_capability},
	    {"credential", request_credential},
	    {"group", request_group},
	    {"headers", request_headers},
	    {"host", request_host},
	    {"json", request_json},
	    {"method", request_method},
	    {"now", request_now},
	    {"path", request_path},
	    {"query", request_query},
	    {"workspace", request_workspace},
	};
	static const struct field caller[] = {
	    {"gid", caller_gid},
	    {"name", caller_name},
	    {"pid", caller_pid},
	    {"program", caller_program},
	    {"token", caller_token},
	    {"uid", caller_uid},
	};
	lua_createtable(L, 0, 3);
	push_fields(L, request, LIB_ARRAY_LEN(request));
	push_fields(L, caller, LIB_ARRAY_LEN(caller));
	lua_pushcclosure(L, view_index, 2);
	lua_setfield(L, -2, "__index");
	lua_pushcfunction(L, view_newindex);
	lua_setfield(L, -2, "__newindex");
	lua_pushboolean(L, 0);
	lua_setfield(L, -2, "__metatable");
	lua_rawsetp(L, LUA_REGISTRYINDEX, &metatable_key);
}
