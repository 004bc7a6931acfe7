/* SPDX-License-Identifier: Apache-2.0 */
/*
 * draft.h - the verdict while it is being made: what the answers of one chain add up to.
 *
 * Its zero value is a deny (I4). Holds its own bytes, so that nothing is on the heap across a Lua call.
 */
#ifndef AV_POLICY_DRAFT_H
#define AV_POLICY_DRAFT_H

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
/* Copies text for people: whole UTF-8 characters, no control bytes, at most max bytes and a NUL. */
void draft_copy_text(char *out, size_t max, struct str s);
/* Makes it a deny without header changes or charges. */
void draft_deny(struct verdict_draft *d, const char *reason, struct str message);
/* A deny for which the script is to blame, not the request; the remedy says so. */
void draft_blame_script(struct verdict_draft *d, const char *reason, struct str message);
/* *out borrows everything from d. */
void draft_to_verdict(struct verdict_draft *d, uint64_t ask_id, struct judge_verdict *out);

#endif
