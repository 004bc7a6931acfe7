/* SPDX-License-Identifier: Apache-2.0 */
/* What a manifest is made of. Its wire form is in manifest_codec.c, its rules in manifest_check.c. */
#include "reach/manifest.h"

#include "reach/host.h"

#include <stdlib.h>

static const char *const auth_names[AUTH_KIND_COUNT] = {
    [AUTH_NONE] = "none",
    [AUTH_HEADER] = "header",
    [AUTH_QUERY] = "query",
    [AUTH_PATH] = "path",
    [AUTH_BASIC] = "basic",
    [AUTH_MULTI_HEADER] = "multi-header",
    [AUTH_MULTI_QUERY] = "multi-query",
    [AUTH_OAUTH2] = "oauth2",
    [AUTH_AWS_SIGV4] = "aws-sigv4",
    [AUTH_HMAC] = "hmac",
    [AUTH_MTLS] = "mtls",
};

const char *
auth_kind_name(enum auth_kind k)
{
	return (unsigned)k < AUTH_KIND_COUNT ? auth_names[k] : "unknown";
}

bool
auth_kind_of(struct str name, enum auth_kind *out)
{
	for (unsigned k = 0; k < AUTH_KIND_COUNT; k++) {
		if (!str_eq_cstr(name, auth_names[k]))
			continue;
		*out = (enum auth_kind)k;
		return true;
	}
	return false;
}

struct manifest *
manifest_new(void)
{
	return calloc(1, sizeof(struct manifest));
}

static void
alternative_clear(struct alternative *a)
{
	free(a->id);
	auth_desc_clear(&a->auth);
	string_list_clear(&a->hosts);
	pair_list_clear(&a->secrets);
	string_list_clear(&a->capabilities);
	free(a->path_prefix);
	*a = (struct alternative){0};
}

void
manifest_free(struct manifest *m)
{
	if (m == NULL)
		return;
	free(m->provider);
	pair_list_clear(&m->secrets);
	auth_desc_clear(&m->auth);
	string_list_clear(&m->hosts);
	for (size_t i = 0; i < m->capability_count; i++)
		capability_clear(&m->capabilities[i]);
	free(m->capabilities);
	for (size_t i = 0; i < m->alternative_count; i++)
		alternative_clear(&m->alternatives[i]);
	free(m->alternatives);
	free(m);
}

/* str_dup() fails alike for no memory and for a NUL inside. */
static enum av_err
dup_error(struct str s)
{
	for (size_t i = 0; i < s.len; i++)
		if (s.p[i] == '\0')
			return AV_EFORMAT;
	return AV_ENOMEM;
}

enum av_err
string_list_add(struct string_list *l, struct str s)
{
	char *copy = str_dup(s);
	char **items;

	if (copy == NULL)
		return dup_error(s);
	items = realloc(l->items, (l->count + 1) * sizeof(*items));
	if (items == NULL) {
		free(copy);
		return AV_ENOMEM;
	}
	l->items = items;
	l->items[l->count++] = copy;
	return AV_OK;
}

enum av_err
pair_list_add(struct pair_list *l, struct str name, struct str value)
{
	struct pair p = {str_dup(name), str_dup(value)};
	enum av_err e = AV_OK;
	struct pair *items;

	if (p.name == NULL)
		e = dup_error(name);
	else if (p.value == NULL)
		e = dup_error(value);
	if (e != AV_OK)
		goto out;
	e = AV_ENOMEM;
	items = realloc(l->items, (l->count + 1) * sizeof(*items));
	if (items == NULL)
		goto out;
	l->items = items;
	l->items[l->count++] = p;
	return AV_OK;
out:
	free(p.name);
	free(p.value);
	return e;
}

bool
string_list_has(const struct string_list *l, struct str s)
{
	for (size_t i = 0; i < l->count; i++)
		if (str_eq_cstr(s, l->items[i]))
			return true;
	return false;
}

void
string_list_clear(struct string_list *l)
{
	for (size_t i = 0; i < l->count; i++)
		free(l->items[i]);
	free(l->items);
	*l = (struct string_list){0};
}

void
pair_list_clear(struct pair_list *l)
{
	for (size_t i = 0; i < l->count; i++) {
		free(l->items[i].name);
		free(l->items[i].value);
	}
	free(l->items);
	*l = (struct pair_list){0};
}

void
auth_desc_clear(struct auth_desc *a)
{
	pair_list_clear(&a->pairs);
	a->kind = AUTH_NONE;
}

void
capability_clear(struct capability *c)
{
	free(c->id);
	free(c->about);
	string_list_clear(&c->hosts);
	string_list_clear(&c->methods);
	string_list_clear(&c->paths);
	*c = (struct capability){0};
}

const struct capability *
manifest_capability(const struct manifest *m, struct str id)
{
	for (size_t i = 0; i < m->capability_count; i++)
		if (str_eq_cstr(id, m->capabilities[i].id))
			return &m->capabilities[i];
	return NULL;
}

bool
hosts_meet(const struct string_list *a, const struct string_list *b)
{
	for (size_t i = 0; i < a->count; i++)
		for (size_t j = 0; j < b->count; j++)
			if (host_matches(str_of(a->items[i]), str_of(b->items[j])) ||
			    host_matches(str_of(b->items[j]), str_of(a->items[i])))
				return true;
	return false;
}

const struct pair_list *
manifest_secrets_for(const struct manifest *m, const struct capability *c)
{
	if (hosts_meet(&m->hosts, &c->hosts))
		return &m->secrets;
	for (size_t i = 0; i < m->alternative_count; i++) {
		const struct alternative *a = &m->alternatives[i];
		if ((a->capabilities.count == 0 ||
		        string_list_has(&a->capabilities, str_of(c->id))) &&
		    hosts_meet(&a->hosts, &c->hosts))
			return &a->secrets;
	}
	return NULL;
}
