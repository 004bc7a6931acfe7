/* SPDX-License-Identifier: Apache-2.0 */
/* The rules on auth descriptions (manifest.h). */
#include "reach/manifest.h"

#include "http/header_list.h"
#include "http/target.h"
#include "reach/host.h"
#include "reach/template.h"

#define REMEDY "See `aivault help credential create` and docs/POLICY-API.md, \"auth\""

static enum av_err
refuse(struct fault *f, const char *reason, const char *what)
{
	return fault_set(f, AV_EINVAL, reason, REMEDY, "the auth description %s", what);
}

static enum av_err
header_check(struct str name, struct fault *f)
{
	if (name.len > MANIFEST_MAX_NAME)
		return refuse(f, "auth_name_too_long", "names a header of over 256 bytes");
	if (!header_name_is_valid(name))
		return refuse(f, "auth_bad_header_name", "names a header that is no token");
	if (header_is_reserved(name))
		return refuse(f, "auth_reserved_header", "names a reserved header");
	return AV_OK;
}

/* `only`: the one placeholder that may stand in it, or NULL for any. */
static enum av_err
template_check(struct str text, const char *only, size_t max, struct fault *f)
{
	struct str name;
	size_t pos = 0, n = 0;

	if (text.len > MANIFEST_MAX_TEXT || !header_value_is_valid(text))
		return refuse(
		    f, "auth_bad_template", "has a template with control bytes or over 1024 bytes");
	if (!template_is_valid(text))
		return refuse(
		    f, "auth_bad_template", "has a template with a malformed {{placeholder}}");
	while (template_next(text, &pos, &name)) {
		n++;
		if (only != NULL && !str_eq_cstr(name, only))
			return fault_set(f, AV_EINVAL, "auth_bad_placeholder", REMEDY,
			    "the template may hold {{%s}} only", only);
	}
	if (n == 0)
		return refuse(f, "auth_no_placeholder", "has a template without a {{placeholder}}");
	if (n > max)
		return refuse(
		    f, "auth_bad_placeholder", "has a template with too many placeholders");
	return AV_OK;
}

static enum av_err
parameter_check(struct str name, struct fault *f)
{
	if (name.len > MANIFEST_MAX_NAME)
		return refuse(f, "auth_name_too_long", "names a parameter of over 256 bytes");
	for (size_t i = 0; i < name.len; i++) {
		char c = name.p[i];
		if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
		    c == '-' || c == '.' || c == '_' || c == '~')
			continue;
		return refuse(f, "auth_bad_parameter",
		    "names a query parameter with bytes outside A-Z a-z 0-9 - . _ ~");
	}
	return name.len == 0 ? refuse(f, "auth_bad_parameter", "names no query parameter") : AV_OK;
}

static enum av_err
path_template_check(struct str text, struct fault *f)
{
	static const char mark[] = "{{secret}}";
	const size_t mark_len = sizeof(mark) - 1;
	enum av_err e = template_check(text, "secret", 1, f);
	struct target t;
	struct buf plain;
	bool same;

	if (e != AV_OK)
		return e;
	/* With a letter in the secret's place it must be a canonical path. */
	target_init(&t);
	buf_init(&plain, MANIFEST_MAX_TEXT);
	for (size_t i = 0; i < text.len; i++) {
		struct str rest = {text.p + i, text.len - i};
		if (str_starts(rest, STR_LIT("{{secret}}"))) {
			(void)buf_append_byte(&plain, 'x');
			i += mark_len - 1;
		} else {
			(void)buf_append_byte(&plain, (uint8_t)text.p[i]);
		}
	}
	e = buf_err(&plain);
	if (e != AV_OK)
		goto out;
	struct str raw = {(const char *)plain.data, plain.len};
	e = target_parse(&t, raw, false, NULL);
	same = e == AV_OK && !t.has_query &&
	    str_eq(raw, (struct str){(const char *)t.path.data, t.path.len});
	if (!same)
		e = refuse(f, "auth_bad_template", "has a path template that is no canonical path");
out:
	buf_clear(&plain);
	target_clear(&t);
	return e;
}

static enum av_err
multi_check(const struct auth_desc *a, bool header, struct fault *f)
{
	if (a->pairs.count == 0)
		return refuse(f, "auth_bad_shape", "has no pair");
	for (size_t i = 0; i < a->pairs.count; i++) {
		struct str name = str_of(a->pairs.items[i].name);
		enum av_err e = header ? header_check(name, f) : parameter_check(name, f);
		if (e == AV_OK)
			e = template_check(str_of(a->pairs.items[i].value), NULL, SIZE_MAX, f);
		if (e != AV_OK)
			return e;
		for (size_t k = 0; k < i; k++) {
			struct str other = str_of(a->pairs.items[k].name);
			if (header ? str_ieq(name, other) : str_eq(name, other))
				return refuse(
				    f, "auth_name_twice", "names a header or parameter twice");
		}
	}
	return AV_OK;
}

/* The value of a named pair, or an empty string. */
static struct str
setting(const struct auth_desc *a, const char *name)
{
	for (size_t i = 0; i < a->pairs.count; i++)
		if (str_eq_cstr(str_of(name), a->pairs.items[i].name))
			return str_of(a->pairs.items[i].value);
	return (struct str){0};
}

