/* SPDX-License-Identifier: Apache-2.0 */
#include "vault/credential.h"

#include <stdlib.h>
#include <string.h>

#define BODY_VERSION 1u

void
credential_clear(struct credential *c)
{
	free(c->id);
	free(c->provider);
	free(c->alternative);
	free(c->path_prefix);
	auth_desc_clear(&c->auth);
	string_list_clear(&c->hosts);
	string_list_clear(&c->capabilities);
	pair_list_clear(&c->secrets);
	memset(c, 0, sizeof(*c));
}

static void
encode_pairs(const struct pair_list *l, struct frame_writer *w)
{
	fw_u32(w, (uint32_t)l->count);
	for (size_t i = 0; i < l->count; i++) {
		fw_cstr(w, l->items[i].name);
		fw_cstr(w, l->items[i].value);
	}
}

static enum av_err
decode_pairs(struct frame_reader *r, struct pair_list *out)
{
	uint32_t n = fr_count(r, MANIFEST_MAX_SECRETS);
	enum av_err e = r->err;
	for (uint32_t i = 0; e == AV_OK && i < n; i++) {
		struct str name = fr_text(r, MANIFEST_MAX_TEXT);
		struct str value = fr_text(r, MANIFEST_MAX_TEXT);
		e = r->err != AV_OK ? r->err : pair_list_add(out, name, value);
	}
	return e;
}

static enum av_err decode_body(const struct row *row, struct credential *c, bool *own_auth);

/* What could not be read again would look like a row that somebody else has changed. */
static enum av_err
check_readable(struct str id, struct str body)
{
	const struct row row = {.id = id, .body = body};
	struct credential again = {0};
	bool own_auth = false;
	enum av_err e = decode_body(&row, &again, &own_auth);
	credential_clear(&again);
	return e;
}

enum av_err
credential_put(struct store *s, const struct kek *k, const struct credential *c)
{
	static const struct auth_desc no_auth = {.kind = AUTH_NONE};
	static const struct string_list no_hosts = {0};
	struct buf b;
	struct frame_writer w;
	buf_init(&b, ROW_BODY_MAX);
	fw_begin(&w, &b, ROW_CREDENTIAL);
	fw_u8(&w, BODY_VERSION);
	fw_cstr(&w, c->provider);
	fw_cstr(&w, c->alternative);
	fw_u8(&w, (uint8_t)c->source);
	/* 1: the auth is the row's own. */
	bool own_auth = c->auth.kind != AUTH_NONE && c->source == CREDENTIAL_CUSTOM;
	fw_u8(&w, own_auth);
	auth_desc_encode(own_auth ? &c->auth : &no_auth, &w);
	fw_u8(&w, c->own_hosts);
	string_list_encode(c->own_hosts ? &c->hosts : &no_hosts, &w);
	fw_u8(&w, c->all_capabilities);
	string_list_encode(&c->capabilities, &w);
	encode_pairs(&c->secrets, &w);
	scope_encode(&c->scope, &w);
	fw_u64(&w, (uint64_t)c->created_ms);
	fw_u64(&w, (uint64_t)c->updated_ms);
	enum av_err e = fw_end(&w);
	struct str body = {0};
	if (e == AV_OK) {
		body =
		    (struct str){(const char *)b.data + FRAME_HEADER_LEN, b.len - FRAME_HEADER_LEN};
		e = check_readable(str_of(c->id), body);
	}
	if (e == AV_OK)
		e = row_put(s, k, ROW_CREDENTIAL, str_of(c->id), body);
	buf_clear(&b);
	return e;
}

