/* SPDX-License-Identifier: Apache-2.0 */
#include "reach/builtin.h"

#include <stdlib.h>

static enum av_err
builtin_load_one(struct builtin *b, const struct frame *frame)
{
	struct manifest *m = NULL;
	struct frame_reader r;
	enum av_err e;

	if (frame->type != BUILTIN_FRAME)
		return AV_EFORMAT;
	if (b->count == BUILTIN_MAX_PROVIDERS)
		return AV_ELIMIT;
	fr_begin(&r, frame);
	e = manifest_decode(&r, &m);
	if (e == AV_OK)
		e = fr_finish(&r);
	if (e == AV_OK)
		e = manifest_validate(m, NULL);
	if (e == AV_OK && builtin_provider(b, str_of(m->provider)) != NULL)
		e = AV_EEXISTS;
	if (e != AV_OK) {
		manifest_free(m);
		return e;
	}
	b->items[b->count++] = m;
	return AV_OK;
}

enum av_err
builtin_load(struct builtin *out, const uint8_t *bytes, size_t len)
{
	struct builtin b = {0};
	enum av_err e = AV_OK;

	*out = b;
	b.items = calloc(BUILTIN_MAX_PROVIDERS, sizeof(struct manifest *));
	if (b.items == NULL)
		return AV_ENOMEM;
	while (len > 0) {
		struct frame frame;
		size_t used;
		e = frame_parse(bytes, len, &frame, &used);
		if (e == AV_OK)
			e = builtin_load_one(&b, &frame);
		if (e != AV_OK)
			goto out;
		bytes += used;
		len -= used;
	}
	*out = b;
	b = (struct builtin){0};
out:
	builtin_clear(&b);
	return e;
}

void
builtin_clear(struct builtin *b)
{
	for (size_t i = 0; i < b->count; i++)
		manifest_free(b->items[i]);
	free(b->items);
	*b = (struct builtin){0};
}

const struct manifest *
builtin_provider(const struct builtin *b, struct str name)
{
	for (size_t i = 0; i < b->count; i++)
		if (str_eq_cstr(name, b->items[i]->provider))
			return b->items[i];
	return NULL;
}

const struct capability *
builtin_capability(const struct builtin *b, struct str id, const struct manifest **m)
{
	for (size_t i = 0; i < b->count; i++) {
		const struct capability *c = manifest_capability(b->items[i], id);
		if (c == NULL)
			continue;
		if (m != NULL)
			*m = b->items[i];
		return c;
	}
	return NULL;
}

static bool
secrets_name(const struct pair_list *secrets, struct str name)
{
	for (size_t i = 0; i < secrets->count; i++)
		if (str_eq_cstr(name, secrets->items[i].name))
			return true;
	return false;
}

const struct manifest *
builtin_claims(const struct builtin *b, struct str secret_name)
{
	for (size_t i = 0; i < b->count; i++) {
		const struct manifest *m = b->items[i];
		if (secrets_name(&m->secrets, secret_name))
			return m;
		for (size_t k = 0; k < m->alternative_count; k++)
			if (secrets_name(&m->alternatives[k].secrets, secret_name))
				return m;
	}
	return NULL;
}
