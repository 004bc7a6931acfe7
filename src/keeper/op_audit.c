/* SPDX-License-Identifier: Apache-2.0 */
/* audit, audit.*: they read, and work on a locked or faulty vault too. */
#include "keeper/operator_api.h"

#include "audit/query.h"
#include "audit/stats.h"
#include "keeper/batch.h"
#include "keeper/follow.h"
#include "keeper/verification.h"

#include <string.h>

static enum av_err
need_store(struct op_call *c)
{
	if (c->k->vault != NULL)
		return AV_OK;
	*c->fault = c->k->open_fault;
	return c->fault->err;
}

static struct audit_filter
take_filter(const struct op_call *c, int64_t limit)
{
	return (struct audit_filter){
	    .limit = (uint64_t)arg_number(c->args, "limit", limit),
	    .before_id = arg_number(c->args, "beforeId", 0),
	    .before_ms = arg_number(c->args, "beforeTsMs", 0),
	    .since_ms = arg_number(c->args, "sinceMs", 0),
	    .until_ms = arg_number(c->args, "untilMs", 0),
	    .capability = arg_text(c->args, "capability"),
	    .event = arg_text(c->args, "event"),
	    .decision = arg_text(c->args, "decision"),
	    .caller = arg_text(c->args, "caller"),
	};
}

static enum av_err
unreadable(const struct op_call *c, enum av_err e)
{
	if (e == AV_OK)
		return AV_OK;
	return fault_set(c->fault, e, "audit_unreadable", "Restore vault.db from a backup",
	    "%s: %s", store_path(c->k->vault->store), store_message(c->k->vault->store));
}

enum av_err
op_audit(struct op_call *c)
{
	struct audit_filter f = take_filter(c, 200);
	enum av_err e = need_store(c);
	if (e != AV_OK)
		return e;
	/* What the broker has told and no commit holds yet belongs to the answer. */
	batch_settle(c->k);
	return unreadable(c, audit_query(c->k->vault->store, &f, &c->raw));
}

/* The key to trust: the one given, which must then be the vault's too. */
static enum av_err
choose_key(struct op_call *c, uint8_t pk[VAULT_PUBLIC_KEY_LEN], bool *given, bool *other)
{
	uint8_t own[VAULT_PUBLIC_KEY_LEN];
	struct str hex = arg_text(c->args, "publicKey");
	*given = hex.len > 0;
	*other = false;
	if (*given && hex_decode(hex, pk, VAULT_PUBLIC_KEY_LEN) != AV_OK)
		return fault_set(c->fault, AV_EUSAGE, "public_key_format",
		    "Take auditPublicKey of `aivault status -v`",
		    "the public key must be %u hexadecimal digits", 2 * VAULT_PUBLIC_KEY_LEN);
	enum av_err e = vault_public_key(c->k->vault, own);
	if (e != AV_OK && !*given)
		return fault_set(c->fault, e, "public_key", "Give --public-key",
		    "the vault's public key cannot be read");
	if (!*given)
		memcpy(pk, own, sizeof(own));
	else
		*other = e != AV_OK || memcmp(pk, own, sizeof(own)) != 0;
	return AV_OK;
}

