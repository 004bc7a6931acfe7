/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/policy_list.h"

#include "wire/field.h"
#include "wire/limits.h"

#define POLICY_MAX_PARAMS \
	(sizeof(((struct policy_instance *)0)->params) / sizeof(struct policy_param))
/* The least bytes that an element takes on the wire. */
#define POLICY_LEAST 8u
#define CHARGE_LEAST 28u

static void
refuse_over(struct frame_writer *w, size_t count, size_t max)
{
	if (count > max && w->b->err == AV_OK)
		w->b->err = AV_ELIMIT;
}

void
policy_list_encode(const struct policy_instance *items, size_t count, struct frame_writer *w)
{
	refuse_over(w, count, JUDGE_MAX_POLICIES);
	fw_u32(w, (uint32_t)count);
	for (size_t i = 0; i < count && w->b->err == AV_OK; i++) {
		const struct policy_instance *p = &items[i];

		fw_text(w, p->policy, WIRE_ID_MAX);
		refuse_over(w, p->param_count, POLICY_MAX_PARAMS);
		fw_u32(w, (uint32_t)p->param_count);
		for (size_t k = 0; k < p->param_count && w->b->err == AV_OK; k++) {
			fw_text(w, p->params[k].name, WIRE_WORD_MAX);
			fw_u64(w, p->params[k].value);
		}
	}
}

void
policy_list_decode(struct frame_reader *r, struct policy_instance **items, size_t *count)
{
	uint32_t n = fr_count(r, JUDGE_MAX_POLICIES);
	struct policy_instance *list = field_array(r, n, sizeof *list, POLICY_LEAST);

	*items = list;
	*count = list == NULL ? 0 : n;
	for (size_t i = 0; i < *count; i++) {
		list[i].policy = fr_text(r, WIRE_ID_MAX);
		list[i].param_count = fr_count(r, POLICY_MAX_PARAMS);
		for (size_t k = 0; k < list[i].param_count; k++) {
			list[i].params[k].name = fr_text(r, WIRE_WORD_MAX);
			list[i].params[k].value = fr_u64(r);
		}
	}
}

void
charge_list_encode(const struct charge *items, size_t count, struct frame_writer *w)
{
	refuse_over(w, count, JUDGE_MAX_CHARGES);
	fw_u32(w, (uint32_t)count);
	for (size_t i = 0; i < count && w->b->err == AV_OK; i++) {
		fw_text(w, items[i].policy, WIRE_ID_MAX);
		fw_text(w, items[i].key, WIRE_KEY_MAX);
		fw_u64(w, items[i].n);
		fw_u64(w, items[i].limit);
		fw_u32(w, items[i].window_s);
	}
}

void
charge_list_decode(struct frame_reader *r, struct charge **items, size_t *count)
{
	uint32_t n = fr_count(r, JUDGE_MAX_CHARGES);
	struct charge *list = field_array(r, n, sizeof *list, CHARGE_LEAST);

	*items = list;
	*count = list == NULL ? 0 : n;
	for (size_t i = 0; i < *count; i++) {
		list[i].policy = fr_text(r, WIRE_ID_MAX);
		list[i].key = fr_text(r, WIRE_KEY_MAX);
		list[i].n = fr_u64(r);
		list[i].limit = fr_u64(r);
		list[i].window_s = fr_u32(r);
	}
}
