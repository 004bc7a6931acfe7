/* SPDX-License-Identifier: Apache-2.0 */
/*
 * request.h - what an agent asks for, taken out of an HTTP request or an envelope. Here and nowhere
 * else.
 *
 * Direct form: ANY /i/<capability>/-/<path>?<query>. The id may hold '/', so the first "/-/" ends
 * it. Without "/-/" the capability's only path is meant. The Aivault-* headers are the context;
 * they are taken off before anything else looks at the headers. In an envelope's request they mean
 * nothing: there the context stands in the envelope.
 */
#ifndef AV_BROKER_REQUEST_H
#define AV_BROKER_REQUEST_H

#include "base/err.h"
#include "base/str.h"
#include "http/message.h"
#include "wire/caller.h"
#include "wire/limits.h"

#include <stdbool.h>
#include <stdint.h>

struct envelope;

#define REQUEST_TIMEOUT_MAX_MS (24u * 3600u * 1000u)
#define REQUEST_ID_TEXT 128u /* a capability's id */
#define REQUEST_CREDENTIAL_TEXT CREDENTIAL_ID_MAX

struct invoke_request {
	char capability[REQUEST_ID_TEXT + 1];
	char credential[REQUEST_CREDENTIAL_TEXT + 1]; /* "" = the vault chooses */
	struct caller caller;
	uint64_t timeout_ms; /* of the whole call; 0 = none */
	char method[16];
	struct str
	    target; /* raw path and query below the capability; borrows from message or envelope */
	bool has_path; /* false: target is only "?query" or "" */
	struct header_list *headers; /* borrows from message or envelope */
	bool has_body;
	uint64_t body_size; /* UINT64_MAX: not known (chunked) */
};

/* AV_EINVAL with reason capability_id, credential_id, context_header, timeout, method. */
enum av_err invoke_request_parse(struct invoke_request *out, struct message *m,
    const struct caller *c, struct fault *f) AV_MUST_USE;
/* The same from an envelope; the method may be wrong in it, as everything else. The request that
 * carried it may name no context of its own (reason context_header). */
enum av_err invoke_request_from_envelope(struct invoke_request *out, struct envelope *v,
    struct message *carrier, const struct caller *c, struct fault *f) AV_MUST_USE;
/* Takes the context headers off: who is spoken for, in *c, and the credential, "" = the vault chooses.
 * AV_EINVAL context_header, credential_id. */
enum av_err invoke_context_take(struct header_list *l, char credential[REQUEST_CREDENTIAL_TEXT + 1],
    struct caller *c, struct fault *f) AV_MUST_USE;
/* Splits "<capability>/-/<path>?<query>" (what stands after "/i/"). */
void invoke_target_split(
    struct str rest, struct str *capability, struct str *target, bool *has_path);

#endif
