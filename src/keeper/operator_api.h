/* SPDX-License-Identifier: Apache-2.0 */
/*
 * operator_api.h - operator.sock: who may ask, and the table of what can be asked.
 *
 * Only the vault's owner (or root), and never a process of our own family: the supervisor, this
 * process, and whatever has one of them among its ancestors in /proc. Where that cannot be read, no.
 * At most KEEPER_MAX_CLIENTS connections, each ended after KEEPER_CLIENT_IDLE_MS without a frame, but
 * for at most FOLLOW_MAX that follow the audit log: those end with their client.
 * An op group is a file, op_<group>.c; an op is a function there and a row in operator_api.c.
 */
#ifndef AV_KEEPER_OPERATOR_API_H
#define AV_KEEPER_OPERATOR_API_H

#include "keeper/json.h"
#include "keeper/keeper.h"
#include "wire/operator.h"

struct follow;
struct verification;

struct op_call {
	struct keeper *k;
	const cJSON *args; /* checked against the op's spec */
	struct str secret; /* borrows from the frame, which is wiped after the call */
	struct audit_event
	    by; /* the caller's part of an audit row; strings live as long as the call */
	struct fault *fault;
	struct buf notes;
	cJSON *result; /* set by the op; freed by the caller of the op */
	bool later; /* set by the op: a key is being derived (derivation.h), or the log verified;
	             * ask it again then */
	struct buf raw; /* or the result's text, where the op makes it itself */
	bool may_wait; /* there is a connection, which can go on after this call */
	struct verification **verification; /* the connection's, between two times of asking */
	struct follow
	    *follow; /* set by an op whose connection is to go on; its owner is the client */
};

typedef enum av_err (*op_fn)(struct op_call *c);

struct operator_client {
	int fd;
	struct peer peer;
	bool waits; /* its frame is handled again when derivation or verification has ended */
	bool refused; /* answers every call with AV_EOPERATOR */
	struct buf in;
	struct buf out;
	uint64_t last_ms;
	struct follow *follow; /* NULL: request and reply */
	struct verification *verification; /* NULL: none runs */
	bool dead;
};

/* Takes fd. */
void operator_accept(struct keeper *k, int fd);
void operator_client_read(struct keeper *k, struct operator_client *c);
void operator_client_write(struct operator_client *c);
/* A derivation or a verification has ended: those who wait are handled again. */
void operator_resume(struct keeper *k);
void operator_reap(struct keeper *k, uint64_t now_ms);
void operator_close_all(struct keeper *k);
/* Sends followers what was committed since (follow.h). */
void operator_feed_followers(struct keeper *k);
/* Does a verification run (verification.h)? */
bool operator_verifies(const struct keeper *k);
/* The next one, in turn, a slice further. True: it is over, so operator_resume(). */
bool operator_verify_on(struct keeper *k);
/* One request's bytes to one reply's: what a connection does, without it (tests use it). AV_OK with
 * nothing appended: not before the derivation has ended; keep the frame and call again then. */
enum av_err operator_handle(struct keeper *k, const struct peer *peer, bool refused,
    const struct frame *f, struct buf *out) AV_MUST_USE;
/* Is this peer one that may operate the vault of `owner`? */
bool operator_peer_is_allowed(const struct peer *peer, uid_t owner);

enum av_err op_status(struct op_call *c);
enum av_err op_init(struct op_call *c);
enum av_err op_unlock(struct op_call *c);
enum av_err op_lock(struct op_call *c);
enum av_err op_secrets_create(struct op_call *c);
enum av_err op_secrets_list(struct op_call *c);
enum av_err op_secrets_rotate(struct op_call *c);
enum av_err op_secrets_delete(struct op_call *c);
enum av_err op_credential_create(struct op_call *c);
enum av_err op_credential_list(struct op_call *c);
enum av_err op_capability_create(struct op_call *c);
enum av_err op_capability_list(struct op_call *c);
enum av_err op_capability_describe(struct op_call *c);
enum av_err op_capability_enable(struct op_call *c);
enum av_err op_capability_disable(struct op_call *c);
enum av_err op_policy_set(struct op_call *c);
enum av_err op_policy_get(struct op_call *c);
enum av_err op_policy_clear(struct op_call *c);
enum av_err op_audit(struct op_call *c);
enum av_err op_audit_verify(struct op_call *c);
enum av_err op_audit_export(struct op_call *c);
enum av_err op_audit_stats(struct op_call *c);
enum av_err op_audit_follow(struct op_call *c);
enum av_err op_daemon_stop(struct op_call *c);
enum av_err op_daemon_restart(struct op_call *c);

/* Makes the vault where there is none (status, secrets.create). */
enum av_err op_ensure_vault(struct op_call *c) AV_MUST_USE;
/* op_status.c: the status object becomes the result. */
enum av_err op_make_status(struct op_call *c) AV_MUST_USE;
/* op_secrets.c: what is told of a secret. */
cJSON *op_secret_metadata(const struct keeper *k, const struct secret_record *r);
/* As keeper_readable(), with a note where the vault is locked. */
enum av_err op_readable(struct op_call *c) AV_MUST_USE;
/* An audit event of that kind by this call's peer. */
struct audit_event op_event(const struct op_call *c, const char *kind);
/* A line for the operator's terminal. */
void op_note(struct op_call *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
