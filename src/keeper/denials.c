/* SPDX-License-Identifier: Apache-2.0 */
#include "keeper/denials.h"

#include "base/clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RETRY_AFTER_MS 1000u

struct run_key {
	int64_t uid;
	char caller[72];
	char capability[136];
	char method[32];
	char reason[48];
};

struct run {
	bool used;
	struct run_key key;
	uint64_t began_ms;
	uint64_t last_ms;
	uint64_t held_since_ms;
	uint32_t written;
	uint32_t held;
	bool mixed_paths;
	/* Of the last one that was held. */
	int64_t ts_ms;
	int64_t pid;
	int64_t status;
	char request_id[40];
	char program[32];
	char token[72];
	char credential[AUDIT_TEXT_MAX];
	char host[AUDIT_TEXT_MAX];
	char path[AUDIT_TEXT_MAX];
	char policy[72];
};

struct denials {
	struct run runs[DENIALS_RUNS];
	struct run kept[DENIALS_RUNS]; /* as of the last commit, where `changed` */
	bool changed;
	uint64_t retry_ms; /* after a failed commit: not before */
};

struct denials *
denials_new(void)
{
	return calloc(1, sizeof(struct denials));
}

void
denials_free(struct denials *d)
{
	free(d);
}

static void
will_change(struct denials *d)
{
	if (!d->changed)
		memcpy(d->kept, d->runs, sizeof(d->kept));
	d->changed = true;
}

void
denials_settle(struct denials *d, bool committed)
{
	if (d->changed && !committed)
		memcpy(d->runs, d->kept, sizeof(d->runs));
	d->retry_ms = committed ? 0 : clock_mono_ms() + RETRY_AFTER_MS;
	d->changed = false;
}

/* What is longer is cut: then two long ones may be one run. */
static void
copy(char *out, size_t room, struct str s)
{
	snprintf(
	    out, room, "%.*s", s.len < room ? (int)s.len : (int)room - 1, s.len > 0 ? s.p : "");
}

static enum av_err
write_held(struct run *r, struct audit_log *l)
{
	struct audit_event e;
	audit_event_init(&e, "invoke.deny", "agent");
	e.ts_ms = r->ts_ms;
	e.request_id = str_of(r->request_id);
	e.caller_uid = r->key.uid;
	e.caller_pid = r->pid;
	e.caller_user = str_of(r->key.caller);
	e.caller_program = str_of(r->program);
	e.caller_token = str_of(r->token);
	e.capability = str_of(r->key.capability);
	e.credential = str_of(r->credential);
	e.host = str_of(r->host);
	e.method = str_of(r->key.method);
	e.path = str_of(r->mixed_paths ? "" : r->path);
	e.decision = "deny";
	e.reason = str_of(r->key.reason);
	e.policy = str_of(r->policy);
	e.status = r->status;
	e.repeats = r->held;
	if (r->held > 1)
		e.note = str_of(r->mixed_paths ? "repeated, on different paths" : "repeated");
	enum av_err err = audit_append(l, &e);
	if (err == AV_OK) {
		r->held = 0;
		r->mixed_paths = false;
	}
	return err;
}

static void
hold(struct run *r, const struct audit_event *e, uint64_t now_ms)
{
	char path[AUDIT_TEXT_MAX];
	copy(path, sizeof(path), e->path);
	if (r->held == 0)
		r->held_since_ms = now_ms;
	else if (strcmp(path, r->path) != 0)
		r->mixed_paths = true;
	memcpy(r->path, path, sizeof(path));
	r->held++;
	r->ts_ms = clock_wall_ms();
	r->pid = e->caller_pid;
	r->status = e->status;
	copy(r->request_id, sizeof(r->request_id), e->request_id);
	copy(r->program, sizeof(r->program), e->caller_program);
	copy(r->token, sizeof(r->token), e->caller_token);
	copy(r->credential, sizeof(r->credential), e->credential);
	copy(r->host, sizeof(r->host), e->host);
	copy(r->policy, sizeof(r->policy), e->policy);
}

static bool
is_over(const struct run *r, uint64_t now_ms)
{
	return now_ms - r->began_ms >= DENIALS_RUN_MS;
}

