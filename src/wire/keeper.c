/* SPDX-License-Identifier: Apache-2.0 */
/* The conversation about one call: resolve, release, denied, outcome. */
#include "wire/keeper.h"

#include "wire/fault.h"
#include "wire/field.h"
#include "wire/limits.h"
#include "wire/policy_list.h"

#include <stdlib.h>
#include <string.h>

enum av_err
keeper_resolve_encode(const struct keeper_resolve *m, struct buf *out)
{
	struct frame_writer w;

	fw_begin(&w, out, KEEPER_RESOLVE);
	fw_u64(&w, m->ask_id);
	fw_text(&w, m->capability, WIRE_ID_MAX);
	fw_text(&w, m->credential, WIRE_ID_MAX);
	caller_encode(&m->caller, &w);
	return fw_end(&w);
}

enum av_err
keeper_resolve_decode(const struct frame *f, struct keeper_resolve *out)
{
	struct frame_reader r;

	memset(out, 0, sizeof *out);
	field_begin(&r, f, KEEPER_RESOLVE);
	out->ask_id = fr_u64(&r);
	out->capability = fr_text(&r, WIRE_ID_MAX);
	out->credential = fr_text(&r, WIRE_ID_MAX);
	caller_decode(&r, &out->caller);
	return fr_finish(&r);
}

enum av_err
keeper_release_encode(const struct keeper_release *m, struct buf *out)
{
	struct frame_writer w;

	fw_begin(&w, out, KEEPER_RELEASE);
	fw_u64(&w, m->ask_id);
	fw_text(&w, m->request_id, KEEPER_REQUEST_ID_LEN);
	fw_text(&w, m->capability, WIRE_ID_MAX);
	fw_text(&w, m->credential, WIRE_ID_MAX);
	caller_encode(&m->caller, &w);
	fw_text(&w, m->method, WIRE_METHOD_MAX);
	fw_text(&w, m->host, WIRE_HOST_MAX);
	fw_text(&w, m->path, WIRE_TARGET_MAX);
	fw_u64(&w, m->request_bytes);
	charge_list_encode(m->charges, m->charge_count, &w);
	return fw_end(&w);
}

enum av_err
keeper_release_decode(const struct frame *f, struct keeper_release *out)
{
	struct frame_reader r;
	enum av_err e;

	memset(out, 0, sizeof *out);
	field_begin(&r, f, KEEPER_RELEASE);
	out->ask_id = fr_u64(&r);
	out->request_id = fr_text(&r, KEEPER_REQUEST_ID_LEN);
	out->capability = fr_text(&r, WIRE_ID_MAX);
	out->credential = fr_text(&r, WIRE_ID_MAX);
	caller_decode(&r, &out->caller);
	out->method = fr_text(&r, WIRE_METHOD_MAX);
	out->host = fr_text(&r, WIRE_HOST_MAX);
	out->path = fr_text(&r, WIRE_TARGET_MAX);
	out->request_bytes = fr_u64(&r);
	charge_list_decode(&r, &out->charges, &out->charge_count);
	e = fr_finish(&r);
	if (e != AV_OK)
		keeper_release_clear(out);
	return e;
}

void
keeper_release_clear(struct keeper_release *m)
{
	free(m->charges);
	memset(m, 0, sizeof *m);
}

enum av_err
keeper_fault_encode(const struct keeper_fault *m, struct buf *out)
{
	struct frame_writer w;

	fw_begin(&w, out, KEEPER_FAULT);
	fw_u64(&w, m->ask_id);
	fault_encode(&m->fault, &w);
	fw_u32(&w, m->retry_after);
	return fw_end(&w);
}

enum av_err
keeper_fault_decode(const struct frame *f, struct keeper_fault *out)
{
	struct frame_reader r;

	memset(out, 0, sizeof *out);
	field_begin(&r, f, KEEPER_FAULT);
	out->ask_id = fr_u64(&r);
	fault_decode(&r, &out->fault);
	out->retry_after = fr_u32(&r);
	return fr_finish(&r);
}

enum av_err
keeper_denied_encode(const struct keeper_denied *m, struct buf *out)
{
	struct frame_writer w;

	fw_begin(&w, out, KEEPER_DENIED);
	fw_text(&w, m->request_id, KEEPER_REQUEST_ID_LEN);
	fw_text(&w, m->capability, WIRE_ID_MAX);
	fw_text(&w, m->credential, WIRE_ID_MAX);
	caller_encode(&m->caller, &w);
	fw_text(&w, m->method, WIRE_METHOD_MAX);
	fw_text(&w, m->host, WIRE_HOST_MAX);
	fw_text(&w, m->path, WIRE_TARGET_MAX);
	fw_text(&w, m->reason, WIRE_WORD_MAX);
	fw_text(&w, m->policy, WIRE_ID_MAX);
	fw_u32(&w, m->status);
	return fw_end(&w);
}

