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

static void *
guarded_malloc(size_t len, const char *file, int line)
{
	union block_head *h;

	(void)file;
	(void)line;
	if (len > SIZE_MAX - sizeof(*h))
		return NULL;
	h = malloc(sizeof(*h) + len);
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
	free(h);
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