static struct run *
find(struct denials *d, const struct run_key *key)
{
	for (size_t i = 0; i < DENIALS_RUNS; i++)
		if (d->runs[i].used && memcmp(&d->runs[i].key, key, sizeof(*key)) == 0)
			return &d->runs[i];
	return NULL;
}

static size_t
runs_of(const struct denials *d, const struct run_key *key, uint64_t now_ms)
{
	size_t n = 0;
	for (size_t i = 0; i < DENIALS_RUNS; i++) {
		const struct run *r = &d->runs[i];
		n += r->used && !is_over(r, now_ms) && r->key.uid == key->uid &&
		    strcmp(r->key.caller, key->caller) == 0;
	}
	return n;
}

/* A free place, or that of the run that was silent for longest, whose number is written first. */
static enum av_err
take_place(struct denials *d, struct audit_log *l, struct run **out)
{
	struct run *oldest = &d->runs[0];
	for (size_t i = 0; i < DENIALS_RUNS; i++) {
		struct run *r = &d->runs[i];
		if (!r->used) {
			*out = r;
			return AV_OK;
		}
		if (r->last_ms < oldest->last_ms)
			oldest = r;
	}
	*out = oldest;
	return oldest->held > 0 ? write_held(oldest, l) : AV_OK;
}

static enum av_err
run_for(struct denials *d, struct audit_log *l, const struct audit_event *e, uint64_t now_ms,
    struct run **out)
{
	struct run_key key;
	/* Compared as bytes. */
	memset(&key, 0, sizeof(key));
	key.uid = e->caller_uid;
	copy(key.caller, sizeof(key.caller), e->caller_user);
	copy(key.capability, sizeof(key.capability), e->capability);
	copy(key.method, sizeof(key.method), e->method);
	copy(key.reason, sizeof(key.reason), e->reason);
	*out = find(d, &key);
	size_t n = *out == NULL ? runs_of(d, &key, now_ms) : 0;
	if (n >= DENIALS_RUNS_EACH) {
		memset(key.capability, 0, sizeof(key.capability));
		memset(key.method, 0, sizeof(key.method));
		if (n >= 2 * DENIALS_RUNS_EACH)
			memset(key.reason, 0, sizeof(key.reason));
		*out = find(d, &key);
	}
	if (*out != NULL)
		return AV_OK;
	enum av_err err = take_place(d, l, out);
	if (err != AV_OK)
		return err;
	memset(*out, 0, sizeof(**out));
	(*out)->used = true;
	(*out)->key = key;
	(*out)->began_ms = now_ms;
	return AV_OK;
}

enum av_err
denials_append(struct denials *d, struct audit_log *l, const struct audit_event *e, uint64_t now_ms)
{
	struct run *r = NULL;
	will_change(d);
	enum av_err err = run_for(d, l, e, now_ms, &r);
	if (err == AV_OK && is_over(r, now_ms)) {
		if (r->held > 0)
			err = write_held(r, l);
		r->began_ms = now_ms;
		r->written = 0;
	}
	if (err != AV_OK)
		return err;
	r->last_ms = now_ms;
	if (r->written >= DENIALS_EACH) {
		hold(r, e, now_ms);
		return AV_OK;
	}
	r->written++;
	return audit_append(l, e);
}

enum av_err
denials_flush(struct denials *d, struct audit_log *l, uint64_t now_ms, bool all)
{
	enum av_err e = AV_OK;
	for (size_t i = 0; e == AV_OK && i < DENIALS_RUNS; i++) {
		struct run *r = &d->runs[i];
		if (!r->used || r->held == 0 ||
		    (!all && now_ms - r->held_since_ms < DENIALS_HOLD_MS))
			continue;
		will_change(d);
		e = write_held(r, l);
	}
	return e;
}

int
denials_due_ms(const struct denials *d, uint64_t now_ms)
{
	int due = -1;
	for (size_t i = 0; i < DENIALS_RUNS; i++) {
		const struct run *r = &d->runs[i];
		if (!r->used || r->held == 0)
			continue;
		uint64_t at = r->held_since_ms + DENIALS_HOLD_MS;
		if (at < d->retry_ms)
			at = d->retry_ms;
		int wait = at <= now_ms ? 0 : (int)(at - now_ms);
		if (due < 0 || wait < due)
			due = wait;
	}
	return due;
}
