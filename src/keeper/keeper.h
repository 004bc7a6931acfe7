/* SPDX-License-Identifier: Apache-2.0 */
/*
 * keeper.h - the keeper's state, and the one way to change the vault.
 *
 * One thread, one poll() loop (main.c, loop.c). Answers to `resolve` and `list` need no transaction
 * and go out at once. Releases, denials and outcomes are committed in groups by natural batching:
 * all that has arrived goes into one transaction, and only after its commit are the releases
 * answered (I3, batch.h). Operator calls are one transaction each.
 */
#ifndef AV_KEEPER_KEEPER_H
#define AV_KEEPER_KEEPER_H

#include "audit/log.h"
#include "base/confine.h"
#include "base/io.h"
#include "base/paths.h"
#include "keeper/judge_link.h"
#include "vault/vault.h"

#include <sys/types.h>

#define KEEPER_MAX_CHANNELS 4u
#define KEEPER_MAX_CLIENTS 16u
#define KEEPER_CLIENT_IDLE_MS 10000u

struct batch;
struct channel;
struct denials;
struct derivation;
struct operator_client;

struct keeper {
	struct paths paths;
	struct builtin builtin;
	struct vault *vault; /* NULL: there is none yet, or it does not open: see open_fault */
	struct fault open_fault;
	struct audit_log log;
	bool log_in_memory; /* AIVAULT_DISABLE_DISK_LOGS: from the vault's opening on */
	struct denials *denials;
	uid_t owner;
	char owner_name[64]; /* looked up before the confinement */
	int lock_fd;
	int control_fd;
	int operator_fd; /* -1 until it comes */
	struct judge_link judge;
	struct batch *batch; /* made by batch.c when first needed */
	struct channel *channels[KEEPER_MAX_CHANNELS];
	struct operator_client *clients[KEEPER_MAX_CLIENTS];
	struct confine_state confinement; /* for status */
	size_t verify_turn; /* of clients: whose verification had its slice last */
	size_t lasting; /* of clients: those that follow the audit log or verify it */
	struct derivation *derivation; /* NULL: none; see derivation.h */
	bool is_private; /* runs for one command alone: makes no vault */
	bool stopping;
	bool want_stop; /* an operator asked; told to the supervisor once the answer is out */
	bool want_restart;
};

/* Built-in providers, owner; no vault yet. `manifests`: builtin_manifests of the build. */
enum av_err keeper_init(struct keeper *k, const struct paths *paths, const uint8_t *manifests,
    size_t len, struct fault *f) AV_MUST_USE;
void keeper_clear(struct keeper *k);

/* Opens the vault where there is one. AV_OK also where it does not open: open_fault says why. */
void keeper_open_vault(struct keeper *k);
/* Makes one: `key_path` may be "" for the default. Audited. AV_EEXISTS. */
enum av_err keeper_make_vault(struct keeper *k, const char *provider, const char *key_path,
    const struct audit_event *caller, struct fault *f) AV_MUST_USE;
/* The same with the passphrase provider. */
enum av_err keeper_make_passphrase_vault(struct keeper *k, const struct passphrase_kdf *kdf,
    const uint8_t *key, const struct audit_event *caller, struct fault *f) AV_MUST_USE;
/* AV_OK: there is a vault, its key fits, its rows are whole. Else the fault that says why not. */
enum av_err keeper_usable(const struct keeper *k, struct fault *f) AV_MUST_USE;
/* The same in words for agents, who have no business with paths. */
enum av_err keeper_serves(const struct keeper *k, struct fault *f) AV_MUST_USE;

/* As keeper_usable(), and a locked vault will do: what is read of it is unverified. */
enum av_err keeper_readable(const struct keeper *k, struct fault *f) AV_MUST_USE;

/* A change: keeper_change_begin(), rows, then keeper_change_end() with its audit events (copied;
 * the last one's note gets generation and digest added) or keeper_change_abort(). The end commits,
 * loads anew and tells the brokers the new generation. */
enum av_err keeper_change_begin(struct keeper *k, struct fault *f) AV_MUST_USE;
enum av_err keeper_change_end(
    struct keeper *k, const struct audit_event *events, size_t count, struct fault *f) AV_MUST_USE;
void keeper_change_abort(struct keeper *k);

/* One audit row in a transaction of its own, for what changes no deciding row and is answered with
 * a refusal or a fault anyway; a failure is logged. */
void keeper_note(struct keeper *k, const struct audit_event *e);
/* The same with a checkpoint behind it (unlock, lock), for who needs to know. */
enum av_err keeper_note_signed(struct keeper *k, const struct audit_event *e) AV_MUST_USE;
/* The daemon's own (start, stop). */
void keeper_note_checkpoint(struct keeper *k, const char *kind);

/* Tells the supervisor: while a passphrase vault is open, or somebody follows the audit log, the daemon
 * must not end by idling. */
void keeper_tell_busy(struct keeper *k);

#endif
