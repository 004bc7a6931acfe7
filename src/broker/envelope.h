/* SPDX-License-Identifier: Apache-2.0 */
/*
 * envelope.h - a request as JSON, the body of POST /aivault/proxy:
 *
 *   {capability, credential?, workspaceId?, groupId?, timeoutMs?,
 *    request: {method, path, headers: [{name, value}]?, body? | bodyBase64?}}
 *
 * Only what stands here may stand there, each once; null is as good as absent. A body keeps every
 * byte. Nothing is opened or fetched for the sender: `url`, `bodyFilePath`, `multipart` and
 * `multipartFiles` have a refusal each of their own.
 */
#ifndef AV_BROKER_ENVELOPE_H
#define AV_BROKER_ENVELOPE_H

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"
#include "http/header_list.h"

#include <stdbool.h>
#include <stdint.h>

#define ENVELOPE_MAX (16u * 1024u * 1024u)
#define ENVELOPE_ID_MAX 256u

struct envelope {
	struct buf capability; /* text as it came; request.c looks whether it is valid */
	struct buf credential;
	struct buf workspace;
	struct buf group;
	struct str timeout; /* a number's text, borrowed from the envelope's; empty: none */
	struct buf method;
	struct buf path; /* path and query */
	struct header_list headers;
	struct buf body;
	bool body_given;
	struct buf header_name; /* of the header that is being read */
	struct buf header_value;
};

void envelope_init(struct envelope *v);
void envelope_clear(struct envelope *v); /* wipes */
/* AV_EFORMAT, AV_ELIMIT or AV_EINVAL with reason json, json_depth, json_string_too_long,
 * envelope_key (unknown), envelope_duplicate_key, envelope_missing, envelope_type, envelope_url,
 * envelope_file, envelope_multipart, envelope_body_mode, envelope_base64, envelope_header,
 * envelope_too_many_headers, envelope_headers_too_large; AV_ETOOBIG: envelope_too_big. `text` must stay until v->timeout was read. */
enum av_err envelope_parse(struct envelope *v, struct str text, struct fault *f) AV_MUST_USE;

#endif