static enum av_err
decode_body(const struct row *row, struct credential *c, bool *own_auth)
{
	struct frame f = {
	    .type = ROW_CREDENTIAL, .payload = (const uint8_t *)row->body.p, .len = row->body.len};
	struct frame_reader r;
	fr_begin(&r, &f);
	uint8_t version = fr_u8(&r);
	c->id = str_dup(row->id);
	c->provider = str_dup(fr_text(&r, 128));
	c->alternative = str_dup(fr_text(&r, 128));
	c->path_prefix = str_dup(STR_LIT(""));
	if (c->id == NULL || c->provider == NULL || c->alternative == NULL ||
	    c->path_prefix == NULL)
		return AV_ENOMEM;
	uint8_t source = fr_u8(&r);
	*own_auth = fr_u8(&r) == 1;
	enum av_err e = auth_desc_decode(&r, &c->auth);
	c->own_hosts = fr_u8(&r) == 1;
	if (e == AV_OK)
		e = string_list_decode(&r, MANIFEST_MAX_HOSTS, &c->hosts);
	c->all_capabilities = fr_u8(&r) == 1;
	if (e == AV_OK)
		e = string_list_decode(&r, MANIFEST_MAX_CAPABILITIES, &c->capabilities);
	if (e == AV_OK)
		e = decode_pairs(&r, &c->secrets);
	scope_decode(&r, &c->scope);
	c->created_ms = (int64_t)fr_u64(&r);
	c->updated_ms = (int64_t)fr_u64(&r);
	if (e == AV_OK)
		e = fr_finish(&r);
	if (e == AV_OK && (version != BODY_VERSION || source > CREDENTIAL_PROVISIONED))
		e = AV_EFORMAT;
	c->source = source == CREDENTIAL_PROVISIONED ? CREDENTIAL_PROVISIONED : CREDENTIAL_CUSTOM;
	return e;
}

enum av_err
credential_decode(const struct row *row, const struct builtin *b, struct credential *out)
{
	bool own_auth = false;
	memset(out, 0, sizeof(*out));
	enum av_err e = decode_body(row, out, &own_auth);
	if (e == AV_ENOMEM)
		return e;
	if (e != AV_OK || !row->genuine) {
		fault_set(&out->fault, AV_ECORRUPT, "credential_row_changed",
		    "Restore vault.db from a backup",
		    "the stored row of credential %s was changed from outside aivault", out->id);
		return AV_OK;
	}
	const struct manifest *m = builtin_provider(b, str_of(out->provider));
	if (m == NULL && own_auth)
		return AV_OK;
	e = m == NULL ? AV_ENOTFOUND : credential_take_builtin(out, m);
	if (e == AV_ENOMEM)
		return e;
	if (e != AV_OK)
		fault_set(&out->fault, AV_ENOCRED, "provider_unknown",
		    "Use a version that knows it",
		    "this version does not know the provider of credential %s", out->id);
	return AV_OK;
}

static enum av_err
copy_auth(const struct auth_desc *from, struct auth_desc *to)
{
	auth_desc_clear(to);
	to->kind = from->kind;
	enum av_err e = AV_OK;
	for (size_t i = 0; e == AV_OK && i < from->pairs.count; i++)
		e = pair_list_add(&to->pairs, str_of(from->pairs.items[i].name),
		    str_of(from->pairs.items[i].value));
	return e;
}

enum av_err
credential_take_builtin(struct credential *c, const struct manifest *m)
{
	const struct alternative *alt = NULL;
	for (size_t i = 0; i < m->alternative_count; i++)
		if (strcmp(m->alternatives[i].id, c->alternative) == 0)
			alt = &m->alternatives[i];
	if (alt == NULL && c->alternative[0] != '\0')
		return AV_ENOTFOUND;
	const struct string_list *hosts = alt != NULL ? &alt->hosts : &m->hosts;
	enum av_err e = copy_auth(alt != NULL ? &alt->auth : &m->auth, &c->auth);
	if (!c->own_hosts)
		string_list_clear(&c->hosts);
	for (size_t i = 0; e == AV_OK && !c->own_hosts && i < hosts->count; i++)
		e = string_list_add(&c->hosts, str_of(hosts->items[i]));
	c->priority = alt != NULL ? alt->priority : 0;
	char *prefix = str_dup(str_of(alt != NULL ? alt->path_prefix : ""));
	if (prefix == NULL)
		return AV_ENOMEM;
	free(c->path_prefix);
	c->path_prefix = prefix;
	return e;
}

bool
credential_serves(const struct credential *c, struct str capability)
{
	return c->all_capabilities || string_list_has(&c->capabilities, capability);
}
