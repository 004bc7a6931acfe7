/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/judge.h"

#include "wire/field.h"
#include "wire/limits.h"
#include "wire/policy_list.h"

#include <stdlib.h>
#include <string.h>

/* The least bytes that an element takes on the wire. */
#define HEADER_LEAST 8u
#define OP_LEAST 9u

enum av_err
judge_ask_encode(const struct judge_ask *a, struct buf *out)
{
	struct frame_writer w;

	if (a->header_count > HEADER_MAX_COUNT || a->policy_count > JUDGE_MAX_POLICIES)
		return AV_ELIMIT;
	fw_begin(&w, out, JUDGE_ASK);
	fw_u64(&w, a->ask_id);
	fw_u64(&w, (uint64_t)a->now_ms);
	fw_text(&w, a->provider, WIRE_ID_MAX);
	fw_text(&w, a->capability, WIRE_ID_MAX);
	fw_text(&w, a->credential, WIRE_ID_MAX);
	fw_text(&w, a->method, WIRE_METHOD_MAX);
	fw_text(&w, a->host, WIRE_HOST_MAX);
	fw_text(&w, a->path, WIRE_TARGET_MAX);
	fw_text(&w, a->query, WIRE_TARGET_MAX);
	fw_u64(&w, a->body_size);
	fw_u8(&w, a->has_body != 0);
	caller_encode(&a->caller, &w);
	fw_u32(&w, (uint32_t)a->header_count);
	for (size_t i = 0; i < a->header_count; i++) {
		fw_text(&w, a->headers[i].name, WIRE_HEADER_NAME_MAX);
		fw_str_max(&w, a->headers[i].value, WIRE_HEADER_VALUE_MAX);
	}
	policy_list_encode(a->policies, a->policy_count, &w);
	return fw_end(&w);
}

static void
headers_decode(struct frame_reader *r, struct judge_ask *out)
{
	uint32_t count = fr_count(r, HEADER_MAX_COUNT);
	struct header *items = field_array(r, count, sizeof *items, HEADER_LEAST);

	if (items == NULL)
		return;
	for (uint32_t i = 0; i < count; i++) {
		items[i].name = fr_text(r, WIRE_HEADER_NAME_MAX);
		items[i].value = fr_str(r, WIRE_HEADER_VALUE_MAX);
	}
	out->headers = items;
	out->header_count = count;
}

enum av_err
judge_ask_decode(const struct frame *f, struct judge_ask *out)
{
	struct frame_reader r;
	enum av_err e;

	memset(out, 0, sizeof *out);
	field_begin(&r, f, JUDGE_ASK);
	out->ask_id = fr_u64(&r);
	out->now_ms = (int64_t)fr_u64(&r);
	out->provider = fr_text(&r, WIRE_ID_MAX);
	out->capability = fr_text(&r, WIRE_ID_MAX);
	out->credential = fr_text(&r, WIRE_ID_MAX);
	out->method = fr_text(&r, WIRE_METHOD_MAX);
	out->host = fr_text(&r, WIRE_HOST_MAX);
	out->path = fr_text(&r, WIRE_TARGET_MAX);
	out->query = fr_text(&r, WIRE_TARGET_MAX);
	out->body_size = fr_u64(&r);
	out->has_body = field_enum(&r, 1);
	caller_decode(&r, &out->caller);
	headers_decode(&r, out);
	policy_list_decode(&r, &out->policies, &out->policy_count);
	e = fr_finish(&r);
	if (e != AV_OK)
		judge_ask_clear(out);
	return e;
}

void
judge_ask_clear(struct judge_ask *a)
{
	free((void *)(uintptr_t)a->headers);
	free(a->policies);
	memset(a, 0, sizeof *a);
}

enum av_err
judge_body_encode(uint64_t ask_id, struct str bytes, struct buf *out)
{
	struct frame_writer w;

	fw_begin(&w, out, JUDGE_BODY);
	fw_u64(&w, ask_id);
	fw_str_max(&w, bytes, JUDGE_BODY_CHUNK);
	return fw_end(&w);
}

