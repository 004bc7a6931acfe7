/* SPDX-License-Identifier: Apache-2.0 */
/* caller.h - who asks: kernel facts of the peer and the context that it names. Travels in messages. */
#ifndef AV_WIRE_CALLER_H
#define AV_WIRE_CALLER_H

#include "base/frame.h"

#include <stdint.h>

#define CALLER_NAME_MAX 64u
#define CALLER_CONTEXT_MAX 128u

struct caller {
	uint32_t uid;
	uint32_t gid;
	uint32_t pid;
	char name[CALLER_NAME_MAX + 1]; /* "user:NAME" or "token:NAME" */
	char program[32]; /* the kernel's comm; escaped by whoever prints it */
	char workspace[CALLER_CONTEXT_MAX + 1];
	char group[CALLER_CONTEXT_MAX + 1];
};

void caller_encode(const struct caller *c, struct frame_writer *w);
void caller_decode(struct frame_reader *r, struct caller *out);

#endif
