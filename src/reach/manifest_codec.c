/* SPDX-License-Identifier: Apache-2.0 */
/* The wire form of a manifest: encode and decode stand side by side, field by field. */
#include "reach/manifest.h"

#include <stdlib.h>

/* A sticky reader reads on as zeros, so one look at r->err after each record is enough. */
static enum av_err
text_decode(struct frame_reader *r, char **out)
{
	struct str s = fr_text(r, MANIFEST_MAX_TEXT);

	if (r->err != AV_OK)
		return r->err;
	*out = str_dup(s);
	return *out == NULL ? AV_ENOMEM : AV_OK;
}

static enum av_err
flag_decode(struct frame_reader *r, uint8_t max, uint8_t *out)
{
	*out = fr_u8(r);
	if (r->err != AV_OK)
		return r->err;
	return *out > max ? AV_EFORMAT : AV_OK;
}

void
string_list_encode(const struct string_list *l, struct frame_writer *w)
{
	fw_u32(w, (uint32_t)l->count);
	for (size_t i = 0; i < l->count; i++)
		fw_cstr(w, l->items[i]);
}

enum av_err
string_list_decode(struct frame_reader *r, uint32_t max, struct string_list *out)
{
	struct string_list l = {0};
	uint32_t n = fr_count(r, max);
	enum av_err e = r->err;

	*out = l;
	for (uint32_t i = 0; i < n && e == AV_OK; i++) {
		struct str s = fr_text(r, MANIFEST_MAX_TEXT);
		e = r->err;
		if (e == AV_OK)
			e = string_list_add(&l, s);
	}
	if (e != AV_OK)
		string_list_clear(&l);
	*out = l;
	return e;
}

static void
pair_list_encode(const struct pair_list *l, struct frame_writer *w)
{
	fw_u32(w, (uint32_t)l->count);
	for (size_t i = 0; i < l->count; i++) {
		fw_cstr(w, l->items[i].name);
		fw_cstr(w, l->items[i].value);
	}
}

static enum av_err
pair_list_decode(struct frame_reader *r, uint32_t max, struct pair_list *out)
{
	struct pair_list l = {0};
	uint32_t n = fr_count(r, max);
	enum av_err e = r->err;

	*out = l;
	for (uint32_t i = 0; i < n && e == AV_OK; i++) {
		struct str name = fr_text(r, MANIFEST_MAX_TEXT);
		struct str value = fr_text(r, MANIFEST_MAX_TEXT);
		e = r->err;
		if (e == AV_OK)
			e = pair_list_add(&l, name, value);
	}
	if (e != AV_OK)
		pair_list_clear(&l);
	*out = l;
	return e;
}

void
auth_desc_encode(const struct auth_desc *a, struct frame_writer *w)
{
	fw_u8(w, (uint8_t)a->kind);
	pair_list_encode(&a->pairs, w);
}

enum av_err
auth_desc_decode(struct frame_reader *r, struct auth_desc *out)
{
	uint8_t kind;
	enum av_err e;

	*out = (struct auth_desc){0};
	e = flag_decode(r, AUTH_KIND_COUNT - 1, &kind);
	if (e != AV_OK)
		return e;
	out->kind = (enum auth_kind)kind;
	return pair_list_decode(r, MANIFEST_MAX_PAIRS, &out->pairs);
}

void
capability_encode(const struct capability *c, struct frame_writer *w)
{
	fw_cstr(w, c->id);
	fw_cstr(w, c->about);
	string_list_encode(&c->hosts, w);
	string_list_encode(&c->methods, w);
	string_list_encode(&c->paths, w);
	fw_u8(w, (uint8_t)c->inspect);
	fw_u8(w, c->opaque_slash);
	fw_u8(w, c->has_check);
	fw_u8(w, c->http);
}

enum av_err
capability_decode(struct frame_reader *r, struct capability *out)
{
	struct capability c = {0};
	uint8_t inspect = 0, opaque = 0, check = 0;
	enum av_err e;

	*out = c;
	e = text_decode(r, &c.id);
	if (e == AV_OK)
		e = text_decode(r, &c.about);
	if (e == AV_OK)
		e = string_list_decode(r, MANIFEST_MAX_HOSTS, &c.hosts);
	if (e == AV_OK)
		e = string_list_decode(r, MANIFEST_MAX_METHODS, &c.methods);
	if (e == AV_OK)
		e = string_list_decode(r, MANIFEST_MAX_PATHS, &c.paths);
	if (e == AV_OK)
		e = flag_decode(r, INSPECT_TEXT, &inspect);
	if (e == AV_OK)
		e = flag_decode(r, 1, &opaque);
	if (e == AV_OK)
		e = flag_decode(r, 1, &check);
	if (e == AV_OK)
		e = flag_decode(r, UINT8_MAX, &c.http);
	if (e != AV_OK) {
		capability_clear(&c);
		return e;
	}
	c.inspect = (enum inspect)inspect;
	c.opaque_slash = opaque != 0;
	c.has_check = check != 0;
	*out = c;
	return AV_OK;
}