/* Every pair is one of `known`, none twice; the first `needed` of them have a value. */
static enum av_err
settings_check(
    const struct auth_desc *a, const char *const *known, size_t n, size_t needed, struct fault *f)
{
	for (size_t i = 0; i < a->pairs.count; i++) {
		struct str name = str_of(a->pairs.items[i].name);
		bool found = false;
		for (size_t k = 0; k < n; k++)
			found = found || str_eq_cstr(name, known[k]);
		if (!found)
			return refuse(f, "auth_unknown_setting", "has an unknown setting");
		for (size_t k = 0; k < i; k++)
			if (str_eq_cstr(name, a->pairs.items[k].name))
				return refuse(f, "auth_name_twice", "has a setting twice");
		if (!header_value_is_valid(str_of(a->pairs.items[i].value)))
			return refuse(f, "auth_bad_setting", "has a control byte in a setting");
	}
	for (size_t k = 0; k < needed; k++)
		if (setting(a, known[k]).len == 0)
			return fault_set(f, AV_EINVAL, "auth_missing_setting", REMEDY,
			    "the auth description needs `%s`", known[k]);
	return AV_OK;
}

static enum av_err
oauth2_check(const struct auth_desc *a, struct fault *f)
{
	static const char *const known[] = {"grant", "token_endpoint", "scopes"};
	static const struct str scheme = {"https://", 8};
	enum av_err e = settings_check(a, known, 3, 2, f);
	struct str url, grant, host, path, name;
	struct target t;
	uint16_t port;

	if (e != AV_OK)
		return e;
	grant = setting(a, "grant");
	if (!str_eq_cstr(grant, "refresh_token") && !str_eq_cstr(grant, "client_credentials"))
		return refuse(f, "auth_bad_setting", "has an unknown grant");
	url = setting(a, "token_endpoint");
	if (!str_starts(url, scheme))
		return refuse(f, "auth_bad_endpoint", "has a token endpoint without https://");
	url = (struct str){url.p + scheme.len, url.len - scheme.len};
	if (!str_cut(url, '/', &host, &path))
		return refuse(f, "auth_bad_endpoint", "has a token endpoint without a path");
	e = host_parse(host, false, &name, &port, f);
	if (e != AV_OK)
		return e;
	target_init(&t);
	e = target_parse(&t, (struct str){path.p - 1, path.len + 1}, false, f);
	target_clear(&t);
	return e;
}

static enum av_err
sigv4_check(const struct auth_desc *a, struct fault *f)
{
	static const char *const known[] = {"service", "region"};
	enum av_err e = settings_check(a, known, 2, 2, f);

	for (size_t i = 0; e == AV_OK && i < a->pairs.count; i++) {
		struct str s = str_of(a->pairs.items[i].value);
		for (size_t k = 0; k < s.len; k++) {
			char c = s.p[k];
			if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-')
				continue;
			return refuse(f, "auth_bad_setting",
			    "has a service or region with bytes outside a-z 0-9 -");
		}
	}
	return e;
}

static enum av_err
hmac_check(const struct auth_desc *a, struct fault *f)
{
	static const char *const known[] = {"algorithm", "header", "template", "canonical"};
	enum av_err e = settings_check(a, known, 4, 3, f);
	struct str algorithm;

	if (e != AV_OK)
		return e;
	algorithm = setting(a, "algorithm");
	if (!str_eq_cstr(algorithm, "sha256") && !str_eq_cstr(algorithm, "sha512") &&
	    !str_eq_cstr(algorithm, "sha1"))
		return refuse(f, "auth_bad_setting", "has an unknown algorithm");
	e = header_check(setting(a, "header"), f);
	if (e != AV_OK)
		return e;
	return template_check(setting(a, "template"), "signature", 1, f);
}

static enum av_err
basic_check(const struct auth_desc *a, struct fault *f)
{
	static const char *const known[] = {"username"};
	enum av_err e = settings_check(a, known, 1, a->pairs.count, f);
	struct str head, tail;

	if (e == AV_OK && str_cut(setting(a, "username"), ':', &head, &tail))
		return refuse(f, "auth_bad_setting", "has a user name with a colon");
	return e;
}

enum av_err
auth_desc_validate(const struct auth_desc *a, struct fault *f)
{
	const struct pair *first = a->pairs.count > 0 ? &a->pairs.items[0] : NULL;
	enum av_err e;

	if (a->pairs.count > MANIFEST_MAX_PAIRS)
		return fault_set(f, AV_ELIMIT, "auth_too_many_pairs", REMEDY,
		    "the auth description has over %u pairs", MANIFEST_MAX_PAIRS);
	switch (a->kind) {
	case AUTH_NONE:
	case AUTH_MTLS:
		return first == NULL ? AV_OK : refuse(f, "auth_bad_shape", "takes no pairs");
	case AUTH_HEADER:
	case AUTH_QUERY:
	case AUTH_PATH:
		break;
	case AUTH_BASIC:
		return basic_check(a, f);
	case AUTH_MULTI_HEADER:
		return multi_check(a, true, f);
	case AUTH_MULTI_QUERY:
		return multi_check(a, false, f);
	case AUTH_OAUTH2:
		return oauth2_check(a, f);
	case AUTH_AWS_SIGV4:
		return sigv4_check(a, f);
	case AUTH_HMAC:
		return hmac_check(a, f);
	case AUTH_KIND_COUNT:
	default:
		return refuse(f, "auth_unknown_kind", "is of an unknown kind");
	}
	if (a->pairs.count != 1)
		return refuse(f, "auth_bad_shape", "takes exactly one pair");
	struct str name = str_of(first->name), value = str_of(first->value);
	if (a->kind == AUTH_QUERY)
		return value.len > 0
		    ? refuse(f, "auth_bad_shape", "of kind query takes no template")
		    : parameter_check(name, f);
	if (a->kind == AUTH_PATH)
		return name.len > 0 ? refuse(f, "auth_bad_shape", "of kind path takes no name")
		                    : path_template_check(value, f);
	e = header_check(name, f);
	return e != AV_OK ? e : template_check(value, "secret", SIZE_MAX, f);
}
