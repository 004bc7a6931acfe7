/* SPDX-License-Identifier: Apache-2.0 */
/* fault.h - a struct fault inside a message. */
#ifndef AV_WIRE_FAULT_H
#define AV_WIRE_FAULT_H

#include "base/frame.h"

void fault_encode(const struct fault *f, struct frame_writer *w);
/* An error number that is not in the list fails the reader. */
void fault_decode(struct frame_reader *r, struct fault *out);

#endif
