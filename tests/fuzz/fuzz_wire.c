/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every decoder between our processes. The first byte chooses the message, the rest is its payload.
 * A payload that decodes must encode to the same bytes again: a message has one form.
 */
#include "wire/counts.h"
#include "wire/judge.h"
#include "wire/keeper.h"
#include "wire/operator.h"

#include <stdlib.h>
#include <string.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* Decodes, encodes into `again`, clears; the result is decode's. */
typedef enum av_err (*round_fn)(const struct frame *f, struct buf *again);

static void
check(bool ok)
{
	if (!ok)
		abort();
}

#define ROUND(name)                                                               \
	static enum av_err round_##name(const struct frame *f, struct buf *again) \
	{                                                                         \
		struct name m;                                                    \
		enum av_err e = name##_decode(f, &m);                             \
                                                                                  \
		if (e == AV_OK)                                                   \
			check(name##_encode(&m, again) == AV_OK);                 \
		return e;                                                         \
	}
#define ROUND_CLEAR(name)                                                         \
	static enum av_err round_##name(const struct frame *f, struct buf *again) \
	{                                                                         \
		struct name m;                                                    \
		enum av_err e = name##_decode(f, &m);                             \
                                                                                  \
		if (e == AV_OK)                                                   \
			check(name##_encode(&m, again) == AV_OK);                 \
		name##_clear(&m);                                                 \
		return e;                                                         \
	}

ROUND_CLEAR(judge_ask)
ROUND_CLEAR(judge_verdict)
ROUND(keeper_resolve)
ROUND_CLEAR(keeper_resolved)
ROUND_CLEAR(keeper_release)
ROUND_CLEAR(keeper_released)
ROUND(keeper_fault)
ROUND(keeper_denied)
ROUND(keeper_outcome)
ROUND(keeper_list)
ROUND(keeper_listed)
ROUND(keeper_state)
ROUND(keeper_revoked)
ROUND(counts_fill)
ROUND_CLEAR(counts_refund)
ROUND(operator_request)
ROUND(operator_reply)

static enum av_err
round_judge_body(const struct frame *f, struct buf *again)
{
	struct str bytes;
	uint64_t id;
	enum av_err e = judge_body_decode(f, &id, &bytes);

	if (e == AV_OK)
		check(judge_body_encode(id, bytes, again) == AV_OK);
	return e;
}

/* Append only: the seeds in corpus/wire name a message by its place here. */
static const struct {
	uint16_t type;
	round_fn round;
} messages[] = {
    {JUDGE_ASK, round_judge_ask},
    {JUDGE_BODY, round_judge_body},
    {JUDGE_VERDICT, round_judge_verdict},
    {KEEPER_RESOLVE, round_keeper_resolve},
    {KEEPER_RESOLVED, round_keeper_resolved},
    {KEEPER_RELEASE, round_keeper_release},
    {KEEPER_RELEASED, round_keeper_released},
    {KEEPER_FAULT, round_keeper_fault},
    {KEEPER_DENIED, round_keeper_denied},
    {KEEPER_OUTCOME, round_keeper_outcome},
    {KEEPER_LIST, round_keeper_list},
    {KEEPER_LISTED, round_keeper_listed},
    {KEEPER_STATE, round_keeper_state},
    {OPERATOR_REQUEST, round_operator_request},
    {OPERATOR_REPLY, round_operator_reply},
    {KEEPER_REVOKED, round_keeper_revoked},
    {COUNTS_FILL, round_counts_fill},
    {COUNTS_REFUND, round_counts_refund},
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct frame f;
	struct buf again;
	size_t which;

	if (size == 0 || size - 1 > FRAME_MAX)
		return 0;
	which = data[0] % COUNT(messages);
	f = (struct frame){messages[which].type, data + 1, size - 1};
	buf_init(&again, FRAME_MAX + FRAME_HEADER_LEN);
	if (messages[which].round(&f, &again) == AV_OK) {
		check(again.len == FRAME_HEADER_LEN + f.len);
		check(f.len == 0 || memcmp(again.data + FRAME_HEADER_LEN, f.payload, f.len) == 0);
	}
	buf_clear(&again);
	return 0;
}
