/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/needle_filter.h"

#include <string.h>

#define BLOCK NEEDLE_FILTER_MIN

static uint32_t
block_hash(const uint8_t *p)
{
	uint32_t block = (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16;

	return block * 0x9E3779B1u >> (32 - NEEDLE_FILTER_BITS);
}

void
needle_filter_init(struct needle_filter *nf, size_t shortest)
{
	nf->window = shortest < NEEDLE_FILTER_MAX ? shortest : NEEDLE_FILTER_MAX;
	memset(nf->moves, (int)(nf->window - BLOCK + 1), sizeof(nf->moves));
}

void
needle_filter_add(struct needle_filter *nf, struct str needle)
{
	size_t end;

	for (end = BLOCK; end <= nf->window; end++) {
		uint8_t *move = &nf->moves[block_hash((const uint8_t *)needle.p + end - BLOCK)];

		if (nf->window - end < *move)
			*move = (uint8_t)(nf->window - end);
	}
}

bool
needle_filter_next(const struct needle_filter *nf, const uint8_t *in, size_t len, size_t *at)
{
	size_t end = *at + nf->window;

	while (end <= len) {
		size_t move = nf->moves[block_hash(in + end - BLOCK)];

		if (move == 0) {
			*at = end - nf->window;
			return true;
		}
		end += move;
	}
	return false;
}
