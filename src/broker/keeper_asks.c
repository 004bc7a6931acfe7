/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/keeper_asks.h"

#include "base/log.h"

#include <stdlib.h>

#define TICK_MS 250u

struct ask {
	struct ask *next;
	struct ask *prev;
	uint64_t id;
	uint16_t want; /* the message type that answers it */
	uint64_t until_ms;
	bool overdue; /* for a tick: an answer may lie unread in the socket */
	keeper_answer_fn fn; /* NULL: it was told that the keeper is slow */
	void *ctx;
	struct str request_id; /* of a release; borrowed from who waits, copied when that ends */
	struct str capability;
};

struct keeper_asks {
	struct ask head; /* a ring, oldest first: answers mostly come in order */
	uint64_t last_id;
	keeper_late_fn late;
	void *ctx;
	uv_loop_t *loop;
	uv_timer_t *timer;
};

static void
ask_unlink(struct ask *a)
{
	a->prev->next = a->next;
	a->next->prev = a->prev;
}

static void
ask_free(struct ask *a)
{
	if (a->fn == NULL) {
		free((char *)(uintptr_t)a->request_id.p);
		free((char *)(uintptr_t)a->capability.p);
	}
	free(a);
}

/* Before who waits is told: after that what is borrowed is gone. */
static void
ask_keep_texts(struct ask *a)
{
	struct str id = a->request_id, capability = a->capability;

	if (id.p == NULL)
		return;
	a->request_id.p = str_dup(id);
	a->capability.p = str_dup(capability);
	if (a->request_id.p == NULL || a->capability.p == NULL)
		log_error("out of memory: a call that was released too late gets no outcome row");
}

static void
ask_give_up(struct ask *a)
{
	keeper_answer_fn fn = a->fn;
	struct keeper_fault f = {0};
	struct keeper_answer answer = {.fault = &f};

	fault_set(&f.fault, AV_EUNAVAIL, "keeper_slow",
	    "Nothing was sent: try again; if it stays so, look at the disk with the vault.",
	    "The part of aivault that holds the keys did not answer in time.");
	ask_keep_texts(a);
	a->fn = NULL;
	fn(a->ctx, &answer);
}

static void
asks_on_tick(uv_timer_t *timer)
{
	struct keeper_asks *asks = timer->data;
	uint64_t now = uv_now(asks->loop);
	struct ask *a = asks->head.next;
	size_t given_up = 0;

	if (a == &asks->head)
		uv_timer_stop(timer);
	while (a != &asks->head) {
		if (a->fn != NULL && a->overdue) {
			ask_give_up(a);
			given_up++;
		} else {
			a->overdue = now >= a->until_ms;
		}
		a = a->next;
	}
	if (given_up > 0)
		log_error("the keeper is silent: %zu calls were told to try again", given_up);
}

enum av_err
keeper_asks_new(uv_loop_t *loop, keeper_late_fn late, void *ctx, struct keeper_asks **out)
{
	struct keeper_asks *a = calloc(1, sizeof(*a));
	uv_timer_t *timer = calloc(1, sizeof(*timer));

	if (a == NULL || timer == NULL || uv_timer_init(loop, timer) != 0) {
		free(a);
		free(timer);
		return AV_ENOMEM;
	}
	timer->data = a;
	a->timer = timer;
	a->loop = loop;
	a->late = late;
	a->ctx = ctx;
	a->head.next = &a->head;
	a->head.prev = &a->head;
	*out = a;
	return AV_OK;
}

static void
asks_on_timer_closed(uv_handle_t *handle)
{
	free(handle);
}

void
keeper_asks_free(struct keeper_asks *a)
{
	if (a == NULL)
		return;
	uv_close((uv_handle_t *)a->timer, asks_on_timer_closed);
	free(a);
}

uint64_t
keeper_asks_next_id(struct keeper_asks *a)
{
	return ++a->last_id;
}

enum av_err
keeper_asks_add(struct keeper_asks *asks, uint16_t want, uint64_t wait_ms,
    const struct keeper_release *release, keeper_answer_fn fn, void *ctx)
{
	struct ask *a = calloc(1, sizeof(*a));

	if (a == NULL)
		return AV_ENOMEM;
	a->id = asks->last_id;
	a->want = want;
	a->until_ms = uv_now(asks->loop) +
	    (wait_ms != 0 && wait_ms < KEEPER_PATIENCE_MS ? wait_ms : KEEPER_PATIENCE_MS);
	a->fn = fn;
	a->ctx = ctx;
	if (release != NULL) {
		a->request_id = release->request_id;
		a->capability = release->capability;
	}
	a->prev = asks->head.prev;
	a->next = &asks->head;
	asks->head.prev->next = a;
	asks->head.prev = a;
	if (!uv_is_active((uv_handle_t *)asks->timer))
		uv_timer_start(asks->timer, asks_on_tick, TICK_MS, TICK_MS);
	return AV_OK;
}

void
keeper_asks_answer(
    struct keeper_asks *asks, uint64_t id, uint16_t want, const struct keeper_answer *answer)
{
	struct ask *a = asks->head.next;

	while (a != &asks->head && a->id != id)
		a = a->next;
	if (a == &asks->head || (want != 0 && a->want != want))
		return;
	ask_unlink(a);
	if (a->fn != NULL)
		a->fn(a->ctx, answer);
	else if (answer->released != NULL && a->request_id.p != NULL && a->capability.p != NULL)
		asks->late(asks->ctx, a->request_id, a->capability);
	ask_free(a);
}

void
keeper_asks_fail(struct keeper_asks *asks, const struct keeper_answer *answer)
{
	while (asks->head.next != &asks->head) {
		struct ask *a = asks->head.next;

		ask_unlink(a);
		if (a->fn != NULL)
			a->fn(a->ctx, answer);
		ask_free(a);
	}
}
