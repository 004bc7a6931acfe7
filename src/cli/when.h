/* SPDX-License-Identifier: Apache-2.0 */
/* when.h - a point in time as people write it. */
#ifndef AV_CLI_WHEN_H
#define AV_CLI_WHEN_H

#include "base/err.h"
#include "base/str.h"

#include <stdint.h>

/* "90s", "10m", "1h", "7d": so long ago; "2026-01-31" or "2026-01-31T12:00:00Z" (UTC); 12 or more
 * digits: ms since 1970. AV_EFORMAT. */
enum av_err when_parse(struct str s, int64_t *out_ms) AV_MUST_USE;
enum av_err when_parse_at(struct str s, int64_t now_ms, int64_t *out_ms) AV_MUST_USE;

#endif
