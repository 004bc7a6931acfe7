/* SPDX-License-Identifier: Apache-2.0 */
#include "audit/stats.h"

#include "audit/query.h"
#include "wire/operator.h"

/* Three texts at their limit, quoted. */
#define GROUP_ROOM (8u * 1024u)

enum av_err
audit_stats(struct store *s, int64_t since_ms, int64_t until_ms, struct buf *out, bool *cut)
{
	sqlite3_stmt *st = NULL;
	bool more = false;
	size_t count = 0;
	*cut = false;
	enum av_err e = store_stmt(s,
	    "SELECT capability, decision, reason, SUM(repeats) FROM audit_events WHERE decision <> "
	    "'' "
	    "AND (?1 = 0 OR ts_ms >= ?1) AND (?2 = 0 OR ts_ms <= ?2) "
	    "GROUP BY capability, decision, reason ORDER BY 4 DESC, 1, 2, 3",
	    &st);
	if (e != AV_OK)
		return e;
	store_bind_int(st, 1, since_ms);
	store_bind_int(st, 2, until_ms);
	buf_append_byte(out, '[');
	while ((e = store_step(st, &more)) == AV_OK && more) {
		if (count == AUDIT_STATS_MAX || out->len + GROUP_ROOM > OPERATOR_JSON_MAX) {
			*cut = true;
			break;
		}
		buf_append_str(out, count++ > 0 ? ",{\"capability\":" : "{\"capability\":");
		audit_put_text(out, store_column(st, 0));
		buf_append_str(out, ",\"decision\":");
		audit_put_text(out, store_column(st, 1));
		buf_append_str(out, ",\"reason\":");
		audit_put_text(out, store_column(st, 2));
		buf_appendf(out, ",\"count\":%lld}", (long long)sqlite3_column_int64(st, 3));
	}
	buf_append_byte(out, ']');
	store_done(st);
	return e != AV_OK ? e : buf_err(out);
}
