/* SPDX-License-Identifier: Apache-2.0 */
/*
 * judge.h - broker <-> judge. No message here has a field that can carry secret bytes (I1).
 *
 * Order for one request with a body to inspect: JUDGE_BODY frames (each <= JUDGE_BODY_CHUNK bytes,
 * 1 MiB together), then JUDGE_ASK; the answer is one JUDGE_VERDICT. Asks are answered in order, one
 * at a time. Strings of a decoded message borrow from the frame; arrays are owned (x_clear).
 */
#ifndef AV_WIRE_JUDGE_H
#define AV_WIRE_JUDGE_H

#include "base/frame.h"
#include "http/header_list.h"
#include "wire/caller.h"

#define JUDGE_BODY_MAX (1024u * 1024u)
#define JUDGE_BODY_CHUNK (256u * 1024u)
#define JUDGE_MAX_POLICIES 32u
#define JUDGE_MAX_CHARGES 16u
#define JUDGE_MAX_HEADER_OPS 64u

enum judge_message {
	JUDGE_ASK = 1,
	JUDGE_BODY = 2,
	JUDGE_VERDICT = 3,
};

/* A policy set by `capability policy set`: runs beside those that the script names. */
struct policy_param {
	struct str name;
	uint64_t value;
};
struct policy_instance {
	struct str policy; /* "rate_limit" */
	struct policy_param params[8];
	size_t param_count;
};

struct judge_ask {
	uint64_t ask_id;
	int64_t now_ms;
	struct str provider; /* whose script; "" for a capability made by CLI (no script) */
	struct str capability;
	struct str credential;
	struct str method;
	struct str host;
	struct str path;
	struct str query;
	uint64_t body_size; /* UINT64_MAX: not known yet (chunked) */
	uint8_t has_body; /* JUDGE_BODY frames for this ask_id came before */
	struct caller caller;
	const struct header *headers;
	size_t header_count;
	struct policy_instance *policies;
	size_t policy_count;
};

/* DENY is zero (I4). */
enum verdict_kind { VERDICT_DENY = 0, VERDICT_ALLOW = 1 };

struct charge {
	struct str policy;
	struct str key;
	uint64_t n;
	uint64_t limit;
	uint32_t window_s;
};
struct header_op {
	uint8_t drop; /* 1: remove `name`; 0: set it to `value` */
	struct str name;
	struct str value;
};

struct judge_verdict {
	uint64_t ask_id;
	enum verdict_kind kind;
	uint8_t limit_hit; /* the script ran into time or memory */
	struct str reason; /* deny: word, e.g. "policy_denied", "rate_limit", "policy_error",
	                             "policy_timeout", "policy_memory" */
	struct str message; /* deny: the script's words, cut to 256 bytes, UTF-8 */
	struct str remedy;
	struct str policy; /* which policy or "check" decided */
	uint32_t retry_after; /* seconds; 0 = none */
	uint64_t max_request_bytes; /* UINT64_MAX = no limit */
	uint64_t max_response_bytes;
	struct header_op *ops;
	size_t op_count;
	struct charge *charges;
	size_t charge_count;
};

enum av_err judge_ask_encode(const struct judge_ask *a, struct buf *out) AV_MUST_USE;
/* Allocates headers and policies in *out. */
enum av_err judge_ask_decode(const struct frame *f, struct judge_ask *out) AV_MUST_USE;
void judge_ask_clear(struct judge_ask *a);
enum av_err judge_body_encode(uint64_t ask_id, struct str bytes, struct buf *out) AV_MUST_USE;
enum av_err judge_body_decode(
    const struct frame *f, uint64_t *ask_id, struct str *bytes) AV_MUST_USE;
enum av_err judge_verdict_encode(const struct judge_verdict *v, struct buf *out) AV_MUST_USE;
enum av_err judge_verdict_decode(const struct frame *f, struct judge_verdict *out) AV_MUST_USE;
void judge_verdict_clear(struct judge_verdict *v);

#endif
