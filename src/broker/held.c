/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/held.h"

#include <stdbool.h>
#include <string.h>

void
held_begin(struct held *h, struct held **first, uint32_t uid)
{
	h->uid = uid;
	h->bytes = 0;
	h->next = *first;
	h->link = first;
	if (h->next != NULL)
		h->next->link = &h->next;
	*first = h;
}

void
held_end(struct held *h)
{
	if (h->link == NULL)
		return;
	*h->link = h->next;
	if (h->next != NULL)
		h->next->link = h->link;
	memset(h, 0, sizeof(*h));
}

/* Whether `more` fits under `max` beside what there is; sums never pass max, so nothing overflows. */
static bool
fits(size_t sum, size_t more, size_t max)
{
	return sum <= max && more <= max - sum;
}

enum av_err
held_set(struct held *h, const struct held *first, size_t bytes, struct fault *f)
{
	size_t all = 0, callers = 0;

	for (; first != NULL; first = first->next) {
		if (first == h)
			continue;
		all += first->bytes;
		if (first->uid == h->uid)
			callers += first->bytes;
	}
	if (!fits(callers, bytes, HELD_MAX_CALLER))
		return fault_set(f, AV_ERATE, "caller_memory_limit",
		    "Send fewer at once, or use /i/<capability>/-/<path>: it streams.",
		    "The envelopes of one user may take %u MiB at a time.", HELD_MAX_CALLER >> 20);
	if (!fits(all, bytes, HELD_MAX_ALL))
		return fault_set(f, AV_ERATE, "memory_limit",
		    "Try again in a moment, or use /i/<capability>/-/<path>: it streams.",
		    "All envelopes together may take %u MiB at a time.", HELD_MAX_ALL >> 20);
	h->bytes = bytes;
	return AV_OK;
}
