/* SPDX-License-Identifier: Apache-2.0 */
/*
 * operator.h - aivault <-> keeper, on operator.sock.
 *
 * One request, then replies until one has `more` == 0. Arguments and results are JSON text (an
 * object); secret bytes never stand in JSON: they have a field of their own, and whoever held the
 * frame wipes it.
 */
#ifndef AV_WIRE_OPERATOR_H
#define AV_WIRE_OPERATOR_H

#include "base/frame.h"

#define OPERATOR_PROTOCOL 1u
#define OPERATOR_JSON_MAX (512u * 1024u)
#define OPERATOR_SECRET_MAX (64u * 1024u)

enum operator_message { OPERATOR_REQUEST = 1, OPERATOR_REPLY = 2 };

struct operator_request {
	uint32_t protocol;
	struct str op; /* "status", "secrets.create", ... */
	struct str args; /* JSON object */
	struct str secret; /* "" where the op takes none */
};
struct operator_reply {
	struct fault fault; /* err AV_OK: done */
	struct str json; /* the result; an object or array, as the CLI prints it with -v */
	struct str notes; /* lines for stderr ("pinned to openai"), '\n' between */
	uint8_t more;
};

enum av_err operator_request_encode(const struct operator_request *m, struct buf *out) AV_MUST_USE;
enum av_err operator_request_decode(
    const struct frame *f, struct operator_request *out) AV_MUST_USE;
enum av_err operator_reply_encode(const struct operator_reply *m, struct buf *out) AV_MUST_USE;
enum av_err operator_reply_decode(const struct frame *f, struct operator_reply *out) AV_MUST_USE;

#endif
