/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/keeper_client.h"

#include "base/log.h"
#include "broker/channel.h"
#include "broker/invoke.h"
#include "broker/keeper_asks.h"
#include "broker/upstream.h"

#include <stdlib.h>

struct keeper_client {
	struct broker *b;
	struct channel *ch;
	struct keeper_asks *asks;
	struct keeper_state state;
	bool has_state;
};

/* Every question that waits gets an answer, those too that handlers ask meanwhile on no channel. */
static void
keeper_fail_all(struct keeper_client *k)
{
	struct keeper_fault f = {0};
	struct keeper_answer answer = {.fault = &f};

	fault_set(&f.fault, AV_EUNAVAIL, "keeper_unavailable", "Try again in a moment.",
	    "The part of aivault that holds the keys went away.");
	keeper_asks_fail(k->asks, &answer);
}

/* What it released is not used: the call was told before that the keeper is slow. */
static void
keeper_on_late(void *ctx, struct str request_id, struct str capability)
{
	struct keeper_outcome m = {
	    .request_id = request_id, .capability = capability, .reason = STR_LIT("keeper_slow")};

	keeper_client_outcome(ctx, &m);
}

static void
keeper_on_closed(void *ctx, bool nonsense)
{
	struct keeper_client *k = ctx;

	(void)nonsense;
	k->ch = NULL;
	k->has_state = false;
	keeper_fail_all(k);
	broker_tell_keeper_lost(k->b);
}

static enum av_err
keeper_on_resolved(struct keeper_client *k, const struct frame *f)
{
	struct keeper_resolved m;
	struct keeper_answer answer = {.resolved = &m};
	enum av_err e = keeper_resolved_decode(f, &m);

	if (e != AV_OK)
		return e;
	keeper_asks_answer(k->asks, m.ask_id, KEEPER_RESOLVED, &answer);
	keeper_resolved_clear(&m);
	return AV_OK;
}

static enum av_err
keeper_on_released(struct keeper_client *k, const struct frame *f)
{
	struct keeper_released m;
	struct keeper_answer answer = {.released = &m};
	enum av_err e = keeper_released_decode(f, &m);

	if (e != AV_OK)
		return e;
	keeper_asks_answer(k->asks, m.ask_id, KEEPER_RELEASED, &answer);
	keeper_released_clear(&m);
	return AV_OK;
}

static enum av_err
keeper_on_fault(struct keeper_client *k, const struct frame *f)
{
	struct keeper_fault m;
	struct keeper_answer answer = {.fault = &m};
	enum av_err e = keeper_fault_decode(f, &m);

	if (e != AV_OK)
		return e;
	/* A fault that says "done" would read as an answer without one. */
	if (m.fault.err == AV_OK)
		return AV_EFORMAT;
	keeper_asks_answer(k->asks, m.ask_id, 0, &answer);
	return AV_OK;
}

static enum av_err
keeper_on_listed(struct keeper_client *k, const struct frame *f)
{
	struct keeper_listed m;
	struct keeper_answer answer = {.listed = &m};
	enum av_err e = keeper_listed_decode(f, &m);

	if (e != AV_OK)
		return e;
	keeper_asks_answer(k->asks, m.ask_id, KEEPER_LISTED, &answer);
	return AV_OK;
}

/* A lock ends what was let through before it. */
static enum av_err
keeper_on_state(struct keeper_client *k, const struct frame *f)
{
	enum av_err e = keeper_state_decode(f, &k->state);
	struct fault locked;

	k->has_state = e == AV_OK;
	if (e == AV_OK)
		broker_on_keeper_state(k->b);
	if (e == AV_OK && k->state.locked != 0 && keeper_client_check(k, &locked) != AV_OK) {
		invoke_end(k->b, STR_LIT(""), STR_LIT(""), &locked);
		upstream_drop_kept(k->b->upstream);
	}
	return e;
}

/* What it was released for is not to be used any longer. */
static enum av_err
keeper_on_revoked(struct keeper_client *k, const struct frame *f)
{
	struct keeper_revoked m;
	enum av_err e = keeper_revoked_decode(f, &m);

	if (e != AV_OK)
		return e;
	invoke_end(k->b, m.capability, m.credential, &m.fault);
	upstream_drop_kept(k->b->upstream);
	return AV_OK;
}

static enum av_err
keeper_on_frame(void *ctx, const struct frame *f)
{
	struct keeper_client *k = ctx;

	switch (f->type) {
	case KEEPER_RESOLVED:
		return keeper_on_resolved(k, f);
	case KEEPER_RELEASED:
		return keeper_on_released(k, f);
	case KEEPER_FAULT:
		return keeper_on_fault(k, f);
	case KEEPER_LISTED:
		return keeper_on_listed(k, f);
	case KEEPER_STATE:
		return keeper_on_state(k, f);
	case KEEPER_REVOKED:
		return keeper_on_revoked(k, f);
	default:
		return AV_EFORMAT;
	}
}

