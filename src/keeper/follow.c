/* SPDX-License-Identifier: Apache-2.0 */
#include "keeper/follow.h"

#include "wire/operator.h"

#include <stdlib.h>

#define ROWS_A_TIME 200u

struct follow {
	struct audit_filter filter; /* borrows from texts */
	char *texts[4];
	int64_t seen_id;
};

static enum av_err
keep_text(struct str *s, char **copy)
{
	*copy = str_dup(*s);
	*s = str_of(*copy);
	return *copy != NULL ? AV_OK : AV_ENOMEM;
}

enum av_err
follow_new(const struct keeper *k, const struct audit_filter *filter, struct follow **out)
{
	struct follow *f = calloc(1, sizeof(*f));
	if (f == NULL)
		return AV_ENOMEM;
	f->filter = *filter;
	enum av_err e = keep_text(&f->filter.capability, &f->texts[0]);
	if (e == AV_OK)
		e = keep_text(&f->filter.event, &f->texts[1]);
	if (e == AV_OK)
		e = keep_text(&f->filter.decision, &f->texts[2]);
	if (e == AV_OK)
		e = keep_text(&f->filter.caller, &f->texts[3]);
	f->seen_id = k->log.kept_id;
	if (e == AV_OK && filter->limit > 0)
		e = audit_before_last(k->vault->store, &f->filter, filter->limit, &f->seen_id);
	f->filter.limit = ROWS_A_TIME;
	if (e != AV_OK) {
		follow_free(f);
		return e;
	}
	*out = f;
	return AV_OK;
}

void
follow_free(struct follow *f)
{
	if (f == NULL)
		return;
	for (size_t i = 0; i < sizeof(f->texts) / sizeof(f->texts[0]); i++)
		free(f->texts[i]);
	free(f);
}

bool
follow_is_behind(const struct follow *f, const struct keeper *k)
{
	return k->vault != NULL && f->seen_id < k->log.kept_id;
}

enum av_err
follow_feed(struct follow *f, const struct keeper *k, struct buf *out)
{
	struct operator_reply reply = {.more = 1};
	struct buf rows;
	int64_t last = 0;
	bool cut = false;
	if (!follow_is_behind(f, k))
		return AV_OK;
	buf_init(&rows, OPERATOR_JSON_MAX);
	enum av_err e = audit_rows(k->vault->store, &f->filter, f->seen_id, &rows, &last, &cut);
	if (e == AV_OK && rows.len > 2) {
		reply.json = (struct str){(const char *)rows.data, rows.len};
		e = operator_reply_encode(&reply, out);
	}
	if (e == AV_OK)
		f->seen_id = cut ? last : k->log.kept_id;
	buf_clear(&rows);
	return e;
}
