/* SPDX-License-Identifier: Apache-2.0 */
/* restarts.h - at most RESTARTS_MAX restarts within RESTARTS_WINDOW_MS. */
#ifndef AV_DAEMON_RESTARTS_H
#define AV_DAEMON_RESTARTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RESTARTS_MAX 10u
#define RESTARTS_WINDOW_MS 60000u

struct restarts {
	uint64_t at[RESTARTS_MAX]; /* ring; monotonic ms */
	size_t count; /* of all times */
};

/* Notes one more. False: it would be one too many. */
bool restarts_take(struct restarts *r, uint64_t now_ms);

#endif
