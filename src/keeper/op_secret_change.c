/* SPDX-License-Identifier: Apache-2.0 */
/* secrets.rotate, secrets.delete: what changes a secret that is there. */
#include "keeper/operator_api.h"

#include "base/clock.h"
#include "base/log.h"
#include "keeper/channel.h"

#include <stdlib.h>
#include <string.h>

/* A copy of the record: a change loads the vault's own anew. */
static enum av_err
take_record(struct op_call *c, struct secret_record *out)
{
	struct str id = arg_text(c->args, "id");
	enum av_err e = keeper_usable(c->k, c->fault);
	if (e != AV_OK)
		return e;
	const struct secret_record *r = vault_secret(c->k->vault, id);
	if (r == NULL)
		return fault_set(c->fault, AV_ENOTFOUND, "secret_not_found",
		    "Run `aivault secrets list`", "secret not found: there is none with that id");
	if (r->revoked_ms != 0)
		return fault_set(c->fault, AV_ENOTFOUND, "secret_revoked",
		    "Store it again with "
		    "`aivault secrets create`",
		    "the secret %s was revoked: it has no value any more", r->id);
	if (r->fault.err != AV_OK) {
		*c->fault = r->fault;
		return r->fault.err;
	}
	*out = *r;
	out->value = NULL;
	out->aliases = (struct string_list){0};
	out->name = str_dup(str_of(r->name));
	out->pinned = str_dup(str_of(r->pinned));
	for (size_t i = 0; e == AV_OK && i < r->aliases.count; i++)
		e = string_list_add(&out->aliases, str_of(r->aliases.items[i]));
	return out->name == NULL || out->pinned == NULL ? AV_ENOMEM : e;
}

static enum av_err
write_failed(struct op_call *c, enum av_err e)
{
	fault_set(c->fault, e, "database_write", "Check free space and permissions",
	    "the change could not be stored: %s", store_message(c->k->vault->store));
	keeper_change_abort(c->k);
	return e;
}

static struct audit_event
event_of(
    struct op_call *c, const char *kind, const struct secret_record *r, char scope[SCOPE_TEXT_MAX])
{
	struct audit_event e = op_event(c, kind);
	scope_text(&r->scope, scope);
	e.secret_id = str_of(r->id);
	e.scope = str_of(scope);
	e.note = str_of(r->name);
	return e;
}

/* The credentials that cannot work without it; their ids are copied into *out. */
static enum av_err
dependants(const struct vault *v, const char *id, struct string_list *out)
{
	enum av_err e = AV_OK;
	for (size_t i = 0; e == AV_OK && i < v->credential_count; i++) {
		const struct credential *cred = &v->credentials[i];
		for (size_t j = 0; j < cred->secrets.count; j++)
			if (strcmp(cred->secrets.items[j].value, id) == 0) {
				e = string_list_add(out, str_of(cred->id));
				break;
			}
	}
	return e;
}

/* What was sent with the old value ends (contract: within a second). */
static void
end_calls(struct op_call *c, const struct string_list *credentials, const struct fault *f)
{
	for (size_t i = 0; i < credentials->count; i++)
		channel_revoke(c->k, STR_LIT(""), str_of(credentials->items[i]), f);
}

enum av_err
op_secrets_rotate(struct op_call *c)
{
	struct secret_record r = {0};
	struct string_list hit = {0};
	char scope[SCOPE_TEXT_MAX];
	struct fault ended;
	enum av_err e = secret_value_check(c->secret, c->fault);
	if (e == AV_OK)
		e = take_record(c, &r);
	if (e == AV_OK)
		e = dependants(c->k->vault, r.id, &hit);
	if (e == AV_OK)
		e = keeper_change_begin(c->k, c->fault);
	if (e != AV_OK)
		goto out;
	struct vault *v = c->k->vault;
	r.value_version++;
	r.updated_ms = clock_wall_ms();
	e = secret_record_put(v->store, v->kek, &r);
	if (e == AV_OK)
		e = secret_record_seal(v->store, v->kek, v->pool, &r, c->secret);
	if (e == AV_ELIMIT) {
		/* The pool is full of values that were used before. */
		vault_forget_values(v);
		e = secret_record_seal(v->store, v->kek, v->pool, &r, c->secret);
	}
	if (e != AV_OK) {
		e = write_failed(c, e);
		goto out;
	}
	struct audit_event event = event_of(c, "secret.rotate", &r, scope);
	e = keeper_change_end(c->k, &event, 1, c->fault);
	if (e == AV_OK) {
		fault_set(&ended, AV_EUNAVAIL, "secret_rotated", "Send it again, if that is safe",
		    "the secret was given a new value while the call ran");
		end_calls(c, &hit, &ended);
		c->result = op_secret_metadata(c->k, &r);
	}
out:
	string_list_clear(&hit);
	secret_record_clear(&r);
	return e;
}

/* A row for every credential that ends with it, and its own. */
static enum av_err
end_deletion(struct op_call *c, const struct secret_record *r, const struct string_list *hit)
{
	char scope[SCOPE_TEXT_MAX];
	struct audit_event *events = calloc(hit->count + 1, sizeof(*events));
	if (events == NULL)
		return write_failed(c, AV_ENOMEM);
	for (size_t i = 0; i < hit->count; i++) {
		events[i] = event_of(c, "credential.disable", r, scope);
		events[i].credential = str_of(hit->items[i]);
		events[i].reason = STR_LIT("secret_deleted");
	}
	events[hit->count] = event_of(c, "secret.revoke", r, scope);
	enum av_err e = keeper_change_end(c->k, events, hit->count + 1, c->fault);
	free(events);
	return e;
}

static enum av_err
store_deletion(struct op_call *c, const struct secret_record *r, const struct string_list *hit)
{
	struct vault *v = c->k->vault;
	enum av_err e = keeper_change_begin(c->k, c->fault);
	if (e != AV_OK)
		return e;
	e = secret_record_put(v->store, v->kek, r);
	if (e == AV_OK)
		e = secret_record_erase(v->store, r);
	if (e != AV_OK)
		return write_failed(c, e);
	e = end_deletion(c, r, hit);
	/* The old pages are in the write-ahead log still. */
	if (e == AV_OK && store_checkpoint(v->store) != AV_OK)
		log_warn("the write-ahead log could not be emptied after a deletion");
	return e;
}

enum av_err
op_secrets_delete(struct op_call *c)
{
	struct secret_record r = {0};
	struct string_list hit = {0};
	struct fault ended;
	enum av_err e = take_record(c, &r);
	if (e == AV_OK)
		e = dependants(c->k->vault, r.id, &hit);
	if (e == AV_OK) {
		r.revoked_ms = r.updated_ms = clock_wall_ms();
		e = store_deletion(c, &r, &hit);
	}
	if (e == AV_OK) {
		fault_set(&ended, AV_ENOCRED, "secret_deleted", "Ask the vault's owner",
		    "the secret was deleted while the call ran");
		end_calls(c, &hit, &ended);
		for (size_t i = 0; i < hit.count; i++)
			op_note(
			    c, "the credential %s is disabled: its secret is gone", hit.items[i]);
		c->result = op_secret_metadata(c->k, &r);
	}
	string_list_clear(&hit);
	secret_record_clear(&r);
	return e;
}
