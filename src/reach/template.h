/* SPDX-License-Identifier: Apache-2.0 */
/*
 * template.h - the text of an auth template: literal bytes and {{placeholder}}s.
 *
 * A placeholder's name is [A-Za-z][A-Za-z0-9_.-]*, at most 64 bytes, no blanks around it. Braces
 * that are not part of a placeholder are refused, so that a template never means two things.
 */
#ifndef AV_REACH_TEMPLATE_H
#define AV_REACH_TEMPLATE_H

#include "base/str.h"

#define TEMPLATE_MAX_NAME 64u

bool template_is_valid(struct str text);
/* Walks the placeholders of a valid template. Call with *pos = 0; after true, *pos stands behind
 * the closing braces. False at the end, and at the first malformed one. */
bool template_next(struct str text, size_t *pos, struct str *name);
bool template_name_is_valid(struct str name);

#endif
