/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/restarts.h"

bool
restarts_take(struct restarts *r, uint64_t now_ms)
{
	uint64_t *oldest = &r->at[r->count % RESTARTS_MAX];

	if (r->count >= RESTARTS_MAX && now_ms - *oldest < RESTARTS_WINDOW_MS)
		return false;
	*oldest = now_ms;
	r->count++;
	return true;
}
