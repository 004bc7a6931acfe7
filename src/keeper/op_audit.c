/* SPDX-License-Identifier: Apache-2.0 */
/* audit, audit.verify: they read, and work on a locked or faulty vault too. */
#include "keeper/operator_api.h"

#include "audit/checkpoint.h"
#include "audit/query.h"
#include "keeper/batch.h"

static enum av_err
need_store(struct op_call *c)
{
	if (c->k->vault != NULL)
		return AV_OK;
	*c->fault = c->k->open_fault;
	return c->fault->err;
}

enum av_err
op_audit(struct op_call *c)
{
	struct audit_filter f = {
		.limit = (uint64_t)arg_number(c->args, "limit", 200),
		.before_ms = arg_number(c->args, "beforeTsMs", 0),
		.since_ms = arg_number(c->args, "sinceMs", 0),
		.until_ms = arg_number(c->args, "untilMs", 0),
		.capability = arg_text(c->args, "capability"),
		.event = arg_text(c->args, "event"),
		.decision = arg_text(c->args, "decision"),
		.caller = arg_text(c->args, "caller"),
	};
	bool cut = false;
	enum av_err e = need_store(c);
	if (e != AV_OK)
		return e;
	/* What the broker has told and no commit holds yet belongs to the answer. */
	batch_settle(c->k);
	e = audit_query(c->k->vault->store, &f, &c->raw, &cut);
	if (e != AV_OK)
		return fault_set(c->fault, e, "audit_unreadable", "Restore vault.db from a backup", "%s: %s",
		    store_path(c->k->vault->store), store_message(c->k->vault->store));
	if (cut || f.limit > AUDIT_QUERY_MAX)
		op_note(c, "not all events are shown: go on with --before-ts-ms");
	return AV_OK;
}

enum av_err
op_audit_verify(struct op_call *c)
{
	struct chain_report report;
	uint64_t checkpoints = 0;
	int64_t bad = 0;
	enum av_err e = need_store(c);
	if (e != AV_OK)
		return e;
	batch_settle(c->k);
	e = chain_verify(c->k->vault->store, &report);
	if (e == AV_OK)
		e = checkpoint_verify(c->k->vault, &checkpoints, &bad);
	if (e != AV_OK)
		return fault_set(c->fault, e, "audit_unreadable", "Restore vault.db from a backup", "%s: %s",
		    store_path(c->k->vault->store), store_message(c->k->vault->store));
	if (report.problem == NULL && bad != 0) {
		report.problem = "checkpoint";
		report.first_bad_id = bad;
	}
	c->result = cJSON_CreateObject();
	json_bool(c->result, "ok", report.problem == NULL);
	json_number(c->result, "rows", (int64_t)report.rows);
	json_number(c->result, "checkpoints", (int64_t)checkpoints);
	if (report.problem != NULL) {
		json_number(c->result, "firstBadId", report.first_bad_id);
		json_text(c->result, "problem", report.problem);
	}
	return AV_OK;
}
