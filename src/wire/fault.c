/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/fault.h"

#include "wire/field.h"

#include <string.h>

void
fault_encode(const struct fault *f, struct frame_writer *w)
{
	fw_u32(w, (unsigned)f->err < AV_ERR_COUNT ? (uint32_t)f->err : (uint32_t)AV_ESYS);
	fw_text(w, str_of(f->reason), sizeof f->reason - 1);
	fw_text(w, str_of(f->message), sizeof f->message - 1);
	fw_text(w, str_of(f->remedy), sizeof f->remedy - 1);
}

void
fault_decode(struct frame_reader *r, struct fault *out)
{
	uint32_t err = fr_u32(r);

	memset(out, 0, sizeof *out);
	if (err >= AV_ERR_COUNT) {
		if (r->err == AV_OK)
			r->err = AV_EFORMAT;
		err = AV_ESYS;
	}
	out->err = (enum av_err)err;
	field_copy(r, out->reason, sizeof out->reason);
	field_copy(r, out->message, sizeof out->message);
	field_copy(r, out->remedy, sizeof out->remedy);
}
