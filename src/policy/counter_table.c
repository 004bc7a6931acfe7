/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/counter_table.h"

#include <stdlib.h>
#include <string.h>

#define BUCKETS 1024u /* a power of two */
/* The window's slots, and the one that is leaving it. */
#define RING (COUNTER_SLOTS + 1u)

struct counter {
	struct counter *next;
	uint64_t last_use;
	uint64_t slot_at; /* number of the newest slot: time divided by the slot's length */
	uint32_t slots[RING];
	uint32_t window_s;
	uint32_t key_len;
	char key[COUNTER_KEY_MAX];
};

struct counter_table {
	struct counter *buckets[BUCKETS];
	size_t count;
	uint64_t uses;
};

struct counter_table *
counter_table_new(void)
{
	return calloc(1, sizeof(struct counter_table));
}

void
counter_table_clear(struct counter_table *t)
{
	for (size_t i = 0; i < BUCKETS; i++) {
		struct counter *c = t->buckets[i];
		while (c != NULL) {
			struct counter *next = c->next;
			free(c);
			c = next;
		}
		t->buckets[i] = NULL;
	}
	t->count = 0;
}

void
counter_table_free(struct counter_table *t)
{
	if (t != NULL) {
		counter_table_clear(t);
	}
	free(t);
}

/* FNV-1a. The keys are bounded in number, so colliding ones cost little. */
static size_t
bucket_of(struct str key)
{
	uint32_t h = 2166136261u;
	for (size_t i = 0; i < key.len; i++) {
		h = (h ^ (unsigned char)key.p[i]) * 16777619u;
	}
	return (h ^ (h >> 16)) & (BUCKETS - 1);
}

static struct counter *
find(const struct counter_table *t, struct str key, uint32_t window_s)
{
	struct counter *c = t->buckets[bucket_of(key)];
	while (c != NULL &&
	    !(str_eq((struct str){c->key, c->key_len}, key) &&
	        (window_s == 0 || c->window_s == window_s))) {
		c = c->next;
	}
	return c;
}

static uint64_t
slot_ms(uint32_t window_s)
{
	return ((uint64_t)window_s * 1000u + COUNTER_SLOTS - 1u) / COUNTER_SLOTS;
}

static uint64_t
slot_number(uint32_t window_s, int64_t now_ms)
{
	return (uint64_t)(now_ms > 0 ? now_ms : 0) / slot_ms(window_s);
}

/* The content of slot `number`, which is older than the ring, in it, or newer than anything. */
static uint32_t
slot_value(const struct counter *c, uint64_t number)
{
	if (number > c->slot_at || c->slot_at - number >= RING) {
		return 0;
	}
	return c->slots[number % RING];
}

/* A clock that went back a little sees the newest slot as now: nothing counted is forgotten. */
static uint64_t
now_slot(const struct counter *c, int64_t now_ms)
{
	uint64_t now = slot_number(c->window_s, now_ms);
	return now < c->slot_at ? c->slot_at : now;
}

/* One that was put back by more than the window would do so for as long as it is behind. What was counted
 * counts on as if of now, as in the keeper: for its window and no longer. */
static void
follow_clock_back(struct counter *c, int64_t now_ms)
{
	uint64_t now = slot_number(c->window_s, now_ms), sum = 0;
	if (c->slot_at < now + RING) {
		return;
	}
	for (size_t i = 0; i < RING; i++) {
		sum += c->slots[i];
		c->slots[i] = 0;
	}
	c->slot_at = now;
	c->slots[now % RING] = sum > UINT32_MAX ? UINT32_MAX : (uint32_t)sum;
}

uint64_t
counter_table_sum(struct counter_table *t, struct str key, uint32_t window_s, int64_t now_ms)
{
	struct counter *c = find(t, key, window_s);
	uint64_t sum = 0;
	if (c == NULL) {
		return 0;
	}
	follow_clock_back(c, now_ms);
	uint64_t now = now_slot(c, now_ms);
	for (uint64_t i = 0; i < RING && i <= now; i++) {
		sum += slot_value(c, now - i);
	}
	return sum;
}

