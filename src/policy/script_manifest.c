/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/script_manifest.h"

#include "policy/frozen.h"

#include <stdlib.h>
#include <string.h>

static void
check_added(lua_State *L, enum av_err e)
{
	if (e != AV_OK) {
		script_error(L, "a text or a list of the provider: %s", av_err_text(e));
	}
}

/* The vocabulary has checked the types, but a script may have built its table by hand. */
static struct str
text_at(lua_State *L, int index)
{
	if (lua_type(L, index) != LUA_TSTRING) {
		script_error(
		    L, "a %s stands where a text belongs", lua_typename(L, lua_type(L, index)));
	}
	struct str s;
	s.p = lua_tolstring(L, index, &s.len);
	return s;
}

static struct str
field_str(lua_State *L, int t, const char *name)
{
	lua_getfield(L, t, name);
	struct str s = {"", 0};
	if (lua_type(L, -1) == LUA_TSTRING) {
		s.p = lua_tolstring(L, -1, &s.len);
	}
	lua_pop(L, 1); /* the table still holds it */
	return s;
}

static char *
dup_text(lua_State *L, struct str s)
{
	char *p = str_dup(s);
	if (p == NULL) {
		script_error(L, "a text of the provider holds a NUL byte, or there is no memory");
	}
	return p;
}

static char *
field_dup(lua_State *L, int t, const char *name)
{
	return dup_text(L, field_str(L, t, name));
}

static char *
qualified_name(lua_State *L, struct str provider, struct str name)
{
	lua_pushlstring(L, provider.p, provider.len);
	lua_pushliteral(L, "/");
	lua_pushlstring(L, name.p, name.len);
	lua_concat(L, 3);
	char *p = dup_text(L, text_at(L, -1));
	lua_pop(L, 1);
	return p;
}

static void
read_list(lua_State *L, int t, const char *name, struct string_list *out)
{
	lua_getfield(L, t, name);
	lua_Integer n = frozen_len(L, -1);
	for (lua_Integer i = 1; i <= n; i++) {
		lua_geti(L, -1, i);
		check_added(L, string_list_add(out, text_at(L, -1)));
		lua_pop(L, 1);
	}
	lua_pop(L, 1);
}

static int
compare_pairs(const void *a, const void *b)
{
	return strcmp(((const struct pair *)a)->name, ((const struct pair *)b)->name);
}

static void
read_map(lua_State *L, int t, const char *name, struct pair_list *out)
{
	lua_getfield(L, t, name);
	frozen_push_content(L, -1);
	lua_pushnil(L);
	while (lua_next(L, -2)) {
		check_added(L, pair_list_add(out, text_at(L, -2), text_at(L, -1)));
		lua_pop(L, 1);
	}
	lua_pop(L, 2);
	if (out->count > 1) {
		qsort(out->items, out->count, sizeof(out->items[0]), compare_pairs);
	}
}

static void
read_auth(lua_State *L, int t, struct auth_desc *out)
{
	lua_getfield(L, t, "auth");
	int a = lua_gettop(L);
	struct str kind = field_str(L, a, "type");
	if (!auth_kind_of(kind, &out->kind)) {
		script_error(L, "auth of kind '%s' is not known", kind.p);
	}
	lua_getfield(L, a, "pairs");
	lua_Integer n = frozen_len(L, -1);
	for (lua_Integer i = 1; i <= n; i++) {
		lua_geti(L, -1, i);
		lua_geti(L, -1, 1);
		lua_geti(L, -2, 2);
		check_added(L, pair_list_add(&out->pairs, text_at(L, -2), text_at(L, -1)));
		lua_pop(L, 3);
	}
	lua_settop(L, a - 1);
}

static bool
field_bool(lua_State *L, int t, const char *name)
{
	lua_getfield(L, t, name);
	bool b = lua_toboolean(L, -1);
	lua_pop(L, 1);
	return b;
}

static lua_Integer
field_int(lua_State *L, int t, const char *name)
{
	lua_getfield(L, t, name);
	lua_Integer i = lua_tointegerx(L, -1, NULL);
	lua_pop(L, 1);
	return i;
}

