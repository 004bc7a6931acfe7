/* SPDX-License-Identifier: Apache-2.0 */
#include "keeper/checkpoint_timer.h"

#include "audit/checkpoint.h"
#include "base/clock.h"
#include "base/log.h"

int
checkpoint_due_ms(const struct keeper *k, uint64_t now_ms)
{
	if (k->vault == NULL || k->vault->kek == NULL || k->log.unsigned_since_ms == 0)
		return -1;
	uint64_t at = k->log.unsigned_since_ms + CHECKPOINT_WAIT_MS;
	return at <= now_ms ? 0 : (int)(at - now_ms);
}

void
checkpoint_make(struct keeper *k)
{
	enum av_err e = store_begin(k->vault->store);
	if (e == AV_OK)
		e = checkpoint_add(k->vault, &k->log);
	if (e == AV_OK)
		e = store_commit(k->vault->store);
	else
		store_rollback(k->vault->store);
	audit_log_settle(&k->log, e == AV_OK);
	if (e != AV_OK) {
		log_error("audit: no checkpoint could be made: %s", store_message(k->vault->store));
		k->log.unsigned_since_ms = clock_mono_ms();
	}
}
