/* SPDX-License-Identifier: Apache-2.0 */
#include "vault/policy_params.h"

#include "base/frame.h"

#include <stdlib.h>
#include <string.h>

void
policy_params_clear(struct policy_params *p)
{
	free(p->capability);
	string_list_clear(&p->response_block);
	memset(p, 0, sizeof(*p));
}

enum av_err
policy_params_put(struct store *s, const struct kek *k, const struct policy_params *p)
{
	struct buf b;
	struct frame_writer w;
	buf_init(&b, ROW_BODY_MAX);
	fw_begin(&w, &b, ROW_POLICY);
	fw_cstr(&w, p->capability);
	fw_u64(&w, p->rate_per_minute);
	fw_u64(&w, p->max_request_bytes);
	fw_u64(&w, p->max_response_bytes);
	/* A row without is as it was before there were any. */
	if (p->response_block.count > 0)
		string_list_encode(&p->response_block, &w);
	enum av_err e = fw_end(&w);
	if (e == AV_OK)
		e = row_put(s, k, ROW_POLICY, str_of(p->capability),
		    (struct str){
		        (const char *)b.data + FRAME_HEADER_LEN, b.len - FRAME_HEADER_LEN});
	buf_clear(&b);
	return e;
}

static bool
is_limit(uint64_t v, uint64_t max)
{
	return v == POLICY_ABSENT || v <= max;
}

enum av_err
policy_params_decode(const struct row *row, struct policy_params *out)
{
	struct frame f = {
	    .type = ROW_POLICY, .payload = (const uint8_t *)row->body.p, .len = row->body.len};
	struct frame_reader r;
	memset(out, 0, sizeof(*out));
	out->capability = str_dup(row->id);
	if (out->capability == NULL)
		return AV_ENOMEM;
	fr_begin(&r, &f);
	struct str id = fr_text(&r, 256);
	out->rate_per_minute = fr_u64(&r);
	out->max_request_bytes = fr_u64(&r);
	out->max_response_bytes = fr_u64(&r);
	enum av_err e = AV_OK;
	if (r.err == AV_OK && r.len > 0)
		e = string_list_decode(&r, POLICY_MAX_BLOCKS, &out->response_block);
	if (e == AV_ENOMEM) {
		policy_params_clear(out);
		return e;
	}
	if (e != AV_OK || fr_finish(&r) != AV_OK || !row->genuine || !str_eq(id, row->id) ||
	    !is_limit(out->rate_per_minute, POLICY_MAX_RATE) ||
	    !is_limit(out->max_request_bytes, POLICY_MAX_BYTES) ||
	    !is_limit(out->max_response_bytes, POLICY_MAX_BYTES))
		fault_set(&out->fault, AV_ECORRUPT, "policy_row_changed",
		    "Set it anew with `aivault capability policy set`",
		    "the stored policy of capability %s was changed from outside aivault",
		    out->capability);
	return AV_OK;
}
