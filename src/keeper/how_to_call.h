/* SPDX-License-Identifier: Apache-2.0 */
/*
 * how_to_call.h - a capability explained to who wants to call it: the same for operators
 * (op_describe.c) and agents (list.c).
 */
#ifndef AV_KEEPER_HOW_TO_CALL_H
#define AV_KEEPER_HOW_TO_CALL_H

#include "reach/manifest.h"

#include <cjson/cJSON.h>

/* Adds "call" to `o`: {requiredFlagsWhenNoRequestPayload, defaults, optionalFlags, payloadModes, howTo}. */
void how_to_call(cJSON *o, const char *id, const struct capability *cap);

#endif
