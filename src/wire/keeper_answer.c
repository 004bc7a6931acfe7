/* SPDX-License-Identifier: Apache-2.0 */
/* The two answers of wire/keeper.h that own memory: resolved and released. */
#include "wire/keeper.h"

#include "wire/field.h"
#include "wire/limits.h"
#include "wire/policy_list.h"

#include <stdlib.h>
#include <string.h>

#define MANAGED_MAX 64u
#define PART_LEAST 13u /* the least bytes that a part takes on the wire */

enum av_err
keeper_resolved_encode(const struct keeper_resolved *m, struct buf *out)
{
	struct frame_writer w;

	if (m->managed_headers.count > MANAGED_MAX || m->managed_query.count > MANAGED_MAX)
		return AV_ELIMIT;
	fw_begin(&w, out, KEEPER_RESOLVED);
	fw_u64(&w, m->ask_id);
	fw_u64(&w, m->generation);
	fw_text(&w, str_of(m->provider), WIRE_ID_MAX);
	capability_encode(&m->capability, &w);
	fw_text(&w, str_of(m->credential), WIRE_ID_MAX);
	fw_text(&w, str_of(m->host), WIRE_HOST_MAX);
	fw_text(&w, str_of(m->path_prefix), MANIFEST_MAX_TEXT);
	string_list_encode(&m->managed_headers, &w);
	string_list_encode(&m->managed_query, &w);
	fw_u64(&w, m->max_request_bytes);
	fw_u64(&w, m->max_response_bytes);
	string_list_encode(&m->response_block, &w);
	policy_list_encode(m->policies, m->policy_count, &w);
	return fw_end(&w);
}

static void
reader_fail(struct frame_reader *r, enum av_err e)
{
	if (e != AV_OK && r->err == AV_OK)
		r->err = e;
}

static char *
owned_text(struct frame_reader *r, size_t max)
{
	char *copy = str_dup(fr_text(r, max));

	if (copy == NULL)
		reader_fail(r, AV_ENOMEM);
	return copy;
}

/* False: the span is emptied, so that what is freed later is only what was copied. */
static bool
own_str(struct str *s)
{
	char *copy = str_dup(*s);

	s->p = copy;
	if (copy == NULL)
		s->len = 0;
	return copy != NULL;
}

static void
own_policies(struct frame_reader *r, struct keeper_resolved *out)
{
	bool ok = r->err == AV_OK;

	for (size_t i = 0; i < out->policy_count; i++) {
		struct policy_instance *p = &out->policies[i];

		/* After a failure the rest must not keep pointers into the frame. */
		if (!ok)
			memset(p, 0, sizeof *p);
		else
			ok = own_str(&p->policy);
		for (size_t k = 0; k < p->param_count; k++) {
			if (!ok)
				p->params[k].name = (struct str){NULL, 0};
			else
				ok = own_str(&p->params[k].name);
		}
	}
	if (!ok)
		reader_fail(r, AV_ENOMEM);
}

enum av_err
keeper_resolved_decode(const struct frame *f, struct keeper_resolved *out)
{
	struct frame_reader r;
	enum av_err e;

	memset(out, 0, sizeof *out);
	field_begin(&r, f, KEEPER_RESOLVED);
	out->ask_id = fr_u64(&r);
	out->generation = fr_u64(&r);
	out->provider = owned_text(&r, WIRE_ID_MAX);
	reader_fail(&r, capability_decode(&r, &out->capability));
	out->credential = owned_text(&r, WIRE_ID_MAX);
	out->host = owned_text(&r, WIRE_HOST_MAX);
	out->path_prefix = owned_text(&r, MANIFEST_MAX_TEXT);
	reader_fail(&r, string_list_decode(&r, MANAGED_MAX, &out->managed_headers));
	reader_fail(&r, string_list_decode(&r, MANAGED_MAX, &out->managed_query));
	out->max_request_bytes = fr_u64(&r);
	out->max_response_bytes = fr_u64(&r);
	reader_fail(&r, string_list_decode(&r, KEEPER_MAX_BLOCKS, &out->response_block));
	policy_list_decode(&r, &out->policies, &out->policy_count);
	own_policies(&r, out);
	e = fr_finish(&r);
	if (e != AV_OK)
		keeper_resolved_clear(out);
	return e;
}

