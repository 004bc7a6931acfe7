/* SPDX-License-Identifier: Apache-2.0 */
/*
 * keeper.h - broker <-> keeper.
 *
 * ask_id joins an answer to its question; the broker chooses it. Decoded strings borrow from the
 * frame; arrays and embedded records are owned (x_clear). A KEEPER_RELEASED frame holds secret
 * bytes: whoever held it in a buffer wipes the buffer.
 */
#ifndef AV_WIRE_KEEPER_H
#define AV_WIRE_KEEPER_H

#include "base/frame.h"
#include "reach/manifest.h"
#include "wire/caller.h"
#include "wire/judge.h"

#define KEEPER_MAX_PARTS 32u
#define KEEPER_MAX_SPANS 8u
#define KEEPER_MAX_BLOCKS 32u
#define KEEPER_REQUEST_ID_LEN 32u /* lower-case hex of 16 bytes (broker/random_id.h) */

enum keeper_message {
	/* broker -> keeper */
	KEEPER_RESOLVE = 1, /* -> KEEPER_RESOLVED or KEEPER_FAULT. Gives no authority. */
	KEEPER_RELEASE =
	    2, /* -> KEEPER_RELEASED or KEEPER_FAULT (then the denial row is written) */
	KEEPER_DENIED = 3, /* one way: the broker or the judge denied; the row may be batched */
	KEEPER_OUTCOME = 4, /* one way: how a released call ended */
	KEEPER_LIST = 5, /* -> KEEPER_LISTED or KEEPER_FAULT: /aivault/capabilities */
	/* keeper -> broker */
	KEEPER_RESOLVED = 65,
	KEEPER_RELEASED = 66,
	KEEPER_FAULT = 67,
	KEEPER_LISTED = 68,
	KEEPER_STATE = 69, /* pushed at the start of a channel and at every change of generation */
	KEEPER_REVOKED = 70, /* pushed behind the state: what was released for it has to end */
};

struct keeper_resolve {
	uint64_t ask_id;
	struct str capability;
	struct str credential; /* "" = choose */
	struct caller caller;
};

struct keeper_resolved {
	uint64_t ask_id;
	uint64_t generation;
	char *provider; /* script to ask, "" for a CLI-made capability */
	struct capability capability;
	char *credential; /* id chosen */
	char *host; /* the one effective host, lower case, maybe ":port" (dev) */
	char *path_prefix; /* the alternative's, "" mostly */
	struct string_list managed_headers; /* set by the auth strategy: refused from the caller */
	struct string_list managed_query;
	uint64_t max_request_bytes; /* UINT64_MAX = none */
	uint64_t max_response_bytes;
	struct string_list response_block; /* texts to take out of bodies */
	struct policy_instance *policies; /* strings owned, see _clear */
	size_t policy_count;
};

struct keeper_release {
	uint64_t ask_id;
	struct str request_id;
	struct str capability;
	struct str credential;
	struct caller caller;
	struct str method;
	struct str host;
	struct str path; /* canonical, as the judge saw it */
	uint64_t request_bytes; /* UINT64_MAX: not known */
	struct charge *charges;
	size_t charge_count;
};

enum auth_place { AUTH_PLACE_HEADER = 0, AUTH_PLACE_QUERY = 1, AUTH_PLACE_PATH = 2 };
struct secret_span {
	uint32_t offset; /* into value */
	uint32_t len;
};
struct auth_part {
	enum auth_place place;
	struct str name; /* header or parameter; "" for a path */
	struct str value; /* rendered */
	struct secret_span spans[KEEPER_MAX_SPANS]; /* which bytes are secret; also scrub needles */
	size_t span_count;
};
struct keeper_released {
	uint64_t ask_id;
	struct auth_part *parts;
	size_t part_count;
};

struct keeper_fault {
	uint64_t ask_id;
	struct fault fault;
	uint32_t retry_after;
};