static const struct channel_ops keeper_channel_ops = {
    .frame = keeper_on_frame,
    .closed = keeper_on_closed,
};

enum av_err
keeper_client_new(struct broker *b, struct keeper_client **out)
{
	struct keeper_client *k = calloc(1, sizeof(*k));

	if (k == NULL || keeper_asks_new(&b->loop, keeper_on_late, k, &k->asks) != AV_OK) {
		free(k);
		return AV_ENOMEM;
	}
	k->b = b;
	*out = k;
	return AV_OK;
}

void
keeper_client_free(struct keeper_client *k)
{
	if (k == NULL)
		return;
	if (k->ch != NULL)
		channel_close(k->ch);
	k->ch = NULL;
	keeper_fail_all(k);
	keeper_asks_free(k->asks);
	free(k);
}

enum av_err
keeper_client_use(struct keeper_client *k, int fd)
{
	struct channel *old = k->ch;

	k->ch = NULL;
	k->has_state = false;
	channel_close(old);
	keeper_fail_all(k);
	return channel_open(&k->b->loop, &k->b->later, fd, &keeper_channel_ops, k, &k->ch);
}

bool
keeper_client_has_channel(const struct keeper_client *k)
{
	return k->ch != NULL;
}

bool
keeper_client_is_up(const struct keeper_client *k)
{
	return k->ch != NULL && k->has_state;
}

bool
keeper_client_locked(const struct keeper_client *k)
{
	return !keeper_client_is_up(k) || k->state.locked != 0;
}

bool
keeper_client_has_vault(const struct keeper_client *k)
{
	return keeper_client_is_up(k) && k->state.has_vault != 0;
}

uint64_t
keeper_client_generation(const struct keeper_client *k)
{
	return k->state.generation;
}

enum av_err
keeper_client_check(const struct keeper_client *k, struct fault *f)
{
	if (!keeper_client_is_up(k))
		return fault_set(f, AV_EUNAVAIL, "keeper_unavailable", "Try again in a moment.",
		    "The part of aivault that holds the keys is not running.");
	if (k->state.has_vault == 0)
		return fault_set(f, AV_ENOVAULT, "no_vault",
		    "Ask the vault's owner to run `aivault init`.", "There is no vault yet.");
	if (k->state.locked != 0)
		return fault_set(f, AV_ELOCKED, "vault_locked",
		    "Ask the vault's owner to run `aivault unlock`.", "The vault is locked.");
	return AV_OK;
}

enum av_err
keeper_client_resolve(struct keeper_client *k, struct keeper_resolve *m, uint64_t wait_ms,
    keeper_answer_fn fn, void *ctx)
{
	enum av_err e;

	if (k->ch == NULL)
		return AV_EUNAVAIL;
	m->ask_id = keeper_asks_next_id(k->asks);
	e = keeper_resolve_encode(m, channel_out(k->ch));
	if (e == AV_OK)
		e = keeper_asks_add(k->asks, KEEPER_RESOLVED, wait_ms, NULL, fn, ctx);
	channel_kick(k->ch);
	return e;
}

enum av_err
keeper_client_release(struct keeper_client *k, struct keeper_release *m, uint64_t wait_ms,
    keeper_answer_fn fn, void *ctx)
{
	enum av_err e;

	if (k->ch == NULL)
		return AV_EUNAVAIL;
	m->ask_id = keeper_asks_next_id(k->asks);
	e = keeper_release_encode(m, channel_out(k->ch));
	if (e == AV_OK)
		e = keeper_asks_add(k->asks, KEEPER_RELEASED, wait_ms, m, fn, ctx);
	channel_kick(k->ch);
	return e;
}

enum av_err
keeper_client_list(struct keeper_client *k, struct keeper_list *m, keeper_answer_fn fn, void *ctx)
{
	enum av_err e;

	if (k->ch == NULL)
		return AV_EUNAVAIL;
	m->ask_id = keeper_asks_next_id(k->asks);
	e = keeper_list_encode(m, channel_out(k->ch));
	if (e == AV_OK)
		e = keeper_asks_add(k->asks, KEEPER_LISTED, 0, NULL, fn, ctx);
	channel_kick(k->ch);
	return e;
}

void
keeper_client_denied(struct keeper_client *k, const struct keeper_denied *m)
{
	if (k->ch == NULL || keeper_denied_encode(m, channel_out(k->ch)) != AV_OK)
		log_warn("the denial of request %.*s has no audit row: the keeper is not there",
		    STR_FMT(m->request_id));
	else
		channel_kick(k->ch);
}

void
keeper_client_outcome(struct keeper_client *k, const struct keeper_outcome *m)
{
	if (k->ch == NULL || keeper_outcome_encode(m, channel_out(k->ch)) != AV_OK)
		log_warn("the outcome of request %.*s has no audit row: the keeper is not there",
		    STR_FMT(m->request_id));
	else
		channel_kick(k->ch);
}
