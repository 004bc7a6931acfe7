/* SPDX-License-Identifier: Apache-2.0 */
#include "auth/fields.h"

#include "base/json_reader.h"
#include "reach/template.h"
#include "vault/secret.h"

#include <stdlib.h>
#include <string.h>

struct reading {
	struct json_reader json;
	struct secret_pool *pool;
	struct auth_fields *out;
	struct buf name; /* of the member at hand, with those around it */
	struct buf value; /* secret */
	bool pool_full;
};

static bool
names_another(const struct auth_desc *a)
{
	for (size_t i = 0; i < a->pairs.count; i++) {
		struct str name;
		size_t pos = 0;
		while (template_next(str_of(a->pairs.items[i].value), &pos, &name))
			if (!str_eq_cstr(name, "secret"))
				return true;
	}
	return false;
}

bool
auth_fields_wanted(const struct auth_input *in)
{
	const struct secret *s = auth_find_secret(in, STR_LIT("secret"));
	if (in->secret_count != 1 || s == NULL)
		return false;
	switch (in->auth->kind) {
	case AUTH_BASIC:
		return in->auth->pairs.count == 0 && secret_len(s) > 0 && secret_view(s)[0] == '{';
	case AUTH_MULTI_HEADER:
	case AUTH_MULTI_QUERY:
		return names_another(in->auth);
	default:
		return false;
	}
}

static enum av_err
add_field(struct reading *r)
{
	struct auth_fields *out = r->out;
	struct str name = {(const char *)r->name.data, r->name.len};
	struct secret *value = NULL;
	for (size_t i = 0; i < out->count; i++)
		if (str_eq(out->items[i].placeholder, name))
			return AV_EFORMAT;
	if (out->count == AUTH_FIELDS_MAX ||
	    (name.len > 0 && memchr(name.p, '\0', name.len) != NULL))
		return AV_EFORMAT;
	char *copy = str_dup(name);
	if (copy == NULL)
		return AV_ENOMEM;
	enum av_err e = secret_copy(r->pool, r->value.data, r->value.len, &value);
	if (e != AV_OK) {
		r->pool_full = e == AV_ELIMIT;
		free(copy);
		return e;
	}
	out->names[out->count] = copy;
	out->items[out->count++] = (struct auth_secret){str_of(copy), value};
	return AV_OK;
}

static enum av_err read_object(struct reading *r);

static enum av_err
read_member(struct reading *r)
{
	enum json_kind kind;
	enum av_err e = json_reader_peek(&r->json, &kind);
	if (e != AV_OK)
		return e;
	if (kind == JSON_OBJECT)
		return read_object(r);
	buf_reset(&r->value);
	e = json_reader_string(&r->json, &r->value);
	return e == AV_OK ? add_field(r) : e;
}

/* As deep as the reader allows. */
static enum av_err
read_object(struct reading *r)
{
	size_t outer = r->name.len;
	bool more = true;
	enum av_err e = json_reader_enter(&r->json, JSON_OBJECT);
	while (e == AV_OK && more) {
		r->name.len = outer;
		if (outer > 0)
			e = buf_append_byte(&r->name, '.');
		if (e == AV_OK)
			e = json_reader_next(&r->json, JSON_OBJECT, &r->name, &more);
		if (e == AV_OK && more)
			e = read_member(r);
	}
	r->name.len = outer;
	return e;
}

static bool
has_field(const struct auth_fields *fields, const char *name)
{
	for (size_t i = 0; i < fields->count; i++)
		if (strcmp(fields->names[i], name) == 0)
			return true;
	return false;
}

/* The reader's own words would do, but they are about a request. */
static enum av_err
refuse(const struct auth_input *in, struct fault *f)
{
	if (in->auth->kind == AUTH_BASIC)
		return fault_set(f, AV_EAUTH, "secret_not_user_password",
		    "Store it as user:password, or as {\"username\": \"...\", \"password\": "
		    "\"...\"}",
		    "the secret begins like a JSON object and is not one of a user name and a "
		    "password");
	return fault_set(f, AV_EAUTH, "secret_not_fields",
	    "Store it as {\"name\": \"value\", ...} with the names of the templates",
	    "the templates name fields and the secret is not a JSON object of strings");
}

enum av_err
auth_fields_read(const struct auth_input *in, struct auth_fields *out, struct fault *f)
{
	const struct secret *s = auth_find_secret(in, STR_LIT("secret"));
	struct str text = {(const char *)secret_view(s), secret_len(s)};
	struct reading r = {.pool = in->pool, .out = out};
	struct fault ignored;
	memset(out, 0, sizeof(*out));
	buf_init(&r.name, AUTH_FIELD_NAME_MAX);
	buf_init(&r.value, SECRET_VALUE_MAX);
	enum av_err e = json_reader_init(&r.json, text, &ignored);
	if (e == AV_OK)
		e = read_object(&r);
	if (e == AV_OK)
		e = json_reader_end(&r.json);
	if (e == AV_OK && in->auth->kind == AUTH_BASIC &&
	    (out->count != 2 || !has_field(out, "username") || !has_field(out, "password")))
		e = AV_EFORMAT;
	buf_clear(&r.name);
	buf_clear(&r.value);
	if (e == AV_OK)
		return AV_OK;
	auth_fields_clear(out);
	if (e == AV_ENOMEM || r.pool_full)
		return fault_set(f, e, "secret_memory", "", "the memory for secrets is used up");
	return refuse(in, f);
}

void
auth_fields_clear(struct auth_fields *fields)
{
	for (size_t i = 0; i < fields->count; i++) {
		/* Made here, so ours to free. */
		secret_free((struct secret *)(uintptr_t)fields->items[i].value);
		free(fields->names[i]);
	}
	memset(fields, 0, sizeof(*fields));
}