struct keeper_denied {
	struct str request_id;
	struct str capability;
	struct str credential;
	struct caller caller;
	struct str method;
	struct str host;
	struct str path;
	struct str reason;
	struct str policy;
	uint32_t status; /* what the agent got */
};

struct keeper_outcome {
	struct str request_id;
	struct str capability; /* for the row; the keeper joins by request_id */
	uint32_t status; /* upstream's, 0 if none */
	uint64_t request_bytes;
	uint64_t response_bytes;
	uint64_t duration_ms;
	struct str
	    reason; /* "" = fine; else e.g. "upstream_reset", "client_gone", "cut_by_limit" */
};

struct keeper_list {
	uint64_t ask_id;
	struct str capability; /* "" = all */
	struct str credential; /* "" = any */
	struct caller caller;
};
struct keeper_listed {
	uint64_t ask_id;
	struct str json;
};
struct keeper_state {
	uint64_t generation;
	uint8_t locked;
	uint8_t has_vault;
};
struct keeper_revoked {
	struct str capability; /* "" = any */
	struct str credential; /* "" = any */
	struct fault fault; /* what the calls end with; its reason is the outcome's */
};

enum av_err keeper_resolve_encode(const struct keeper_resolve *m, struct buf *out) AV_MUST_USE;
enum av_err keeper_resolve_decode(const struct frame *f, struct keeper_resolve *out) AV_MUST_USE;
enum av_err keeper_resolved_encode(const struct keeper_resolved *m, struct buf *out) AV_MUST_USE;
/* Copies every string: *out outlives the frame. */
enum av_err keeper_resolved_decode(const struct frame *f, struct keeper_resolved *out) AV_MUST_USE;
void keeper_resolved_clear(struct keeper_resolved *m); /* for decoded ones */
enum av_err keeper_release_encode(const struct keeper_release *m, struct buf *out) AV_MUST_USE;
enum av_err keeper_release_decode(const struct frame *f, struct keeper_release *out) AV_MUST_USE;
void keeper_release_clear(struct keeper_release *m);
enum av_err keeper_released_encode(const struct keeper_released *m, struct buf *out) AV_MUST_USE;
/* Spans are checked to lie inside their value. */
enum av_err keeper_released_decode(const struct frame *f, struct keeper_released *out) AV_MUST_USE;
void keeper_released_clear(struct keeper_released *m); /* the array; values borrow from the frame */
enum av_err keeper_fault_encode(const struct keeper_fault *m, struct buf *out) AV_MUST_USE;
enum av_err keeper_fault_decode(const struct frame *f, struct keeper_fault *out) AV_MUST_USE;
enum av_err keeper_denied_encode(const struct keeper_denied *m, struct buf *out) AV_MUST_USE;
enum av_err keeper_denied_decode(const struct frame *f, struct keeper_denied *out) AV_MUST_USE;
enum av_err keeper_outcome_encode(const struct keeper_outcome *m, struct buf *out) AV_MUST_USE;
enum av_err keeper_outcome_decode(const struct frame *f, struct keeper_outcome *out) AV_MUST_USE;
enum av_err keeper_list_encode(const struct keeper_list *m, struct buf *out) AV_MUST_USE;
enum av_err keeper_list_decode(const struct frame *f, struct keeper_list *out) AV_MUST_USE;
enum av_err keeper_listed_encode(const struct keeper_listed *m, struct buf *out) AV_MUST_USE;
enum av_err keeper_listed_decode(const struct frame *f, struct keeper_listed *out) AV_MUST_USE;
enum av_err keeper_state_encode(const struct keeper_state *m, struct buf *out) AV_MUST_USE;
enum av_err keeper_state_decode(const struct frame *f, struct keeper_state *out) AV_MUST_USE;
enum av_err keeper_revoked_encode(const struct keeper_revoked *m, struct buf *out) AV_MUST_USE;
enum av_err keeper_revoked_decode(const struct frame *f, struct keeper_revoked *out) AV_MUST_USE;

#endif
