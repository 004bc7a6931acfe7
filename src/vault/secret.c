/* SPDX-License-Identifier: Apache-2.0 */
#include "vault/secret.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#define CELL 64u

struct secret_pool {
	uint8_t *bytes;
	uint8_t *taken; /* a byte a cell */
	size_t cells;
	bool locked;
};

struct secret {
	struct secret_pool *pool;
	size_t first;
	size_t cells;
	size_t len;
};

enum av_err
secret_pool_new(size_t bytes, struct secret_pool **out)
{
	struct secret_pool *p = calloc(1, sizeof(*p));
	if (p == NULL)
		return AV_ENOMEM;
	p->cells = bytes / CELL;
	p->taken = calloc(p->cells, 1);
	p->bytes = sodium_malloc(p->cells * CELL);
	if (p->taken == NULL || p->bytes == NULL) {
		secret_pool_free(p);
		return AV_ENOMEM;
	}
	/* sodium_malloc tries to lock and does not tell; locking again tells and changes nothing. */
	p->locked = sodium_mlock(p->bytes, p->cells * CELL) == 0;
	memset(p->bytes, 0, p->cells * CELL);
	*out = p;
	return AV_OK;
}

void
secret_pool_free(struct secret_pool *p)
{
	if (p == NULL)
		return;
	sodium_free(p->bytes);
	free(p->taken);
	free(p);
}

bool
secret_pool_is_locked(const struct secret_pool *p)
{
	return p->locked;
}

static bool
find_room(const struct secret_pool *p, size_t want, size_t *first)
{
	size_t run = 0;
	for (size_t i = 0; i < p->cells; i++) {
		run = p->taken[i] ? 0 : run + 1;
		if (run == want) {
			*first = i + 1 - want;
			return true;
		}
	}
	return false;
}

enum av_err
secret_new(struct secret_pool *p, size_t len, struct secret **out)
{
	size_t cells = len / CELL + 1;
	size_t first = 0;
	if (!find_room(p, cells, &first))
		return AV_ELIMIT;
	struct secret *s = calloc(1, sizeof(*s));
	if (s == NULL)
		return AV_ENOMEM;
	*s = (struct secret){.pool = p, .first = first, .cells = cells, .len = len};
	memset(p->taken + first, 1, cells);
	*out = s;
	return AV_OK;
}

enum av_err
secret_copy(struct secret_pool *p, const void *bytes, size_t len, struct secret **out)
{
	enum av_err e = secret_new(p, len, out);
	if (e == AV_OK && len > 0)
		memcpy(secret_bytes(*out), bytes, len);
	return e;
}

void
secret_free(struct secret *s)
{
	if (s == NULL)
		return;
	sodium_memzero(s->pool->bytes + s->first * CELL, s->cells * CELL);
	memset(s->pool->taken + s->first, 0, s->cells);
	free(s);
}

uint8_t *
secret_bytes(struct secret *s)
{
	return s->pool->bytes + s->first * CELL;
}

const uint8_t *
secret_view(const struct secret *s)
{
	return s->pool->bytes + s->first * CELL;
}

size_t
secret_len(const struct secret *s)
{
	return s->len;
}

bool
secret_eq(const struct secret *a, const struct secret *b)
{
	return a->len == b->len && sodium_memcmp(secret_view(a), secret_view(b), a->len) == 0;
}
