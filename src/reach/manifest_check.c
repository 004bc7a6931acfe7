/* SPDX-License-Identifier: Apache-2.0 */
/* The rules on manifests and capabilities (manifest.h). */
#include "reach/manifest.h"

#include "http/method.h"
#include "http/target.h"
#include "reach/host.h"
#include "reach/template.h"

#include <string.h>

#define REMEDY "mend the provider's script"
#define NAME_MAX_LEN 64u

static enum av_err
refuse(struct fault *f, const char *reason, const char *owner, const char *what)
{
	return fault_set(f, AV_EINVAL, reason, REMEDY, "%s: %s", owner, what);
}

static enum av_err
over(struct fault *f, const char *owner, const char *what, unsigned max)
{
	return fault_set(
	    f, AV_ELIMIT, "manifest_too_many", REMEDY, "%s: over %u %s", owner, max, what);
}

/* [a-z0-9][a-z0-9-]* */
static bool
name_is_valid(struct str s)
{
	for (size_t i = 0; i < s.len; i++) {
		char c = s.p[i];
		if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || (c == '-' && i > 0)))
			return false;
	}
	return s.len > 0 && s.len <= NAME_MAX_LEN;
}

/* A name in the vault: [A-Za-z0-9_][A-Za-z0-9_.-]* */
static bool
secret_name_is_valid(struct str s)
{
	for (size_t i = 0; i < s.len; i++) {
		char c = s.p[i];
		if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
		    c == '_' || (i > 0 && (c == '.' || c == '-')))
			continue;
		return false;
	}
	return s.len > 0 && s.len <= 128;
}

static bool
is_repeated(const struct string_list *l, size_t i)
{
	struct string_list before = {l->items, i};

	return string_list_has(&before, str_of(l->items[i]));
}

static enum av_err
hosts_check(const struct string_list *hosts, const char *owner, struct fault *f)
{
	if (hosts->count == 0)
		return refuse(f, "manifest_no_host", owner, "no host");
	if (hosts->count > MANIFEST_MAX_HOSTS)
		return over(f, owner, "hosts", MANIFEST_MAX_HOSTS);
	for (size_t i = 0; i < hosts->count; i++) {
		struct str name;
		uint16_t port;
		enum av_err e = host_parse(str_of(hosts->items[i]), true, &name, &port, f);
		if (e != AV_OK)
			return e;
		if (is_repeated(hosts, i))
			return refuse(f, "manifest_twice", owner, "a host twice");
	}
	return AV_OK;
}

static enum av_err
path_check(struct str path, bool opaque_slash, const char *owner, struct fault *f)
{
	struct target t;
	enum av_err e;

	if (path.len > MANIFEST_MAX_TEXT)
		return fault_set(f, AV_ELIMIT, "manifest_too_long", REMEDY,
		    "%s: a path over %u bytes", owner, MANIFEST_MAX_TEXT);
	target_init(&t);
	e = target_parse(&t, path, opaque_slash, f);
	if (e == AV_OK &&
	    (t.has_query || !str_eq(path, (struct str){(const char *)t.path.data, t.path.len})))
		e = refuse(f, "manifest_bad_path", owner, "a path that is not in canonical form");
	target_clear(&t);
	return e;
}

enum av_err
capability_validate(const struct capability *c, struct fault *f)
{
	const char *id = c->id != NULL ? c->id : "";
	enum av_err e;

	if (!id_is_valid(str_of(id)))
		return fault_set(f, AV_EINVAL, "manifest_bad_id", REMEDY,
		    "the capability id \"%.64s\" is malformed", id);
	if (str_of(c->about).len > MANIFEST_MAX_TEXT || !str_is_utf8(str_of(c->about)))
		return refuse(f, "manifest_bad_about", id, "`about` is too long or not UTF-8");
	e = hosts_check(&c->hosts, id, f);
	if (e != AV_OK)
		return e;
	if (c->methods.count == 0)
		return refuse(f, "manifest_no_method", id, "no method");
	if (c->methods.count > MANIFEST_MAX_METHODS)
		return over(f, id, "methods", MANIFEST_MAX_METHODS);
	for (size_t i = 0; i < c->methods.count; i++) {
		if (!method_is_known(str_of(c->methods.items[i])))
			return refuse(f, "manifest_bad_method", id, "an unknown method");
		if (is_repeated(&c->methods, i))
			return refuse(f, "manifest_twice", id, "a method twice");
	}
	if (c->paths.count == 0)
		return refuse(f, "manifest_no_path", id, "no path");
	if (c->paths.count > MANIFEST_MAX_PATHS)
		return over(f, id, "paths", MANIFEST_MAX_PATHS);
	for (size_t i = 0; i < c->paths.count; i++) {
		e = path_check(str_of(c->paths.items[i]), c->opaque_slash, id, f);
		if (e != AV_OK)
			return e;
		if (is_repeated(&c->paths, i))
			return refuse(f, "manifest_twice", id, "a path twice");
	}
	if ((unsigned)c->inspect > INSPECT_TEXT)
		return refuse(f, "manifest_bad_inspect", id, "an unknown `inspect`");
	if (c->http == 2)
		return refuse(f, "manifest_http2", id,
		    "`http` is 2: HTTP/2 to an upstream is not in this version");
	if (c->http != 1)
		return refuse(f, "manifest_bad_http", id, "`http` is not 1");
	return AV_OK;
}

