/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/caller.h"

#include "wire/field.h"

#include <string.h>

void
caller_encode(const struct caller *c, struct frame_writer *w)
{
	fw_u32(w, c->uid);
	fw_u32(w, c->gid);
	fw_u32(w, c->pid);
	fw_text(w, str_of(c->name), sizeof c->name - 1);
	fw_str_max(w, str_of(c->program), sizeof c->program - 1);
	fw_text(w, str_of(c->workspace), sizeof c->workspace - 1);
	fw_text(w, str_of(c->group), sizeof c->group - 1);
}

void
caller_decode(struct frame_reader *r, struct caller *out)
{
	struct str program;

	memset(out, 0, sizeof *out);
	out->uid = fr_u32(r);
	out->gid = fr_u32(r);
	out->pid = fr_u32(r);
	field_copy(r, out->name, sizeof out->name);
	/* A process names itself as it likes: comm need not be text. */
	program = fr_str(r, sizeof out->program - 1);
	if (program.len > 0 && memchr(program.p, '\0', program.len) == NULL)
		memcpy(out->program, program.p, program.len);
	else if (program.len > 0 && r->err == AV_OK)
		r->err = AV_EFORMAT;
	field_copy(r, out->workspace, sizeof out->workspace);
	field_copy(r, out->group, sizeof out->group);
}
