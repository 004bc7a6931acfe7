/* SPDX-License-Identifier: Apache-2.0 */
#include "keeper/batch.h"

#include "audit/checkpoint.h"
#include "base/clock.h"
#include "base/log.h"
#include "keeper/denials.h"
#include "keeper/release.h"

#include <stdlib.h>
#include <string.h>

#define CHECKPOINT_EVERY 1000
#define RETRY_AFTER_MS 1000u

struct decided {
	struct channel *channel;
	struct release release;
};

struct batch {
	struct decided *items;
	size_t count;
	size_t cap;
	size_t rows;
	bool open; /* the transaction has begun */
};

bool
batch_is_open(const struct keeper *k)
{
	return k->batch != NULL && k->batch->open;
}

static int
channel_due_ms(const struct channel *c, uint64_t now_ms)
{
	/* For one that is gone no company comes: it waits only for another try. */
	uint64_t at = c->pending_since_ms + (c->dead ? 0 : BATCH_WAIT_MS);
	if (c->has_release || c->pending.len > CHANNEL_PENDING_MAX / 2 || at <= now_ms)
		return 0;
	return (int)(at - now_ms);
}

int
batch_due_ms(const struct keeper *k, uint64_t now_ms)
{
	int due = k->vault != NULL ? denials_due_ms(k->denials, now_ms) : -1;
	bool waits = false;
	for (size_t i = 0; i < KEEPER_MAX_CHANNELS; i++) {
		const struct channel *c = k->channels[i];
		if (c == NULL || c->pending.len == 0)
			continue;
		waits = true;
		int wait = channel_due_ms(c, now_ms);
		if (due < 0 || wait < due)
			due = wait;
	}
	/* A channel that ended early may have left its rows in the transaction. */
	return batch_is_open(k) && !waits ? 0 : due;
}

static enum av_err
decide(struct keeper *k, struct batch *b, struct channel *c, const struct frame *f)
{
	if (b->count == b->cap) {
		size_t cap = b->cap > 0 ? b->cap * 2 : 16;
		struct decided *items = realloc(b->items, cap * sizeof(*items));
		if (items == NULL)
			return AV_ENOMEM;
		b->items = items;
		b->cap = cap;
	}
	struct decided *d = &b->items[b->count];
	memset(d, 0, sizeof(*d));
	d->channel = c;
	enum av_err e = keeper_release_decode(f, &d->release.ask);
	if (e != AV_OK) {
		c->dead = true;
		log_error("broker channel: malformed release, closed");
		return AV_OK;
	}
	b->count++;
	if (k->vault == NULL) {
		d->release.fault = k->open_fault;
		return AV_OK;
	}
	b->rows++;
	return release_decide(k, &d->release);
}

static enum av_err
note_one(struct keeper *k, struct batch *b, struct channel *c, const struct frame *f)
{
	struct keeper_denied denied;
	struct keeper_outcome outcome;
	bool is_denied = f->type == KEEPER_DENIED;
	enum av_err e =
	    is_denied ? keeper_denied_decode(f, &denied) : keeper_outcome_decode(f, &outcome);
	if (e != AV_OK) {
		c->dead = true;
		log_error("broker channel: malformed row, closed");
		return AV_OK;
	}
	if (k->vault == NULL)
		return AV_OK;
	b->rows++;
	return is_denied ? release_note_denied(k, &denied) : release_note_outcome(k, &outcome);
}

static enum av_err
take_channel(struct keeper *k, struct batch *b, struct channel *c)
{
	while (b->count < BATCH_MAX) {
		struct frame f;
		size_t n = 0;
		if (frame_parse(c->pending.data + c->taken, c->pending.len - c->taken, &f, &n) !=
		    AV_OK)
			return AV_OK;
		c->taken += n;
		enum av_err e =
		    f.type == KEEPER_RELEASE ? decide(k, b, c, &f) : note_one(k, b, c, &f);
		if (e != AV_OK)
			return e;
	}
	return AV_OK;
}

/* A release that was not reached before the failure needs its answer too. Rows are kept, those of a
 * broker that is gone too: nobody else has them. */
static void
fail_releases(struct keeper *k, struct channel *c)
{
	struct buf kept;
	size_t at = 0;
	buf_init(&kept, CHANNEL_PENDING_MAX);
	while (at < c->pending.len) {
		struct frame f;
		struct keeper_release ask;
		size_t n = 0;
		if (frame_parse(c->pending.data + at, c->pending.len - at, &f, &n) != AV_OK)
			break;
		if (f.type != KEEPER_RELEASE) {
			if (kept.len + n > BATCH_KEEP_MAX ||
			    buf_append(&kept, c->pending.data + at, n) != AV_OK)
				log_error("audit: a row was lost, the log cannot be written");
		} else if (keeper_release_decode(&f, &ask) == AV_OK) {
			struct keeper_fault fault = {.ask_id = ask.ask_id};
			fault_set(&fault.fault, AV_EAUDIT, "audit_write_failed",
			    "Check free space and permissions",
			    "the audit row could not be written");
			if (!c->dead && keeper_fault_encode(&fault, &c->out) != AV_OK)
				c->dead = true;
			judge_link_refund(&k->judge, ask.charges, ask.charge_count);
			keeper_release_clear(&ask);
		}
		at += n;
	}
	buf_clear(&c->pending);
	c->pending = kept;
	c->taken = 0;
	c->has_release = false;
	c->pending_since_ms = kept.len > 0 ? clock_mono_ms() + RETRY_AFTER_MS : 0;
}

