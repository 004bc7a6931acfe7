/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/operator.h"

#include "wire/fault.h"
#include "wire/field.h"
#include "wire/limits.h"

#include <string.h>

enum av_err
operator_request_encode(const struct operator_request *m, struct buf *out)
{
	struct frame_writer w;

	fw_begin(&w, out, OPERATOR_REQUEST);
	fw_u32(&w, m->protocol);
	fw_text(&w, m->op, WIRE_WORD_MAX);
	fw_text(&w, m->args, OPERATOR_JSON_MAX);
	fw_str_max(&w, m->secret, OPERATOR_SECRET_MAX);
	return fw_end(&w);
}

enum av_err
operator_request_decode(const struct frame *f, struct operator_request *out)
{
	struct frame_reader r;

	memset(out, 0, sizeof *out);
	field_begin(&r, f, OPERATOR_REQUEST);
	out->protocol = fr_u32(&r);
	out->op = fr_text(&r, WIRE_WORD_MAX);
	out->args = fr_text(&r, OPERATOR_JSON_MAX);
	out->secret = fr_str(&r, OPERATOR_SECRET_MAX);
	return fr_finish(&r);
}

enum av_err
operator_reply_encode(const struct operator_reply *m, struct buf *out)
{
	struct frame_writer w;

	fw_begin(&w, out, OPERATOR_REPLY);
	fault_encode(&m->fault, &w);
	fw_text(&w, m->json, OPERATOR_JSON_MAX);
	fw_text(&w, m->notes, WIRE_NOTES_MAX);
	fw_u8(&w, m->more != 0);
	return fw_end(&w);
}

enum av_err
operator_reply_decode(const struct frame *f, struct operator_reply *out)
{
	struct frame_reader r;

	memset(out, 0, sizeof *out);
	field_begin(&r, f, OPERATOR_REPLY);
	fault_decode(&r, &out->fault);
	out->json = fr_text(&r, OPERATOR_JSON_MAX);
	out->notes = fr_text(&r, WIRE_NOTES_MAX);
	out->more = field_enum(&r, 1);
	return fr_finish(&r);
}
