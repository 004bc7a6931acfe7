/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/draft.h"

#include <stdio.h>
#include <string.h>

void
draft_reset(struct verdict_draft *d)
{
	d->kind = VERDICT_DENY;
	d->limit_hit = 0;
	d->reason[0] = d->message[0] = d->remedy[0] = d->policy[0] = '\0';
	d->retry_after = 0;
	d->max_request_bytes = UINT64_MAX;
	d->max_response_bytes = UINT64_MAX;
	d->op_count = 0;
	d->charge_count = 0;
	d->text_len = 0;
}

bool
draft_keep(struct verdict_draft *d, struct str s, struct str *out)
{
	if (s.len > DRAFT_TEXT_MAX - d->text_len) {
		return false;
	}
	char *at = d->text + d->text_len;
	if (s.len > 0) {
		memcpy(at, s.p, s.len);
	}
	d->text_len += s.len;
	*out = (struct str){at, s.len};
	return true;
}

void
draft_copy_text(char *out, size_t max, struct str s)
{
	size_t n = s.len < max ? s.len : max;
	while (n > 0 && n < s.len && ((unsigned char)s.p[n] & 0xc0) == 0x80) {
		n--;
	}
	bool utf8 = str_is_utf8((struct str){s.p, n});
	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)s.p[i];
		out[i] = c < 0x20 || c == 0x7f ? ' ' : (c > 0x7f && !utf8 ? '?' : (char)c);
	}
	out[n] = '\0';
}

void
draft_deny(struct verdict_draft *d, const char *reason, struct str message)
{
	d->kind = VERDICT_DENY;
	d->op_count = 0;
	d->charge_count = 0;
	d->retry_after = 0;
	d->remedy[0] = '\0';
	snprintf(d->reason, sizeof(d->reason), "%s", reason);
	draft_copy_text(d->message, DRAFT_MESSAGE_MAX, message);
}

void
draft_blame_script(struct verdict_draft *d, const char *reason, struct str message)
{
	draft_deny(d, reason, message);
	draft_copy_text(d->remedy, DRAFT_REMEDY_MAX,
	    STR_LIT("The request is not to blame: ask the vault's owner to mend the policy."));
}

void
draft_to_verdict(struct verdict_draft *d, uint64_t ask_id, struct judge_verdict *out)
{
	*out = (struct judge_verdict){
	    .ask_id = ask_id,
	    .kind = d->kind,
	    .limit_hit = d->limit_hit,
	    .reason = str_of(d->reason),
	    .message = str_of(d->message),
	    .remedy = str_of(d->remedy),
	    .policy = str_of(d->policy),
	    .retry_after = d->retry_after,
	    .max_request_bytes = d->max_request_bytes,
	    .max_response_bytes = d->max_response_bytes,
	    .ops = d->ops,
	    .op_count = d->op_count,
	    .charges = d->charges,
	    .charge_count = d->charge_count,
	};
}
