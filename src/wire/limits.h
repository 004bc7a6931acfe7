/* SPDX-License-Identifier: Apache-2.0 */
/*
 * limits.h - the most bytes that a field of a message may have. Both ends hold to them: an encoder
 * answers AV_ELIMIT for more, a decoder too. All but values and bodies is UTF-8 without NUL, and
 * both ends hold to that with AV_EFORMAT.
 */
#ifndef AV_WIRE_LIMITS_H
#define AV_WIRE_LIMITS_H

#include "base/str.h"

/* capability, credential, provider, policy. The longest credential that is made by itself has a
 * provider, a workspace and a group in its id. */
#define WIRE_ID_MAX CREDENTIAL_ID_MAX
#define WIRE_WORD_MAX 64u /* a reason word, an operation's name */
#define WIRE_METHOD_MAX 32u
#define WIRE_HOST_MAX 300u
#define WIRE_TARGET_MAX (16u * 1024u)
#define WIRE_TEXT_MAX 512u /* a script's message or remedy */
#define WIRE_KEY_MAX 512u /* what a charge counts by */
#define WIRE_HEADER_NAME_MAX 256u
#define WIRE_HEADER_VALUE_MAX (64u * 1024u)
#define WIRE_RENDERED_MAX (128u * 1024u) /* one rendered auth value */
#define WIRE_NOTES_MAX (64u * 1024u)

#endif
