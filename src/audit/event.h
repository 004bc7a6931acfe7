/* SPDX-License-Identifier: Apache-2.0 */
/*
 * event.h - one audit row, before it is written.
 *
 * Strings borrow. Text that came from callers is escaped (bytes outside 0x20..0x7e as \xNN, the
 * backslash doubled) and cut to AUDIT_TEXT_MAX, paths to AUDIT_PATH_MAX, by audit_append. Never
 * holds secret bytes, and no query: paths come without.
 */
#ifndef AV_AUDIT_EVENT_H
#define AV_AUDIT_EVENT_H

#include "base/str.h"

#include <stdint.h>

#define AUDIT_TEXT_MAX 256u
#define AUDIT_PATH_MAX 1024u
#define AUDIT_NOTE_MAX 512u
#define AUDIT_ABSENT (-1) /* a number that does not apply */

struct audit_event {
	int64_t ts_ms; /* 0: now */
	const char *kind; /* "invoke.allow", "secret.create", ... */
	struct str request_id;
	const char *actor; /* "operator", "agent", "daemon" */
	int64_t caller_uid;
	int64_t caller_pid;
	struct str caller_user;
	struct str caller_program;
	struct str caller_token;
	struct str capability;
	struct str credential;
	struct str host;
	struct str method;
	struct str path;
	const char *decision; /* "allow", "deny" or "" */
	struct str reason;
	struct str policy;
	int64_t status;
	int64_t request_bytes;
	int64_t response_bytes;
	int64_t duration_ms;
	struct str secret_id;
	struct str scope;
	struct str note;
	uint32_t repeats; /* equal rows counted as this one; 0 reads as 1 */
};

/* Every number absent, every text empty. */
void audit_event_init(struct audit_event *e, const char *kind, const char *actor);

#endif
