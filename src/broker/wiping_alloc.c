/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/wiping_alloc.h"

#include "base/buf.h"

#include <stdalign.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* Stands before each block; as wide as the strictest alignment, so that the block keeps it. */
union block_head {
	size_t len;
	max_align_t align;
};

void *
wiping_malloc(size_t len)
{
	union block_head *h;

	if (len > SIZE_MAX - sizeof(*h))
		return NULL;
	h = malloc(sizeof(*h) + len);
	if (h == NULL)
		return NULL;
	h->len = len;
	return h + 1;
}

void *
wiping_calloc(size_t n, size_t size)
{
	void *p;

	if (size != 0 && n > SIZE_MAX / size)
		return NULL;
	p = wiping_malloc(n * size);
	if (p != NULL)
		memset(p, 0, n * size);
	return p;
}

void
wiping_free(void *p)
{
	union block_head *h;

	if (p == NULL)
		return;
	h = (union block_head *)p - 1;
	av_wipe(p, h->len);
	free(h);
}

void *
wiping_realloc(void *p, size_t len)
{
	union block_head *h;
	void *fresh;

	if (p == NULL)
		return wiping_malloc(len);
	h = (union block_head *)p - 1;
	fresh = wiping_malloc(len);
	if (fresh == NULL)
		return NULL;
	memcpy(fresh, p, h->len < len ? h->len : len);
	wiping_free(p);
	return fresh;
}

char *
wiping_strdup(const char *s)
{
	size_t len = strlen(s) + 1;
	char *p = wiping_malloc(len);

	if (p != NULL)
		memcpy(p, s, len);
	return p;
}
