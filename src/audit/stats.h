/* SPDX-License-Identifier: Apache-2.0 */
/* stats.h - how often which call was allowed or denied, and why. */
#ifndef AV_AUDIT_STATS_H
#define AV_AUDIT_STATS_H

#include "vault/store.h"

#define AUDIT_STATS_MAX 1000u /* groups; the most frequent ones */

/* Appends [{capability, decision, reason, count}], the most frequent first; rows that count for many
 * count as many. Bounds as in query.h. *cut: there are more groups. */
enum av_err audit_stats(
    struct store *s, int64_t since_ms, int64_t until_ms, struct buf *out, bool *cut) AV_MUST_USE;

#endif
