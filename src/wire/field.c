/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/field.h"

#include <stdlib.h>
#include <string.h>

uint8_t
field_enum(struct frame_reader *r, uint8_t max)
{
	uint8_t v = fr_u8(r);

	if (v <= max)
		return v;
	if (r->err == AV_OK)
		r->err = AV_EFORMAT;
	return 0;
}

void
field_begin(struct frame_reader *r, const struct frame *f, uint16_t type)
{
	fr_begin(r, f);
	if (f->type != type)
		r->err = AV_EFORMAT;
}

void
field_copy(struct frame_reader *r, char *out, size_t room)
{
	struct str s = fr_text(r, room - 1);

	memset(out, 0, room);
	if (s.len > 0)
		memcpy(out, s.p, s.len);
}

void *
field_array(struct frame_reader *r, size_t count, size_t size, size_t least)
{
	void *items;

	if (r->err != AV_OK || count == 0)
		return NULL;
	if (count > r->len / least) {
		r->err = AV_ETRUNC;
		return NULL;
	}
	items = calloc(count, size);
	if (items == NULL)
		r->err = AV_ENOMEM;
	return items;
}