enum av_err
judge_body_decode(const struct frame *f, uint64_t *ask_id, struct str *bytes)
{
	struct frame_reader r;

	field_begin(&r, f, JUDGE_BODY);
	*ask_id = fr_u64(&r);
	*bytes = fr_str(&r, JUDGE_BODY_CHUNK);
	return fr_finish(&r);
}

enum av_err
judge_verdict_encode(const struct judge_verdict *v, struct buf *out)
{
	struct frame_writer w;

	if (v->op_count > JUDGE_MAX_HEADER_OPS || v->charge_count > JUDGE_MAX_CHARGES)
		return AV_ELIMIT;
	fw_begin(&w, out, JUDGE_VERDICT);
	fw_u64(&w, v->ask_id);
	fw_u8(&w, v->kind == VERDICT_ALLOW);
	fw_u8(&w, v->limit_hit != 0);
	fw_text(&w, v->reason, WIRE_WORD_MAX);
	fw_text(&w, v->message, WIRE_TEXT_MAX);
	fw_text(&w, v->remedy, WIRE_TEXT_MAX);
	fw_text(&w, v->policy, WIRE_ID_MAX);
	fw_u32(&w, v->retry_after);
	fw_u64(&w, v->max_request_bytes);
	fw_u64(&w, v->max_response_bytes);
	fw_u32(&w, (uint32_t)v->op_count);
	for (size_t i = 0; i < v->op_count; i++) {
		fw_u8(&w, v->ops[i].drop != 0);
		fw_text(&w, v->ops[i].name, WIRE_HEADER_NAME_MAX);
		fw_str_max(&w, v->ops[i].value, WIRE_HEADER_VALUE_MAX);
	}
	charge_list_encode(v->charges, v->charge_count, &w);
	return fw_end(&w);
}

static void
ops_decode(struct frame_reader *r, struct judge_verdict *out)
{
	uint32_t count = fr_count(r, JUDGE_MAX_HEADER_OPS);

	out->ops = field_array(r, count, sizeof *out->ops, OP_LEAST);
	if (out->ops == NULL)
		return;
	out->op_count = count;
	for (uint32_t i = 0; i < count; i++) {
		out->ops[i].drop = field_enum(r, 1);
		out->ops[i].name = fr_text(r, WIRE_HEADER_NAME_MAX);
		out->ops[i].value = fr_str(r, WIRE_HEADER_VALUE_MAX);
	}
}

enum av_err
judge_verdict_decode(const struct frame *f, struct judge_verdict *out)
{
	struct frame_reader r;
	enum av_err e;

	memset(out, 0, sizeof *out);
	field_begin(&r, f, JUDGE_VERDICT);
	out->ask_id = fr_u64(&r);
	out->kind = field_enum(&r, 1) == 1 ? VERDICT_ALLOW : VERDICT_DENY;
	out->limit_hit = field_enum(&r, 1);
	out->reason = fr_text(&r, WIRE_WORD_MAX);
	out->message = fr_text(&r, WIRE_TEXT_MAX);
	out->remedy = fr_text(&r, WIRE_TEXT_MAX);
	out->policy = fr_text(&r, WIRE_ID_MAX);
	out->retry_after = fr_u32(&r);
	out->max_request_bytes = fr_u64(&r);
	out->max_response_bytes = fr_u64(&r);
	ops_decode(&r, out);
	charge_list_decode(&r, &out->charges, &out->charge_count);
	e = fr_finish(&r);
	if (e != AV_OK)
		judge_verdict_clear(out); /* and so a deny (I4) */
	return e;
}

void
judge_verdict_clear(struct judge_verdict *v)
{
	free(v->ops);
	free(v->charges);
	memset(v, 0, sizeof *v);
}
