/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/random_id.h"

#include "base/str.h"

#include <string.h>
#include <sys/random.h>

enum av_err
random_id(char out[RANDOM_ID_LEN + 1])
{
	unsigned char raw[RANDOM_ID_LEN / 2];

#ifdef __APPLE__
	if (getentropy(raw, sizeof(raw)) != 0)
		return AV_ESYS;
#else
	if (getrandom(raw, sizeof(raw), 0) != (ssize_t)sizeof(raw))
		return AV_ESYS;
#endif
	hex_encode(raw, sizeof(raw), out);
	return AV_OK;
}
