/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/counts.h"

#include "wire/field.h"
#include "wire/limits.h"
#include "wire/policy_list.h"

#include <stdlib.h>
#include <string.h>

enum av_err
counts_fill_encode(const struct counts_fill *m, struct buf *out)
{
	struct frame_writer w;

	if (m->step_count > COUNTS_MAX_STEPS)
		return AV_ELIMIT;
	fw_begin(&w, out, COUNTS_FILL);
	fw_text(&w, m->key, WIRE_KEY_MAX);
	fw_u32(&w, m->window_s);
	fw_u32(&w, (uint32_t)m->step_count);
	for (size_t i = 0; i < m->step_count; i++) {
		fw_u64(&w, (uint64_t)m->steps[i].at_ms);
		fw_u64(&w, m->steps[i].n);
	}
	return fw_end(&w);
}

enum av_err
counts_fill_decode(const struct frame *f, struct counts_fill *out)
{
	struct frame_reader r;

	memset(out, 0, sizeof *out);
	field_begin(&r, f, COUNTS_FILL);
	out->key = fr_text(&r, WIRE_KEY_MAX);
	out->window_s = fr_u32(&r);
	out->step_count = fr_count(&r, COUNTS_MAX_STEPS);
	for (size_t i = 0; i < out->step_count; i++) {
		out->steps[i].at_ms = (int64_t)fr_u64(&r);
		out->steps[i].n = fr_u64(&r);
	}
	return fr_finish(&r);
}

enum av_err
counts_clear_encode(struct buf *out)
{
	struct frame_writer w;

	fw_begin(&w, out, COUNTS_CLEAR);
	return fw_end(&w);
}

enum av_err
counts_clear_decode(const struct frame *f)
{
	struct frame_reader r;

	field_begin(&r, f, COUNTS_CLEAR);
	return fr_finish(&r);
}

enum av_err
counts_refund_encode(const struct counts_refund *m, struct buf *out)
{
	struct frame_writer w;

	if (m->charge_count > JUDGE_MAX_CHARGES)
		return AV_ELIMIT;
	fw_begin(&w, out, COUNTS_REFUND);
	charge_list_encode(m->charges, m->charge_count, &w);
	return fw_end(&w);
}

enum av_err
counts_refund_decode(const struct frame *f, struct counts_refund *out)
{
	struct frame_reader r;
	enum av_err e;

	memset(out, 0, sizeof *out);
	field_begin(&r, f, COUNTS_REFUND);
	charge_list_decode(&r, &out->charges, &out->charge_count);
	e = fr_finish(&r);
	if (e != AV_OK)
		counts_refund_clear(out);
	return e;
}

void
counts_refund_clear(struct counts_refund *m)
{
	free(m->charges);
	memset(m, 0, sizeof *m);
}
