/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/resolve_cache.h"

#include <stdlib.h>
#include <string.h>

#define RESOLVE_BUCKETS 256u

struct resolve_entry {
	struct resolve_entry *next;
	struct buf key;
	struct resolution *value;
};

struct resolve_cache {
	struct resolve_entry *buckets[RESOLVE_BUCKETS];
	size_t count;
	uint64_t generation;
};

void
resolution_unref(struct resolution *r)
{
	if (r == NULL || --r->refs > 0)
		return;
	keeper_resolved_clear(&r->r);
	free(r);
}

enum av_err
resolve_cache_new(struct resolve_cache **out)
{
	*out = calloc(1, sizeof(**out));
	return *out != NULL ? AV_OK : AV_ENOMEM;
}

static void
resolve_cache_empty(struct resolve_cache *c)
{
	size_t i;

	for (i = 0; i < RESOLVE_BUCKETS; i++) {
		while (c->buckets[i] != NULL) {
			struct resolve_entry *e = c->buckets[i];

			c->buckets[i] = e->next;
			buf_clear(&e->key);
			resolution_unref(e->value);
			free(e);
		}
	}
	c->count = 0;
}

void
resolve_cache_free(struct resolve_cache *c)
{
	if (c == NULL)
		return;
	resolve_cache_empty(c);
	free(c);
}

/* One unambiguous row of bytes: none of the texts can hold a NUL. */
static enum av_err
resolve_key_bytes(const struct resolve_key *k, struct buf *out)
{
	const struct caller *c = k->caller;

	(void)buf_append(out, &c->uid, sizeof(c->uid));
	(void)buf_append(out, k->capability.p, k->capability.len);
	(void)buf_append_byte(out, 0);
	(void)buf_append(out, k->credential.p, k->credential.len);
	(void)buf_append_byte(out, 0);
	(void)buf_append(out, c->name, strlen(c->name) + 1);
	(void)buf_append(out, c->workspace, strlen(c->workspace) + 1);
	(void)buf_append(out, c->group, strlen(c->group) + 1);
	return buf_err(out);
}

/* FNV-1a, 32 bits. */
static uint32_t
resolve_hash(const struct buf *key)
{
	uint32_t h = 2166136261u;
	size_t i;

	for (i = 0; i < key->len; i++)
		h = (h ^ key->data[i]) * 16777619u;
	return h % RESOLVE_BUCKETS;
}

struct resolution *
resolve_cache_get(struct resolve_cache *c, const struct resolve_key *k, uint64_t generation)
{
	struct resolution *found = NULL;
	struct resolve_entry *e;
	struct buf key;

	if (c->generation != generation) {
		resolve_cache_empty(c);
		c->generation = generation;
		return NULL;
	}
	buf_init(&key, 4096);
	if (resolve_key_bytes(k, &key) != AV_OK)
		goto out;
	for (e = c->buckets[resolve_hash(&key)]; e != NULL; e = e->next) {
		if (e->key.len == key.len && memcmp(e->key.data, key.data, key.len) == 0) {
			found = e->value;
			found->refs++;
			break;
		}
	}
out:
	buf_clear(&key);
	return found;
}

struct resolution *
resolve_cache_put(struct resolve_cache *c, const struct resolve_key *k, uint64_t generation,
    struct keeper_resolved *r)
{
	struct resolution *value = calloc(1, sizeof(*value));
	struct resolve_entry *e;
	uint32_t at;

	if (value == NULL)
		return NULL;
	value->r = *r;
	value->refs = 1;
	memset(r, 0, sizeof(*r));
	if (value->r.generation != generation || c->generation != generation)
		return value;
	if (c->count >= RESOLVE_CACHE_MAX)
		resolve_cache_empty(c);
	e = calloc(1, sizeof(*e));
	if (e == NULL)
		return value;
	buf_init(&e->key, 4096);
	if (resolve_key_bytes(k, &e->key) != AV_OK) {
		buf_clear(&e->key);
		free(e);
		return value;
	}
	at = resolve_hash(&e->key);
	e->value = value;
	value->refs++;
	e->next = c->buckets[at];
	c->buckets[at] = e;
	c->count++;
	return value;
}