static void
free_owned(struct str s)
{
	free((void *)(uintptr_t)s.p);
}

void
keeper_resolved_clear(struct keeper_resolved *m)
{
	free(m->provider);
	capability_clear(&m->capability);
	free(m->credential);
	free(m->host);
	free(m->path_prefix);
	string_list_clear(&m->managed_headers);
	string_list_clear(&m->managed_query);
	string_list_clear(&m->response_block);
	for (size_t i = 0; i < m->policy_count; i++) {
		free_owned(m->policies[i].policy);
		for (size_t k = 0; k < m->policies[i].param_count; k++)
			free_owned(m->policies[i].params[k].name);
	}
	free(m->policies);
	memset(m, 0, sizeof *m);
}

static bool
spans_fit(const struct auth_part *p)
{
	for (size_t i = 0; i < p->span_count; i++) {
		const struct secret_span *s = &p->spans[i];

		if (s->offset > p->value.len || s->len > p->value.len - s->offset)
			return false;
	}
	return true;
}

enum av_err
keeper_released_encode(const struct keeper_released *m, struct buf *out)
{
	struct frame_writer w;

	if (m->part_count > KEEPER_MAX_PARTS)
		return AV_ELIMIT;
	for (size_t i = 0; i < m->part_count; i++) {
		if (m->parts[i].span_count > KEEPER_MAX_SPANS)
			return AV_ELIMIT;
		if (!spans_fit(&m->parts[i]))
			return AV_EFORMAT;
	}
	fw_begin(&w, out, KEEPER_RELEASED);
	fw_u64(&w, m->ask_id);
	fw_u32(&w, (uint32_t)m->part_count);
	for (size_t i = 0; i < m->part_count; i++) {
		const struct auth_part *p = &m->parts[i];

		fw_u8(&w, (uint8_t)p->place);
		fw_text(&w, p->name, WIRE_HEADER_NAME_MAX);
		fw_str_max(&w, p->value, WIRE_RENDERED_MAX);
		fw_u32(&w, (uint32_t)p->span_count);
		for (size_t k = 0; k < p->span_count; k++) {
			fw_u32(&w, p->spans[k].offset);
			fw_u32(&w, p->spans[k].len);
		}
	}
	return fw_end(&w);
}

static void
part_decode(struct frame_reader *r, struct auth_part *p)
{
	p->place = (enum auth_place)field_enum(r, AUTH_PLACE_PATH);
	p->name = fr_text(r, WIRE_HEADER_NAME_MAX);
	p->value = fr_str(r, WIRE_RENDERED_MAX);
	p->span_count = fr_count(r, KEEPER_MAX_SPANS);
	for (size_t k = 0; k < p->span_count; k++) {
		p->spans[k].offset = fr_u32(r);
		p->spans[k].len = fr_u32(r);
	}
	if (!spans_fit(p))
		reader_fail(r, AV_EFORMAT);
}

enum av_err
keeper_released_decode(const struct frame *f, struct keeper_released *out)
{
	struct frame_reader r;
	uint32_t count;
	enum av_err e;

	memset(out, 0, sizeof *out);
	field_begin(&r, f, KEEPER_RELEASED);
	out->ask_id = fr_u64(&r);
	count = fr_count(&r, KEEPER_MAX_PARTS);
	out->parts = field_array(&r, count, sizeof *out->parts, PART_LEAST);
	out->part_count = out->parts == NULL ? 0 : count;
	for (size_t i = 0; i < out->part_count; i++)
		part_decode(&r, &out->parts[i]);
	e = fr_finish(&r);
	if (e != AV_OK)
		keeper_released_clear(out);
	return e;
}

void
keeper_released_clear(struct keeper_released *m)
{
	free(m->parts);
	memset(m, 0, sizeof *m);
}
