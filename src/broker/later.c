/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/later.h"

/* Items that queue each other get this many rounds a turn; then events come first again. */
#define LATER_ROUNDS 4

static void
later_unlink(struct later_item *item)
{
	item->prev->next = item->next;
	item->next->prev = item->prev;
	item->next = NULL;
	item->prev = NULL;
	item->queued = false;
}

static void
later_link(struct later_item *head, struct later_item *item)
{
	item->prev = head->prev;
	item->next = head;
	head->prev->next = item;
	head->prev = item;
	item->queued = true;
}

static void
later_on_idle(uv_idle_t *handle)
{
	(void)handle;
}

static void
later_round(struct later *l)
{
	struct later_item mark = {0};

	l->running = true;
	l->gathered = 0;
	/* The mark ends this round, so that what runs may queue itself again. */
	later_link(&l->head, &mark);
	while (l->head.next != &mark) {
		struct later_item *item = l->head.next;

		later_unlink(item);
		item->run(item);
	}
	later_unlink(&mark);
	l->running = false;
}

static void
later_on_prepare(uv_prepare_t *handle)
{
	struct later *l = handle->data;
	int round;

	for (round = 0; round < LATER_ROUNDS && l->head.next != &l->head; round++)
		later_round(l);
	if (l->head.next != &l->head)
		uv_idle_start(&l->idle, later_on_idle);
	else
		uv_idle_stop(&l->idle);
}

int
later_init(struct later *l, uv_loop_t *loop)
{
	int rc;

	l->head.next = &l->head;
	l->head.prev = &l->head;
	l->head.run = NULL;
	l->head.queued = true;
	rc = uv_prepare_init(loop, &l->prepare);
	if (rc == 0)
		rc = uv_idle_init(loop, &l->idle);
	if (rc != 0)
		return rc;
	l->prepare.data = l;
	rc = uv_prepare_start(&l->prepare, later_on_prepare);
	/* It works for others, and is no reason of its own to keep the loop running. */
	uv_unref((uv_handle_t *)&l->prepare);
	return rc;
}

void
later_close(struct later *l)
{
	uv_close((uv_handle_t *)&l->prepare, NULL);
	uv_close((uv_handle_t *)&l->idle, NULL);
}

void
later_add(struct later *l, struct later_item *item)
{
	l->gathered++;
	if (!item->queued)
		later_link(&l->head, item);
}

void
later_turn(struct later *l)
{
	if (l->gathered >= LATER_GATHER && !l->running)
		later_round(l);
}

void
later_cancel(struct later *l, struct later_item *item)
{
	(void)l;
	if (item->queued)
		later_unlink(item);
}