static void
alternative_encode(const struct alternative *a, struct frame_writer *w)
{
	fw_cstr(w, a->id);
	auth_desc_encode(&a->auth, w);
	string_list_encode(&a->hosts, w);
	pair_list_encode(&a->secrets, w);
	string_list_encode(&a->capabilities, w);
	fw_u32(w, a->priority);
	fw_cstr(w, a->path_prefix);
}

/* Fills *a in place: manifest_free() takes what is there, whole or not. */
static enum av_err
alternative_decode(struct frame_reader *r, struct alternative *a)
{
	enum av_err e = text_decode(r, &a->id);

	if (e == AV_OK)
		e = auth_desc_decode(r, &a->auth);
	if (e == AV_OK)
		e = string_list_decode(r, MANIFEST_MAX_HOSTS, &a->hosts);
	if (e == AV_OK)
		e = pair_list_decode(r, MANIFEST_MAX_SECRETS, &a->secrets);
	if (e == AV_OK)
		e = string_list_decode(r, MANIFEST_MAX_CAPABILITIES, &a->capabilities);
	if (e != AV_OK)
		return e;
	a->priority = fr_u32(r);
	return text_decode(r, &a->path_prefix);
}

void
manifest_encode(const struct manifest *m, struct frame_writer *w)
{
	fw_cstr(w, m->provider);
	pair_list_encode(&m->secrets, w);
	auth_desc_encode(&m->auth, w);
	string_list_encode(&m->hosts, w);
	fw_u32(w, (uint32_t)m->capability_count);
	for (size_t i = 0; i < m->capability_count; i++)
		capability_encode(&m->capabilities[i], w);
	fw_u32(w, (uint32_t)m->alternative_count);
	for (size_t i = 0; i < m->alternative_count; i++)
		alternative_encode(&m->alternatives[i], w);
}

static enum av_err
capabilities_decode(struct frame_reader *r, struct manifest *m)
{
	uint32_t n = fr_count(r, MANIFEST_MAX_CAPABILITIES);
	enum av_err e = r->err;

	if (e != AV_OK || n == 0)
		return e;
	m->capabilities = calloc(n, sizeof(*m->capabilities));
	if (m->capabilities == NULL)
		return AV_ENOMEM;
	while (m->capability_count < n && e == AV_OK)
		e = capability_decode(r, &m->capabilities[m->capability_count++]);
	return e;
}

static enum av_err
alternatives_decode(struct frame_reader *r, struct manifest *m)
{
	uint32_t n = fr_count(r, MANIFEST_MAX_ALTERNATIVES);
	enum av_err e = r->err;

	if (e != AV_OK || n == 0)
		return e;
	m->alternatives = calloc(n, sizeof(*m->alternatives));
	if (m->alternatives == NULL)
		return AV_ENOMEM;
	while (m->alternative_count < n && e == AV_OK)
		e = alternative_decode(r, &m->alternatives[m->alternative_count++]);
	return e;
}

enum av_err
manifest_decode(struct frame_reader *r, struct manifest **out)
{
	struct manifest *m = manifest_new();
	enum av_err e;

	*out = NULL;
	if (m == NULL)
		return AV_ENOMEM;
	e = text_decode(r, &m->provider);
	if (e == AV_OK)
		e = pair_list_decode(r, MANIFEST_MAX_SECRETS, &m->secrets);
	if (e == AV_OK)
		e = auth_desc_decode(r, &m->auth);
	if (e == AV_OK)
		e = string_list_decode(r, MANIFEST_MAX_HOSTS, &m->hosts);
	if (e == AV_OK)
		e = capabilities_decode(r, m);
	if (e == AV_OK)
		e = alternatives_decode(r, m);
	if (e != AV_OK) {
		manifest_free(m);
		return e;
	}
	*out = m;
	return AV_OK;
}