static enum av_err
secrets_check(const struct pair_list *secrets, const char *owner, struct fault *f)
{
	if (secrets->count > MANIFEST_MAX_SECRETS)
		return over(f, owner, "secrets", MANIFEST_MAX_SECRETS);
	for (size_t i = 0; i < secrets->count; i++) {
		const struct pair *p = &secrets->items[i];
		if (!secret_name_is_valid(str_of(p->name)))
			return refuse(f, "manifest_bad_secret", owner, "a malformed secret name");
		if (!template_name_is_valid(str_of(p->value)))
			return refuse(
			    f, "manifest_bad_placeholder", owner, "a malformed placeholder");
		for (size_t k = 0; k < i; k++)
			if (strcmp(p->name, secrets->items[k].name) == 0 ||
			    strcmp(p->value, secrets->items[k].value) == 0)
				return refuse(f, "manifest_twice", owner,
				    "a secret name or placeholder twice");
	}
	return AV_OK;
}

/*
 * What a template asks for must be among the secrets. A multi-header or multi-query that has one
 * secret takes its fields from that secret's JSON text, which is not known here.
 */
static enum av_err
placeholders_check(
    const struct auth_desc *a, const struct pair_list *secrets, const char *owner, struct fault *f)
{
	bool multi = a->kind == AUTH_MULTI_HEADER || a->kind == AUTH_MULTI_QUERY;

	if (!multi && a->kind != AUTH_HEADER && a->kind != AUTH_PATH)
		return AV_OK;
	if (secrets->count == 0 || (multi && secrets->count == 1))
		return AV_OK;
	for (size_t i = 0; i < a->pairs.count; i++) {
		struct str name;
		size_t pos = 0;
		while (template_next(str_of(a->pairs.items[i].value), &pos, &name)) {
			bool found = false;
			for (size_t k = 0; k < secrets->count && !found; k++)
				found = str_eq_cstr(name, secrets->items[k].value);
			if (!found)
				return fault_set(f, AV_EINVAL, "manifest_unknown_placeholder",
				    REMEDY, "%s: no secret has the placeholder {{%.*s}}", owner,
				    STR_FMT(name));
		}
	}
	return AV_OK;
}

static enum av_err
grant_check(const struct auth_desc *a, const struct string_list *hosts,
    const struct pair_list *secrets, const char *owner, struct fault *f)
{
	enum av_err e = hosts_check(hosts, owner, f);

	if (e == AV_OK)
		e = secrets_check(secrets, owner, f);
	if (e == AV_OK)
		e = auth_desc_validate(a, f);
	if (e == AV_OK)
		e = placeholders_check(a, secrets, owner, f);
	return e;
}

static enum av_err
alternative_check(const struct manifest *m, size_t index, struct fault *f)
{
	const struct alternative *a = &m->alternatives[index];
	struct str prefix = str_of(a->path_prefix);
	enum av_err e;

	if (!name_is_valid(str_of(a->id)))
		return refuse(f, "manifest_bad_id", m->provider, "a malformed alternative id");
	for (size_t k = 0; k < index; k++)
		if (strcmp(a->id, m->alternatives[k].id) == 0)
			return refuse(f, "manifest_twice", m->provider, "an alternative twice");
	e = grant_check(&a->auth, &a->hosts, &a->secrets, a->id, f);
	if (e != AV_OK)
		return e;
	if (a->capabilities.count > MANIFEST_MAX_CAPABILITIES)
		return over(f, a->id, "capabilities", MANIFEST_MAX_CAPABILITIES);
	for (size_t i = 0; i < a->capabilities.count; i++) {
		if (manifest_capability(m, str_of(a->capabilities.items[i])) == NULL)
			return refuse(f, "manifest_unknown_capability", a->id,
			    "a capability that the provider does not have");
		if (is_repeated(&a->capabilities, i))
			return refuse(f, "manifest_twice", a->id, "a capability twice");
	}
	if (prefix.len == 0)
		return AV_OK;
	if (prefix.p[prefix.len - 1] == '/')
		return refuse(f, "manifest_bad_path", a->id, "a path prefix that ends in '/'");
	return path_check(prefix, false, a->id, f);
}

enum av_err
manifest_validate(const struct manifest *m, struct fault *f)
{
	struct str provider = str_of(m->provider);
	enum av_err e;

	if (!name_is_valid(provider))
		return fault_set(f, AV_EINVAL, "manifest_bad_provider", REMEDY,
		    "the provider's name is not [a-z0-9][a-z0-9-]* of at most %u bytes",
		    NAME_MAX_LEN);
	e = grant_check(&m->auth, &m->hosts, &m->secrets, m->provider, f);
	if (e != AV_OK)
		return e;
	if (m->capability_count > MANIFEST_MAX_CAPABILITIES)
		return over(f, m->provider, "capabilities", MANIFEST_MAX_CAPABILITIES);
	if (m->alternative_count > MANIFEST_MAX_ALTERNATIVES)
		return over(f, m->provider, "alternatives", MANIFEST_MAX_ALTERNATIVES);
	for (size_t i = 0; i < m->capability_count; i++) {
		const struct capability *c = &m->capabilities[i];
		struct str id = str_of(c->id);
		e = capability_validate(c, f);
		if (e != AV_OK)
			return e;
		if (!str_starts(id, provider) || id.len <= provider.len ||
		    id.p[provider.len] != '/')
			return refuse(f, "manifest_bad_id", c->id,
			    "the id does not begin with the provider's name and '/'");
		for (size_t k = 0; k < i; k++)
			if (strcmp(c->id, m->capabilities[k].id) == 0)
				return refuse(f, "manifest_twice", c->id, "the capability twice");
	}
	for (size_t i = 0; i < m->alternative_count; i++) {
		e = alternative_check(m, i, f);
		if (e != AV_OK)
			return e;
	}
	return AV_OK;
}
