/* SPDX-License-Identifier: Apache-2.0 */
#include "vault/vault.h"

#include <stdlib.h>
#include <string.h>

static void
custom_capability_clear(struct custom_capability *c)
{
	free(c->id);
	free(c->provider);
	capability_clear(&c->capability);
}

void
vault_unload(struct vault *v)
{
	for (size_t i = 0; i < v->secret_count; i++)
		secret_record_clear(&v->secrets[i]);
	for (size_t i = 0; i < v->credential_count; i++)
		credential_clear(&v->credentials[i]);
	for (size_t i = 0; i < v->capability_count; i++)
		custom_capability_clear(&v->capabilities[i]);
	for (size_t i = 0; i < v->policy_count; i++)
		policy_params_clear(&v->policies[i]);
	free(v->secrets);
	free(v->credentials);
	free(v->capabilities);
	free(v->policies);
	string_list_clear(&v->disabled);
	v->secrets = NULL;
	v->credentials = NULL;
	v->capabilities = NULL;
	v->policies = NULL;
	v->secret_count = v->credential_count = v->capability_count = v->policy_count = 0;
}

/* Room for one more, in steps of powers of two. */
static void *
grow(void *items, size_t count, size_t size)
{
	if (count > 0 && (count & (count - 1)) != 0)
		return items;
	return realloc(items, (count > 0 ? count * 2 : 1) * size);
}

static enum av_err
load_secret(void *ctx, const struct row *row)
{
	struct vault *v = ctx;
	void *items = grow(v->secrets, v->secret_count, sizeof(*v->secrets));
	if (items == NULL)
		return AV_ENOMEM;
	v->secrets = items;
	enum av_err e = secret_record_decode(row, &v->secrets[v->secret_count]);
	v->secret_count++;
	return e;
}

static enum av_err
load_credential(void *ctx, const struct row *row)
{
	struct vault *v = ctx;
	void *items = grow(v->credentials, v->credential_count, sizeof(*v->credentials));
	if (items == NULL)
		return AV_ENOMEM;
	v->credentials = items;
	enum av_err e = credential_decode(row, v->builtin, &v->credentials[v->credential_count]);
	v->credential_count++;
	return e;
}

static enum av_err
decode_capability(const struct row *row, struct custom_capability *c)
{
	struct frame f = {
	    .type = ROW_CAPABILITY, .payload = (const uint8_t *)row->body.p, .len = row->body.len};
	struct frame_reader r;
	fr_begin(&r, &f);
	c->id = str_dup(row->id);
	c->provider = str_dup(fr_text(&r, 128));
	if (c->id == NULL || c->provider == NULL)
		return AV_ENOMEM;
	enum av_err e = capability_decode(&r, &c->capability);
	if (e == AV_OK)
		e = fr_finish(&r);
	if (e == AV_OK && strcmp(c->capability.id, c->id) != 0)
		e = AV_EFORMAT;
	return e;
}

static enum av_err
load_capability(void *ctx, const struct row *row)
{
	struct vault *v = ctx;
	void *items = grow(v->capabilities, v->capability_count, sizeof(*v->capabilities));
	if (items == NULL)
		return AV_ENOMEM;
	v->capabilities = items;
	struct custom_capability *c = &v->capabilities[v->capability_count];
	memset(c, 0, sizeof(*c));
	v->capability_count++;
	enum av_err e = decode_capability(row, c);
	if (e == AV_ENOMEM)
		return e;
	if (e != AV_OK || !row->genuine)
		fault_set(&c->fault, AV_ECORRUPT, "capability_row_changed",
		    "Restore vault.db from a backup",
		    "the stored row of capability %s was changed from outside aivault", c->id);
	return AV_OK;
}

static enum av_err
load_policy(void *ctx, const struct row *row)
{
	struct vault *v = ctx;
	void *items = grow(v->policies, v->policy_count, sizeof(*v->policies));
	if (items == NULL)
		return AV_ENOMEM;
	v->policies = items;
	enum av_err e = policy_params_decode(row, &v->policies[v->policy_count]);
	v->policy_count++;
	return e;
}

/* A mark whose MAC does not fit still disables: doubt closes. */
static enum av_err
load_disabled(void *ctx, const struct row *row)
{
	struct vault *v = ctx;
	return string_list_add(&v->disabled, row->id);
}

static int
by_name(const void *a, const void *b)
{
	const struct secret_record *x = a, *y = b;
	char sx[SCOPE_TEXT_MAX], sy[SCOPE_TEXT_MAX];
	int c = strcmp(x->name, y->name);
	if (c != 0)
		return c;
	scope_text(&x->scope, sx);
	scope_text(&y->scope, sy);
	c = strcmp(sx, sy);
	return c != 0 ? c : strcmp(x->id, y->id);
}

/* One whose secret was deleted is out of use, and says why (I10). */
static void
check_secrets(const struct vault *v, struct credential *c)
{
	for (size_t i = 0; i < c->secrets.count && c->fault.err == AV_OK; i++) {
		const struct secret_record *s = vault_secret(v, str_of(c->secrets.items[i].value));
		/* Of a row that was changed nothing is believed; what uses it says so (resolve.c). */
		if (s == NULL || s->fault.err != AV_OK || s->revoked_ms == 0)
			continue;
		/* Agents read it too: no name of a secret. */
		fault_set(&c->fault, AV_ENOCRED, "secret_deleted",
		    c->source == CREDENTIAL_CUSTOM
		        ? "Make it anew for another secret: `aivault credential create`"
		        : "Store it again with `aivault secrets create`",
		    "a secret of the credential %s was deleted", c->id);
	}
}

enum av_err
vault_load(struct vault *v)
{
	vault_unload(v);
	enum av_err e = row_each(v->store, v->kek, ROW_SECRET, load_secret, v);
	if (e == AV_OK)
		e = row_each(v->store, v->kek, ROW_CREDENTIAL, load_credential, v);
	if (e == AV_OK)
		e = row_each(v->store, v->kek, ROW_CAPABILITY, load_capability, v);
	if (e == AV_OK)
		e = row_each(v->store, v->kek, ROW_POLICY, load_policy, v);
	if (e == AV_OK)
		e = row_each(v->store, v->kek, ROW_DISABLED, load_disabled, v);
	if (e != AV_OK) {
		vault_unload(v);
		return e;
	}
	if (v->secret_count > 1)
		qsort(v->secrets, v->secret_count, sizeof(*v->secrets), by_name);
	for (size_t i = 0; i < v->credential_count; i++)
		check_secrets(v, &v->credentials[i]);
	return AV_OK;
}