static void
add_findings(struct op_call *c, const struct chain_report *chain,
    const struct checkpoint_report *points, bool given, bool other)
{
	const char *problem = chain->problem != NULL ? chain->problem : points->problem;
	int64_t bad = chain->problem != NULL ? chain->first_bad_id : points->first_bad_id;
	/* One that signs with another key has signed everything with it. */
	if (problem == NULL || chain->problem == NULL)
		problem = other ? "public_key" : problem;
	c->result = cJSON_CreateObject();
	json_bool(c->result, "ok", problem == NULL);
	json_number(c->result, "rows", (int64_t)chain->rows);
	json_number(c->result, "checkpoints", (int64_t)points->count);
	json_number(c->result, "checkpointsLogged", (int64_t)points->logged);
	json_number(c->result, "lastSignedId", points->signed_id);
	if (points->torn > 0)
		json_number(c->result, "tornLines", (int64_t)points->torn);
	if (problem != NULL) {
		if (bad > 0)
			json_number(c->result, "firstBadId", bad);
		json_text(c->result, "problem", problem);
	}
	json_text(c->result, "limits",
	    c->k->log.in_memory
	        ? "rows are kept in memory only (AIVAULT_DISABLE_DISK_LOGS), the last "
	          "50,000 of them, and end with the daemon; those on the disk were "
	          "not looked at"
	        : given
	        ? "rows after lastSignedId are chained and not yet signed; whoever cut the log and "
	          "checkpoints.log at the same place shows only against a copy of checkpoints.log "
	          "kept elsewhere"
	        : "without --public-key from elsewhere this finds accidents and clumsy hands, not "
	          "somebody who replaced key and log together");
}

/* Where there is no connection that could wait, all of it at once. */
static enum av_err
begin_verification(struct op_call *c, const uint8_t pk[VAULT_PUBLIC_KEY_LEN])
{
	batch_settle(c->k);
	enum av_err e = verification_new(c->k, pk, c->verification);
	while (e == AV_OK && !c->may_wait && !verification_is_over(*c->verification))
		verification_go_on(*c->verification);
	return unreadable(c, e);
}

enum av_err
op_audit_verify(struct op_call *c)
{
	struct chain_report chain;
	struct checkpoint_report points;
	uint8_t pk[VAULT_PUBLIC_KEY_LEN];
	bool given, other;
	enum av_err e = need_store(c);
	if (e == AV_OK)
		e = choose_key(c, pk, &given, &other);
	if (e == AV_OK && *c->verification == NULL)
		e = begin_verification(c, pk);
	if (e != AV_OK)
		return e;
	c->later = !verification_is_over(*c->verification);
	if (c->later)
		return AV_OK;
	e = unreadable(c, verification_result(*c->verification, &chain, &points));
	verification_free(*c->verification);
	*c->verification = NULL;
	if (e == AV_OK)
		add_findings(c, &chain, &points, given, other);
	return e;
}

/* A page of all rows, oldest first. */
enum av_err
op_audit_export(struct op_call *c)
{
	struct audit_filter f = take_filter(c, AUDIT_QUERY_MAX);
	int64_t last = 0;
	bool cut = false;
	enum av_err e = need_store(c);
	if (e != AV_OK)
		return e;
	batch_settle(c->k);
	return unreadable(c,
	    audit_rows(
	        c->k->vault->store, &f, arg_number(c->args, "afterId", 0), &c->raw, &last, &cut));
}

enum av_err
op_audit_stats(struct op_call *c)
{
	bool cut = false;
	enum av_err e = need_store(c);
	if (e != AV_OK)
		return e;
	batch_settle(c->k);
	e = unreadable(c,
	    audit_stats(c->k->vault->store, arg_number(c->args, "sinceMs", 0),
	        arg_number(c->args, "untilMs", 0), &c->raw, &cut));
	if (e == AV_OK && cut)
		op_note(c, "only the %u most frequent groups are shown", AUDIT_STATS_MAX);
	return e;
}

enum av_err
op_audit_follow(struct op_call *c)
{
	struct audit_filter f = take_filter(c, 0);
	size_t count = 0;
	enum av_err e = need_store(c);
	if (e != AV_OK)
		return e;
	for (size_t i = 0; i < KEEPER_MAX_CLIENTS; i++)
		count += c->k->clients[i] != NULL && c->k->clients[i]->follow != NULL;
	if (!c->may_wait || count >= FOLLOW_MAX)
		return fault_set(c->fault, AV_ELIMIT, "follow_limit", "End one of the others",
		    "at most %u can follow the audit log at once", FOLLOW_MAX);
	batch_settle(c->k);
	e = unreadable(c, follow_new(c->k, &f, &c->follow));
	if (e == AV_OK)
		c->result = cJSON_CreateArray();
	return e;
}