enum av_err
keeper_denied_decode(const struct frame *f, struct keeper_denied *out)
{
	struct frame_reader r;

	memset(out, 0, sizeof *out);
	field_begin(&r, f, KEEPER_DENIED);
	out->request_id = fr_text(&r, KEEPER_REQUEST_ID_LEN);
	out->capability = fr_text(&r, WIRE_ID_MAX);
	out->credential = fr_text(&r, WIRE_ID_MAX);
	caller_decode(&r, &out->caller);
	out->method = fr_text(&r, WIRE_METHOD_MAX);
	out->host = fr_text(&r, WIRE_HOST_MAX);
	out->path = fr_text(&r, WIRE_TARGET_MAX);
	out->reason = fr_text(&r, WIRE_WORD_MAX);
	out->policy = fr_text(&r, WIRE_ID_MAX);
	out->status = fr_u32(&r);
	return fr_finish(&r);
}

enum av_err
keeper_outcome_encode(const struct keeper_outcome *m, struct buf *out)
{
	struct frame_writer w;

	fw_begin(&w, out, KEEPER_OUTCOME);
	fw_text(&w, m->request_id, KEEPER_REQUEST_ID_LEN);
	fw_text(&w, m->capability, WIRE_ID_MAX);
	fw_u32(&w, m->status);
	fw_u64(&w, m->request_bytes);
	fw_u64(&w, m->response_bytes);
	fw_u64(&w, m->duration_ms);
	fw_text(&w, m->reason, WIRE_WORD_MAX);
	return fw_end(&w);
}

enum av_err
keeper_outcome_decode(const struct frame *f, struct keeper_outcome *out)
{
	struct frame_reader r;

	memset(out, 0, sizeof *out);
	field_begin(&r, f, KEEPER_OUTCOME);
	out->request_id = fr_text(&r, KEEPER_REQUEST_ID_LEN);
	out->capability = fr_text(&r, WIRE_ID_MAX);
	out->status = fr_u32(&r);
	out->request_bytes = fr_u64(&r);
	out->response_bytes = fr_u64(&r);
	out->duration_ms = fr_u64(&r);
	out->reason = fr_text(&r, WIRE_WORD_MAX);
	return fr_finish(&r);
}

enum av_err
keeper_list_encode(const struct keeper_list *m, struct buf *out)
{
	struct frame_writer w;

	fw_begin(&w, out, KEEPER_LIST);
	fw_u64(&w, m->ask_id);
	fw_text(&w, m->capability, WIRE_ID_MAX);
	fw_text(&w, m->credential, WIRE_ID_MAX);
	caller_encode(&m->caller, &w);
	return fw_end(&w);
}

enum av_err
keeper_list_decode(const struct frame *f, struct keeper_list *out)
{
	struct frame_reader r;

	memset(out, 0, sizeof *out);
	field_begin(&r, f, KEEPER_LIST);
	out->ask_id = fr_u64(&r);
	out->capability = fr_text(&r, WIRE_ID_MAX);
	out->credential = fr_text(&r, WIRE_ID_MAX);
	caller_decode(&r, &out->caller);
	return fr_finish(&r);
}

enum av_err
keeper_listed_encode(const struct keeper_listed *m, struct buf *out)
{
	struct frame_writer w;

	fw_begin(&w, out, KEEPER_LISTED);
	fw_u64(&w, m->ask_id);
	fw_text(&w, m->json, FRAME_MAX);
	return fw_end(&w);
}

enum av_err
keeper_listed_decode(const struct frame *f, struct keeper_listed *out)
{
	struct frame_reader r;

	memset(out, 0, sizeof *out);
	field_begin(&r, f, KEEPER_LISTED);
	out->ask_id = fr_u64(&r);
	out->json = fr_text(&r, FRAME_MAX);
	return fr_finish(&r);
}

enum av_err
keeper_state_encode(const struct keeper_state *m, struct buf *out)
{
	struct frame_writer w;

	fw_begin(&w, out, KEEPER_STATE);
	fw_u64(&w, m->generation);
	fw_u8(&w, m->locked != 0);
	fw_u8(&w, m->has_vault != 0);
	return fw_end(&w);
}

enum av_err
keeper_state_decode(const struct frame *f, struct keeper_state *out)
{
	struct frame_reader r;

	memset(out, 0, sizeof *out);
	field_begin(&r, f, KEEPER_STATE);
	out->generation = fr_u64(&r);
	out->locked = field_enum(&r, 1);
	out->has_vault = field_enum(&r, 1);
	return fr_finish(&r);
}

enum av_err
keeper_revoked_encode(const struct keeper_revoked *m, struct buf *out)
{
	struct frame_writer w;

	fw_begin(&w, out, KEEPER_REVOKED);
	fw_text(&w, m->capability, WIRE_ID_MAX);
	fw_text(&w, m->credential, WIRE_ID_MAX);
	fault_encode(&m->fault, &w);
	return fw_end(&w);
}

enum av_err
keeper_revoked_decode(const struct frame *f, struct keeper_revoked *out)
{
	struct frame_reader r;

	memset(out, 0, sizeof *out);
	field_begin(&r, f, KEEPER_REVOKED);
	out->capability = fr_text(&r, WIRE_ID_MAX);
	out->credential = fr_text(&r, WIRE_ID_MAX);
	fault_decode(&r, &out->fault);
	/* A call cannot end with "done", and one that names nothing would end them all. */
	if (r.err == AV_OK &&
	    (out->fault.err == AV_OK || (out->capability.len == 0 && out->credential.len == 0)))
		r.err = AV_EFORMAT;
	return fr_finish(&r);
}
