/* SPDX-License-Identifier: Apache-2.0 */
/* unlock, lock */
#include "keeper/operator_api.h"

#include "keeper/batch.h"
#include "keeper/channel.h"
#include "keeper/derivation.h"

static enum av_err
need_vault(struct op_call *c)
{
	if (c->k->vault != NULL)
		return AV_OK;
	*c->fault = c->k->open_fault;
	return c->fault->err;
}

static void
note_wrong(struct op_call *c)
{
	struct audit_event event = op_event(c, "vault.unlock_failed");
	event.decision = "deny";
	event.reason = str_of(c->fault->reason);
	keeper_note(c->k, &event);
}

static enum av_err
open_vault(struct op_call *c, const struct derived *d)
{
	struct keeper *k = c->k;
	enum av_err e = vault_unlock(k->vault, d->key, c->fault);
	if (e != AV_OK) {
		note_wrong(c);
		return e;
	}
	struct audit_event event = op_event(c, "vault.unlock");
	event.reason = str_of(k->vault->fault.reason);
	if (keeper_note_signed(k, &event) != AV_OK) {
		vault_lock(k->vault);
		return fault_set(c->fault, AV_EAUDIT, "audit_write_failed",
		    "Check free space and permissions",
		    "the vault stays locked: the audit row could not "
		    "be written");
	}
	keeper_tell_busy(k);
	channel_push_state(k);
	return keeper_usable(k, c->fault);
}

enum av_err
op_unlock(struct op_call *c)
{
	struct derived d;
	enum av_err e = need_vault(c);
	if (e != AV_OK)
		return e;
	if (!c->k->vault->locked) {
		/* Open, or never to be opened by a passphrase: then why it is not. */
		e = keeper_usable(c->k, c->fault);
		return e == AV_OK ? op_make_status(c) : e;
	}
	e = derivation_get(
	    c->k, &c->k->vault->kdf, STR_LIT(""), c->secret, &d, &c->later, c->fault);
	if (e == AV_OK && !c->later)
		e = open_vault(c, &d);
	return e == AV_OK && !c->later ? op_make_status(c) : e;
}

enum av_err
op_lock(struct op_call *c)
{
	struct keeper *k = c->k;
	enum av_err e = need_vault(c);
	if (e != AV_OK)
		return e;
	if (k->vault->locked)
		return op_make_status(c);
	/* What was let through before the lock is written down before it. */
	batch_settle(k);
	struct audit_event event = op_event(c, "vault.lock");
	if (!vault_has_passphrase(k->vault)) {
		e = keeper_usable(k, c->fault);
		if (e != AV_OK)
			return e;
		event.note = STR_LIT("no effect: the key needs no passphrase");
		keeper_note(k, &event);
		op_note(c,
		    "nothing is locked: the key of this vault is at hand whenever the daemon runs");
		return op_make_status(c);
	}
	/* Signed while the key is there. A row that cannot be written is no reason to stay open. */
	e = keeper_note_signed(k, &event);
	if (e != AV_OK)
		op_note(c, "the audit row of this lock could not be written");
	vault_lock(k->vault);
	derivation_settle(k);
	keeper_tell_busy(k);
	channel_push_state(k);
	return op_make_status(c);
}
