/* SPDX-License-Identifier: Apache-2.0 */
/* field.h - kinds of fields that several messages share, on top of base/frame.h. */
#ifndef AV_WIRE_FIELD_H
#define AV_WIRE_FIELD_H

#include "base/frame.h"

#include <stdbool.h>

/* A message has one form, so a flag is 0 or 1 and nothing else; `max` is the largest value. */
uint8_t field_enum(struct frame_reader *r, uint8_t max);
/* Begins reading a frame that must be of `type` (else the reader fails with AV_EFORMAT). */
void field_begin(struct frame_reader *r, const struct frame *f, uint16_t type);
/* Text into a fixed array of `room` bytes, NUL-terminated. */
void field_copy(struct frame_reader *r, char *out, size_t room);
/* An array of `count` zeroed elements; NULL for none. On failure the reader fails. Every element
 * takes at least `least` bytes of the frame, so a count that the frame cannot hold fails first. */
void *field_array(struct frame_reader *r, size_t count, size_t size, size_t least);

#endif