static void
read_capability(lua_State *L, int t, const struct manifest *m, struct capability *c)
{
	c->id = qualified_name(L, str_of(m->provider), field_str(L, t, "name"));
	c->about = field_dup(L, t, "about");
	read_list(L, t, "methods", &c->methods);
	read_list(L, t, "paths", &c->paths);
	if (lua_getfield(L, t, "hosts") == LUA_TTABLE) {
		read_list(L, t, "hosts", &c->hosts);
	} else {
		for (size_t i = 0; i < m->hosts.count; i++) {
			check_added(L, string_list_add(&c->hosts, str_of(m->hosts.items[i])));
		}
	}
	lua_pop(L, 1);
	struct str inspect = field_str(L, t, "inspect");
	c->inspect = str_eq_cstr(inspect, "json") ? INSPECT_JSON
	    : str_eq_cstr(inspect, "text")        ? INSPECT_TEXT
	                                          : INSPECT_NONE;
	c->opaque_slash = field_bool(L, t, "opaque_slash");
	c->http = (uint8_t)field_int(L, t, "http");
	lua_getfield(L, t, "policies");
	c->has_check = field_bool(L, t, "check") || frozen_len(L, -1) > 0;
	lua_pop(L, 1);
}

static void
read_alternative(lua_State *L, int t, const struct manifest *m, struct alternative *a)
{
	a->id = field_dup(L, t, "name");
	read_auth(L, t, &a->auth);
	read_list(L, t, "hosts", &a->hosts);
	read_map(L, t, "secrets", &a->secrets);
	a->priority = (uint32_t)field_int(L, t, "priority");
	a->path_prefix = field_dup(L, t, "path_prefix");
	lua_getfield(L, t, "capabilities");
	lua_Integer n = frozen_len(L, -1);
	for (lua_Integer i = 1; i <= n; i++) {
		lua_geti(L, -1, i);
		/* "<provider>/<name>", joined on the stack: nothing here is lost when adding raises. */
		lua_pushfstring(L, "%s/%s", m->provider, text_at(L, -1).p);
		check_added(L, string_list_add(&a->capabilities, str_of(lua_tostring(L, -1))));
		lua_pop(L, 2);
	}
	lua_pop(L, 1);
}

/* The rows are made zeroed and counted first, so that manifest_free() finds whatever was read. */
static void *
rows_of(lua_State *L, int list, size_t max, size_t size, size_t *count, const char *what)
{
	lua_Integer n = frozen_len(L, list);
	if ((size_t)n > max) {
		script_error(L, "more than %d %s", (int)max, what);
	}
	void *rows = n > 0 ? calloc((size_t)n, size) : NULL;
	if (n > 0 && rows == NULL) {
		script_error(L, "out of memory");
	}
	*count = (size_t)n;
	return rows;
}

void
script_manifest_read(lua_State *L, int index, const char *path, struct manifest *m)
{
	int t = lua_absindex(L, index);
	need_stack(L, 20);
	m->provider = field_dup(L, t, "name");
	read_map(L, t, "secrets", &m->secrets);
	read_auth(L, t, &m->auth);
	read_list(L, t, "hosts", &m->hosts);
	lua_getfield(L, t, "capabilities");
	m->capabilities = rows_of(L, -1, MANIFEST_MAX_CAPABILITIES, sizeof(m->capabilities[0]),
	    &m->capability_count, "capabilities");
	for (size_t i = 0; i < m->capability_count; i++) {
		lua_geti(L, -1, (lua_Integer)i + 1);
		read_capability(L, lua_gettop(L), m, &m->capabilities[i]);
		lua_pop(L, 1);
	}
	lua_pop(L, 1);
	lua_getfield(L, t, "alternatives");
	m->alternatives = rows_of(L, -1, MANIFEST_MAX_ALTERNATIVES, sizeof(m->alternatives[0]),
	    &m->alternative_count, "alternatives");
	for (size_t i = 0; i < m->alternative_count; i++) {
		lua_geti(L, -1, (lua_Integer)i + 1);
		read_alternative(L, lua_gettop(L), m, &m->alternatives[i]);
		lua_pop(L, 1);
	}
	lua_pop(L, 1);
	struct fault f = {0};
	if (manifest_validate(m, &f) != AV_OK) {
		lua_pushfstring(L, "%s:%d: %s", path, (int)field_int(L, t, "line"), f.message);
		lua_error(L);
	}
}
