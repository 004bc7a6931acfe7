/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/answer_head.h"

enum av_err
answer_head_take(struct header_list *l, struct str line, bool *end, const char **reason)
{
	struct str name, value;
	enum av_err e;

	while (line.len > 0 && (line.p[line.len - 1] == '\n' || line.p[line.len - 1] == '\r'))
		line.len--;
	*end = line.len == 0;
	if (*end)
		return AV_OK;
	if (str_starts(line, STR_LIT("HTTP/"))) {
		header_list_clear(l);
		return AV_OK;
	}
	/* A folded line reads as a name with a blank in front, and is refused by that. */
	e = str_cut(line, ':', &name, &value) ? header_list_add(l, name, str_trim(value)) : AV_EFORMAT;
	if (e != AV_OK)
		*reason = e == AV_ELIMIT ? "upstream_head_too_large" : "upstream_malformed";
	return e;
}

bool
answer_head_is_coded(const struct header_list *l)
{
	const struct header *coding = header_list_find(l, STR_LIT("content-encoding"));

	return coding != NULL && !str_ieq_cstr(coding->value, "identity");
}

bool
answer_head_is_plain(const struct header_list *l)
{
	const struct str length = STR_LIT("content-length"), coding = STR_LIT("transfer-encoding");
	const struct header *n = header_list_find(l, length), *c = header_list_find(l, coding);
	uint64_t ignored;

	if (header_list_count(l, length) + header_list_count(l, coding) > 1)
		return false;
	return (n == NULL || str_to_u64(n->value, 0, INT64_MAX, &ignored) == AV_OK) &&
	    (c == NULL || str_ieq_cstr(c->value, "chunked"));
}

uint64_t
answer_head_length(const struct header_list *l)
{
	const struct str name = STR_LIT("content-length");
	const struct header *h = header_list_find(l, name);
	uint64_t n = UINT64_MAX;

	if (h == NULL || answer_head_is_coded(l) || header_list_count(l, name) != 1 ||
	    header_list_find(l, STR_LIT("transfer-encoding")) != NULL)
		return UINT64_MAX;
	return str_to_u64(h->value, 0, INT64_MAX, &n) == AV_OK ? n : UINT64_MAX;
}