static void
answer_all(struct keeper *k, struct batch *b)
{
	for (size_t i = 0; i < b->count; i++) {
		struct decided *d = &b->items[i];
		if (d->release.fault.err != AV_OK)
			judge_link_refund(
			    &k->judge, d->release.ask.charges, d->release.ask.charge_count);
		if (!d->channel->dead &&
		    release_answer(k, &d->release, &d->channel->out) != AV_OK) {
			log_error("broker channel: an answer could not be written, closed");
			d->channel->dead = true;
		}
	}
}

static void
settle_channel(struct channel *c)
{
	buf_consume(&c->pending, c->taken);
	c->taken = 0;
	c->has_release = false;
	for (size_t at = 0; at < c->pending.len;) {
		struct frame f;
		size_t n = 0;
		if (frame_parse(c->pending.data + at, c->pending.len - at, &f, &n) != AV_OK)
			break;
		c->has_release = c->has_release || f.type == KEEPER_RELEASE;
		at += n;
	}
	if (c->pending.len == 0)
		c->pending_since_ms = 0;
}

static enum av_err
commit(struct keeper *k, struct batch *b)
{
	if (k->vault == NULL)
		return AV_OK;
	if (b->rows > 0 && k->vault->kek != NULL &&
	    k->log.last_id / CHECKPOINT_EVERY != k->log.kept_id / CHECKPOINT_EVERY &&
	    checkpoint_add(k->vault, &k->log) != AV_OK)
		log_warn("audit: no checkpoint could be signed");
	enum av_err e = audit_log_finish(&k->log);
	return e == AV_OK ? store_commit(k->vault->store) : e;
}

/* Opens the transaction where none is, and puts what waits into it. */
static enum av_err
gather(struct keeper *k)
{
	enum av_err e = AV_OK;
	if (k->batch == NULL && (k->batch = calloc(1, sizeof(*k->batch))) == NULL)
		return AV_ENOMEM;
	if (k->vault != NULL && !k->batch->open) {
		e = store_begin(k->vault->store);
		k->batch->open = e == AV_OK;
	}
	for (size_t i = 0; e == AV_OK && i < KEEPER_MAX_CHANNELS; i++)
		if (k->channels[i] != NULL && k->channels[i]->pending.len > k->channels[i]->taken)
			e = take_channel(k, k->batch, k->channels[i]);
	return e;
}

/* The end of the transaction, kept (AV_OK) or not, for everybody who has to do with it. */
static void
settle(struct keeper *k, enum av_err e)
{
	struct batch *b = k->batch;
	if (k->vault != NULL) {
		store_rollback(k->vault->store);
		denials_settle(k->denials, e == AV_OK);
		audit_log_settle(&k->log, e == AV_OK);
	}
	if (e != AV_OK)
		log_error("audit: a batch of rows could not be written: %s",
		    k->vault != NULL ? store_message(k->vault->store) : av_err_text(e));
	if (b != NULL && e == AV_OK)
		answer_all(k, b);
	for (size_t i = 0; b != NULL && i < b->count; i++)
		release_clear(&b->items[i].release);
	if (b != NULL) {
		b->count = b->rows = 0;
		b->open = false;
	}
	for (size_t i = 0; i < KEEPER_MAX_CHANNELS; i++) {
		struct channel *c = k->channels[i];
		if (c == NULL)
			continue;
		if (e == AV_OK)
			settle_channel(c);
		else
			fail_releases(k, c);
		channel_write(c);
	}
}

static void
flush(struct keeper *k, bool all)
{
	enum av_err e = gather(k);
	if (e == AV_OK && k->vault != NULL)
		e = denials_flush(k->denials, &k->log, clock_mono_ms(), all);
	if (e == AV_OK)
		e = commit(k, k->batch);
	settle(k, e);
}

void
batch_gather(struct keeper *k)
{
	bool more = false;
	for (size_t i = 0; i < KEEPER_MAX_CHANNELS; i++) {
		const struct channel *c = k->channels[i];
		/* Rows that are kept for another try wait until it is due. */
		more = more ||
		    (c != NULL && c->pending.len > c->taken &&
		        c->pending_since_ms <= clock_mono_ms());
	}
	if (!more)
		return;
	enum av_err e = gather(k);
	if (e != AV_OK)
		settle(k, e);
}

void
batch_free(struct keeper *k)
{
	if (k->batch != NULL)
		free(k->batch->items);
	free(k->batch);
	k->batch = NULL;
}

void
batch_flush(struct keeper *k)
{
	flush(k, false);
}

void
batch_settle(struct keeper *k)
{
	for (size_t i = 0; i < KEEPER_MAX_CHANNELS; i++)
		if (k->channels[i] != NULL && !k->channels[i]->dead)
			channel_read(k, k->channels[i]);
	flush(k, true);
}
