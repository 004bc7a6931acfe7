/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/random_id.h"

#include "base/clock.h"
#include "base/str.h"

#include <stdint.h>
#include <sys/random.h>

enum av_err
random_id(char out[RANDOM_ID_LEN + 1])
{
	unsigned char raw[RANDOM_ID_LEN / 2];
	unsigned char *random = raw + RANDOM_ID_TIME_BYTES;
	const size_t len = sizeof(raw) - RANDOM_ID_TIME_BYTES;
	uint64_t now = (uint64_t)clock_wall_ms();

	for (size_t i = RANDOM_ID_TIME_BYTES; i-- > 0; now >>= 8)
		raw[i] = (unsigned char)(now & 0xff);
#ifdef __APPLE__
	if (getentropy(random, len) != 0)
		return AV_ESYS;
#else
	if (getrandom(random, len, 0) != (ssize_t)len)
		return AV_ESYS;
#endif
	hex_encode(raw, sizeof(raw), out);
	return AV_OK;
}
