/* SPDX-License-Identifier: Apache-2.0 */
#include "auth/render.h"

#include "auth/fields.h"
#include "vault/secret.h"

#include <stdlib.h>
#include <string.h>

auth_render_fn
auth_strategy(enum auth_kind k)
{
	switch (k) {
	case AUTH_HEADER:
		return auth_render_header;
	case AUTH_QUERY:
		return auth_render_query;
	case AUTH_PATH:
		return auth_render_path;
	case AUTH_BASIC:
		return auth_render_basic;
	case AUTH_MULTI_HEADER:
		return auth_render_multi_header;
	case AUTH_MULTI_QUERY:
		return auth_render_multi_query;
	default:
		return NULL;
	}
}

bool
auth_is_supported(enum auth_kind k)
{
	return k == AUTH_NONE || auth_strategy(k) != NULL;
}

enum av_err
auth_render(const struct auth_input *in, struct auth_output *out, struct fault *f)
{
	memset(out, 0, sizeof(*out));
	if (in->auth->kind == AUTH_NONE)
		return AV_OK;
	auth_render_fn fn = auth_strategy(in->auth->kind);
	if (fn == NULL)
		return fault_set(f, AV_ENOTSUP, "auth_not_supported", "",
		    "this version has no auth of the kind %s", auth_kind_name(in->auth->kind));
	struct auth_fields fields = {0};
	struct auth_input named = *in;
	enum av_err e = AV_OK;
	if (auth_fields_wanted(in)) {
		e = auth_fields_read(in, &fields, f);
		named.secrets = fields.items;
		named.secret_count = fields.count;
	}
	if (e == AV_OK)
		e = fn(&named, out, f);
	auth_fields_clear(&fields);
	if (e != AV_OK)
		auth_output_clear(out);
	return e;
}

void
auth_output_clear(struct auth_output *out)
{
	for (size_t i = 0; i < KEEPER_MAX_PARTS; i++) {
		secret_free(out->values[i]);
		free(out->names[i]);
	}
	memset(out, 0, sizeof(*out));
}

static void
lower(char *s)
{
	for (; *s != '\0'; s++)
		if (*s >= 'A' && *s <= 'Z')
			*s = (char)(*s - 'A' + 'a');
}

enum av_err
auth_managed(const struct auth_desc *a, struct string_list *headers, struct string_list *query)
{
	enum av_err e = AV_OK;
	if (a->kind == AUTH_BASIC || a->kind == AUTH_OAUTH2 || a->kind == AUTH_AWS_SIGV4)
		return string_list_add(headers, STR_LIT("authorization"));
	for (size_t i = 0; e == AV_OK && i < a->pairs.count; i++) {
		struct str name = str_of(a->pairs.items[i].name);
		if (a->kind == AUTH_HEADER || a->kind == AUTH_MULTI_HEADER) {
			e = string_list_add(headers, name);
			if (e == AV_OK)
				lower(headers->items[headers->count - 1]);
		} else if (a->kind == AUTH_HMAC && str_eq_cstr(name, "header")) {
			e = string_list_add(headers, str_of(a->pairs.items[i].value));
			if (e == AV_OK)
				lower(headers->items[headers->count - 1]);
		} else if (a->kind == AUTH_QUERY || a->kind == AUTH_MULTI_QUERY) {
			e = string_list_add(query, name);
		}
	}
	return e;
}

enum av_err
auth_add_part(struct auth_output *out, enum auth_place place, struct str name, struct secret *value,
    const struct secret_span *spans, size_t span_count)
{
	size_t i = out->part_count;
	char *copy = i < KEEPER_MAX_PARTS ? str_dup(name) : NULL;
	if (copy == NULL || span_count > KEEPER_MAX_SPANS) {
		free(copy);
		secret_free(value);
		return i < KEEPER_MAX_PARTS ? AV_ENOMEM : AV_ELIMIT;
	}
	if (place == AUTH_PLACE_HEADER)
		lower(copy);
	out->names[i] = copy;
	out->values[i] = value;
	struct auth_part *p = &out->parts[i];
	p->place = place;
	p->name = str_of(copy);
	p->value = (struct str){(const char *)secret_view(value), secret_len(value)};
	memcpy(p->spans, spans, span_count * sizeof(*spans));
	p->span_count = span_count;
	out->part_count++;
	return AV_OK;
}

const struct secret *
auth_find_secret(const struct auth_input *in, struct str placeholder)
{
	for (size_t i = 0; i < in->secret_count; i++)
		if (str_eq(in->secrets[i].placeholder, placeholder))
			return in->secrets[i].value;
	return NULL;
}
