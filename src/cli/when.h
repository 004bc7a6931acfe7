/* SPDX-License-Identifier: Apache-2.0 */
/* when.h - a point in time as people write it. */
#ifndef AV_CLI_WHEN_H
#define AV_CLI_WHEN_H

#include "base/err.h"
#include "base/str.h"

#include <stdint.h>

/* For the help of commands that take one. */
#define WHEN_HELP                                                                                \
	"TIME is so long ago: 90s, 10m, 1h, 7d, a plain number of seconds; a day or second in\n" \
	"UTC: 2026-01-31, 2026-01-31T12:00:00Z; or ms since 1970, 12 digits or more.\n"

/* "90s", "10m", "1h", "7d", "90": so long ago; "2026-01-31" or "2026-01-31T12:00:00Z" (UTC); 12 or more
 * digits: ms since 1970. AV_EFORMAT: something else, or a day that there is not. */
enum av_err when_parse(struct str s, int64_t *out_ms) AV_MUST_USE;
enum av_err when_parse_at(struct str s, int64_t now_ms, int64_t *out_ms) AV_MUST_USE;

#endif
