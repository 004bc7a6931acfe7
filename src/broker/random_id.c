/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/random_id.h"

#include "base/clock.h"
#include "base/str.h"

#include <stdint.h>
#include <string.h>
#include <sys/random.h>

/* One system call for many: an id has to be unique, and is no secret. */
static enum av_err
random_bytes(unsigned char *out, size_t len)
{
	static unsigned char
	    pool[256]; /* getrandom() and getentropy() give that much in one piece */
	static size_t used = sizeof(pool);

	if (len > sizeof(pool) - used) {
#ifdef __APPLE__
		if (getentropy(pool, sizeof(pool)) != 0)
			return AV_ESYS;
#else
		if (getrandom(pool, sizeof(pool), 0) != (ssize_t)sizeof(pool))
			return AV_ESYS;
#endif
		used = 0;
	}
	memcpy(out, pool + used, len);
	used += len;
	return AV_OK;
}

enum av_err
random_id(char out[RANDOM_ID_LEN + 1])
{
	unsigned char raw[RANDOM_ID_LEN / 2];
	uint64_t now = (uint64_t)clock_wall_ms();

	for (size_t i = RANDOM_ID_TIME_BYTES; i-- > 0; now >>= 8)
		raw[i] = (unsigned char)(now & 0xff);
	if (random_bytes(raw + RANDOM_ID_TIME_BYTES, sizeof(raw) - RANDOM_ID_TIME_BYTES) != AV_OK)
		return AV_ESYS;
	hex_encode(raw, sizeof(raw), out);
	return AV_OK;
}