uint32_t
counter_table_wait(
    struct counter_table *t, struct str key, uint32_t window_s, uint64_t need, int64_t now_ms)
{
	struct counter *c = find(t, key, window_s);
	if (c == NULL) {
		return 1;
	}
	follow_clock_back(c, now_ms);
	uint64_t now = now_slot(c, now_ms), gone = 0, oldest = RING - 1;
	uint64_t steps = RING;
	for (uint64_t i = 0; i < RING; i++) {
		uint64_t age = oldest - i;
		gone += age <= now ? slot_value(c, now - age) : 0;
		if (gone >= need) {
			steps = i + 1;
			break;
		}
	}
	uint64_t ends = (now + steps) * slot_ms(c->window_s);
	uint64_t at = (uint64_t)(now_ms > 0 ? now_ms : 0);
	uint64_t seconds = ends > at ? (ends - at + 999u) / 1000u : 1;
	return seconds < 1 ? 1 : (uint32_t)seconds;
}

static void
evict_oldest(struct counter_table *t)
{
	struct counter **oldest = NULL;
	for (size_t i = 0; i < BUCKETS; i++) {
		for (struct counter **p = &t->buckets[i]; *p != NULL; p = &(*p)->next) {
			if (oldest == NULL || (*p)->last_use < (*oldest)->last_use) {
				oldest = p;
			}
		}
	}
	if (oldest != NULL) {
		struct counter *c = *oldest;
		*oldest = c->next;
		free(c);
		t->count--;
	}
}

static struct counter *
find_or_add(struct counter_table *t, struct str key, uint32_t window_s)
{
	struct counter *c = find(t, key, window_s);
	if (c != NULL || key.len > COUNTER_KEY_MAX || window_s == 0) {
		return c;
	}
	if (t->count >= COUNTER_MAX) {
		evict_oldest(t);
	}
	c = calloc(1, sizeof(*c));
	if (c == NULL) {
		return NULL;
	}
	memcpy(c->key, key.p, key.len);
	c->key_len = (uint32_t)key.len;
	c->window_s = window_s;
	struct counter **bucket = &t->buckets[bucket_of(key)];
	c->next = *bucket;
	*bucket = c;
	t->count++;
	return c;
}

static void
add_at(struct counter_table *t, struct counter *c, uint64_t n, int64_t at_ms)
{
	uint64_t now = now_slot(c, at_ms);
	if (now - c->slot_at >= RING) {
		memset(c->slots, 0, sizeof(c->slots));
	} else {
		for (uint64_t k = c->slot_at + 1; k <= now; k++) {
			c->slots[k % RING] = 0;
		}
	}
	c->slot_at = now;
	c->last_use = ++t->uses;
	uint32_t *slot = &c->slots[now % RING];
	uint64_t sum = *slot + n;
	*slot = sum > UINT32_MAX || sum < n ? UINT32_MAX : (uint32_t)sum;
}

void
counter_table_charge(
    struct counter_table *t, const struct charge *charges, size_t count, int64_t now_ms)
{
	for (size_t i = 0; i < count; i++) {
		struct counter *c = find_or_add(t, charges[i].key, charges[i].window_s);
		if (c == NULL) {
			continue; /* the keeper counts it all the same */
		}
		follow_clock_back(c, now_ms);
		add_at(t, c, charges[i].n, now_ms);
	}
}

void
counter_table_refund(struct counter_table *t, const struct charge *charges, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct counter *c =
		    charges[i].window_s > 0 ? find(t, charges[i].key, charges[i].window_s) : NULL;
		uint64_t left = charges[i].n;
		for (uint64_t k = 0; c != NULL && k < RING && k <= c->slot_at && left > 0; k++) {
			uint32_t *slot = &c->slots[(c->slot_at - k) % RING];
			uint32_t part = left < *slot ? (uint32_t)left : *slot;
			*slot -= part;
			left -= part;
		}
	}
}

/* Steps come oldest first, maybe after a charge of just now: an old one says nothing about the clock. */
void
counter_table_fill(struct counter_table *t, const struct counts_fill *m)
{
	if (m->window_s > COUNTER_MAX_WINDOW_S) {
		return;
	}
	for (size_t i = 0; i < m->step_count; i++) {
		struct counter *c = find_or_add(t, m->key, m->window_s);
		if (c != NULL) {
			add_at(t, c, m->steps[i].n, m->steps[i].at_ms);
		}
	}
}
