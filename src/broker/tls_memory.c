/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/tls_memory.h"

#include "base/buf.h"

#include <openssl/crypto.h>
#include <stdalign.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* Stands before each block; as wide as the strictest alignment, so that the block keeps it. */
union block_head {
	size_t len;
	max_align_t align;
};

/* A record's two buffers are had and given back with every record. */
#define KEPT_LEAST 8192u
#define KEPT_BLOCKS 4u

static _Thread_local union block_head *kept_blocks[KEPT_BLOCKS];

static union block_head *
block_take(size_t len)
{
	size_t i;

	for (i = 0; len >= KEPT_LEAST && i < KEPT_BLOCKS; i++) {
		union block_head *h = kept_blocks[i];

		if (h != NULL && h->len == len) {
			kept_blocks[i] = NULL;
			return h;
		}
	}
	return malloc(sizeof(union block_head) + len);
}

static void
block_put(union block_head *h)
{
	size_t i = 0;

	while (i < KEPT_BLOCKS && kept_blocks[i] != NULL)
		i++;
	if (h->len < KEPT_LEAST || i == KEPT_BLOCKS)
		free(h);
	else
		kept_blocks[i] = h;
}

static void *
guarded_malloc(size_t len, const char *file, int line)
{
	union block_head *h;

	(void)file;
	(void)line;
	if (len > SIZE_MAX - sizeof(*h))
		return NULL;
	h = block_take(len);
	if (h == NULL)
		return NULL;
	h->len = len;
	return h + 1;
}

static void
guarded_free(void *p, const char *file, int line)
{
	union block_head *h;

	(void)file;
	(void)line;
	if (p == NULL)
		return;
	h = (union block_head *)p - 1;
	av_wipe(p, h->len);
	block_put(h);
}

static void *
guarded_realloc(void *p, size_t len, const char *file, int line)
{
	const union block_head *h;
	void *fresh;

	if (p == NULL)
		return guarded_malloc(len, file, line);
	if (len == 0) {
		guarded_free(p, file, line);
		return NULL;
	}
	h = (const union block_head *)p - 1;
	fresh = guarded_malloc(len, file, line);
	if (fresh == NULL)
		return NULL;
	memcpy(fresh, p, h->len < len ? h->len : len);
	guarded_free(p, file, line);
	return fresh;
}

enum av_err
tls_memory_guard(void)
{
	return CRYPTO_set_mem_functions(guarded_malloc, guarded_realloc, guarded_free) == 1
	    ? AV_OK
	    : AV_ESYS;
}
