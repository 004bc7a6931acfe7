/* SPDX-License-Identifier: Apache-2.0 */
/*
 * verdict.h - what a check may answer: allow() or deny(), nothing else (I4).
 *
 * Both are C functions that make a value which only they can make and which is good for the running
 * check alone. A draft collects the answers of one chain; its zero value is a deny.
 */
#ifndef AV_POLICY_VERDICT_H
#define AV_POLICY_VERDICT_H

#include "policy/argument.h"
#include "wire/judge.h"

#define DRAFT_TEXT_MAX (64u * 1024u)
#define DRAFT_MESSAGE_MAX 256u
#define DRAFT_REMEDY_MAX 240u
#define DRAFT_WORD_MAX 47u

struct verdict_draft {
	enum verdict_kind kind;
	uint8_t limit_hit;
	char reason[DRAFT_WORD_MAX + 1];
	char message[DRAFT_MESSAGE_MAX + 1];
	char remedy[DRAFT_REMEDY_MAX + 1];
	char policy[DRAFT_WORD_MAX + 1];
	uint32_t retry_after;
	uint64_t max_request_bytes;
	uint64_t max_response_bytes;
	struct header_op ops[JUDGE_MAX_HEADER_OPS];
	size_t op_count;
	struct charge charges[JUDGE_MAX_CHARGES];
	size_t charge_count;
	char text[DRAFT_TEXT_MAX]; /* what ops and charges borrow from */
	size_t text_len;
};

void draft_reset(struct verdict_draft *d);
/* Copies s into the draft's text; false: no room. */
bool draft_keep(struct verdict_draft *d, struct str s, struct str *out) AV_MUST_USE;
/* Makes it a deny without header changes or charges. */
void draft_deny(struct verdict_draft *d, const char *reason, struct str message);
/* *out borrows everything from d. */
void draft_to_verdict(struct verdict_draft *d, uint64_t ask_id, struct judge_verdict *out);

/* Adds `allow` and `deny` to the table on the top. */
LUA_RAISES void verdict_open(lua_State *L);
/* Reads the answer at `index` into the draft: adds an allow's changes, or makes it a deny. Raises on
 * anything that is not a whole, well-formed answer of the running check. */
LUA_RAISES void verdict_take(lua_State *L, int index, struct verdict_draft *d);

#endif
