/* SPDX-License-Identifier: Apache-2.0 */
#include "keeper/keeper.h"

#include "audit/checkpoint.h"
#include "base/log.h"
#include "keeper/batch.h"
#include "keeper/channel.h"
#include "keeper/denials.h"
#include "keeper/derivation.h"
#include "wire/control.h"

#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum av_err
keeper_init(struct keeper *k, const struct paths *paths, const uint8_t *manifests, size_t len,
    struct fault *f)
{
	memset(k, 0, sizeof(*k));
	k->lock_fd = k->control_fd = k->operator_fd = -1;
	judge_link_init(&k->judge);
	k->paths = *paths;
	k->owner = geteuid();
	struct passwd entry, *found = NULL;
	char room[2048];
	if (getpwuid_r(k->owner, &entry, room, sizeof(room), &found) == 0 && found != NULL)
		snprintf(k->owner_name, sizeof(k->owner_name), "%s", found->pw_name);
	else
		snprintf(k->owner_name, sizeof(k->owner_name), "%u", (unsigned)k->owner);
	fault_set(&k->open_fault, AV_ENOVAULT, "no_vault", "Run `aivault secrets create`",
	    "there is no vault yet");
	k->denials = denials_new();
	if (k->denials == NULL)
		return fault_set(f, AV_ENOMEM, "out_of_memory", "", "out of memory");
	enum av_err e = builtin_load(&k->builtin, manifests, len);
	if (e != AV_OK)
		return fault_set(f, e, "builtin_providers", "Build aivault anew",
		    "the table of built-in providers is damaged");
	return AV_OK;
}

void
keeper_clear(struct keeper *k)
{
	for (size_t i = 0; i < KEEPER_MAX_CHANNELS; i++)
		channel_free(k->channels[i]);
	judge_link_close(&k->judge);
	derivation_drop(k);
	batch_free(k);
	vault_close(k->vault);
	builtin_clear(&k->builtin);
	denials_free(k->denials);
	k->denials = NULL;
	k->vault = NULL;
}

static enum av_err
note(struct keeper *k, const struct audit_event *event, bool checkpoint)
{
	if (k->vault == NULL)
		return AV_ENOVAULT;
	struct store *s = k->vault->store;
	enum av_err e = store_begin(s);
	if (e == AV_OK)
		e = audit_append(&k->log, event);
	if (e == AV_OK && checkpoint && k->vault->kek != NULL)
		e = checkpoint_add(k->vault, &k->log);
	if (e == AV_OK)
		e = store_commit(s);
	else
		store_rollback(s);
	audit_log_settle(&k->log, e == AV_OK);
	if (e != AV_OK)
		log_error(
		    "audit: the row %s could not be written: %s", event->kind, store_message(s));
	return e;
}

/* Whoever reads the log on the disk finds where it stops. A vault that is just being made has none that
 * could stop; on a full disk the row is missing, which is said and is no reason to serve nobody. */
static enum av_err
leave_disk(struct keeper *k)
{
	struct audit_event event;
	audit_event_init(&event, "audit.memory", "daemon");
	event.note = STR_LIT("AIVAULT_DISABLE_DISK_LOGS: what follows was kept in memory");
	if (!store_in_transaction(k->vault->store) && note(k, &event, true) != AV_OK)
		log_warn("audit: the log on the disk does not say that it stops here");
	return audit_log_open_in_memory(&k->log, k->vault->store);
}

static enum av_err
adopt(struct keeper *k, struct vault *v, struct fault *f)
{
	enum av_err e = audit_log_open(&k->log, v->store);
	k->vault = v;
	if (e == AV_OK && k->log_in_memory)
		e = leave_disk(k);
	if (e != AV_OK) {
		fault_set(f, e, "audit_unreadable", "Restore vault.db from a backup", "%s: %s",
		    store_path(v->store), store_message(v->store));
		k->vault = NULL;
	}
	return e;
}

void
keeper_open_vault(struct keeper *k)
{
	struct vault *v = NULL;
	memset(&k->open_fault, 0, sizeof(k->open_fault));
	enum av_err e = vault_open(k->paths.database, &k->builtin, &v, &k->open_fault);
	if (e == AV_OK) {
		e = adopt(k, v, &k->open_fault);
		if (e != AV_OK)
			vault_close(v);
	}
	if (e != AV_OK && e != AV_ENOVAULT)
		log_error("%s", k->open_fault.message);
	if (k->vault != NULL && k->vault->fault.err != AV_OK)
		log_error("%s", k->vault->fault.message);
}

/* The first row of its log. Takes v. */
static enum av_err
finish_vault(struct keeper *k, struct vault *v, const struct audit_event *caller, struct fault *f)
{
	enum av_err e = adopt(k, v, f);
	if (e != AV_OK) {
		vault_close(v);
		return e;
	}
	struct audit_event event = *caller;
	event.kind = "vault.init";
	event.note = str_of(v->provider_type);
	e = keeper_change_end(k, &event, 1, f);
	if (e != AV_OK) {
		vault_close(k->vault);
		k->vault = NULL;
	}
	return e;
}

/* A database that was lost or emptied must not become a new vault in silence: what stands in
 * checkpoints.log would never fit it. */
static enum av_err
refuse_where_one_was(const struct keeper *k, struct fault *f)
{
	char path[CHECKPOINT_LOG_PATH_MAX];
	int64_t last = 0;
	enum av_err e = checkpoint_log_path(k->paths.database, path, sizeof(path));
	if (e != AV_OK)
		return fault_set(f, e, "vault_root", "Choose a shorter AIVAULT_DIR",
		    "the vault's path is too long");
	if (checkpoint_log_last(path, &last) == AV_ENOTFOUND)
		return AV_OK;
	return fault_set(f, AV_ECORRUPT, "database_lost",
	    "Restore vault.db from a backup; to begin anew, move checkpoints.log away",
	    "%s is missing or empty, and there was a vault: %s is still there", k->paths.database,
	    path);
}

enum av_err
keeper_make_vault(struct keeper *k, const char *provider, const char *key_path,
    const struct audit_event *caller, struct fault *f)
{
	struct vault *v = NULL;
	if (k->vault != NULL || k->open_fault.err != AV_ENOVAULT) {
		if (k->vault == NULL) {
			*f = k->open_fault;
			return f->err;
		}
		return fault_set(f, AV_EEXISTS, "vault_exists", "", "there is a vault already");
	}
	if (k->is_private)
		return fault_set(f, AV_ENOVAULT, "no_vault", "Unset AIVAULTD_DISABLE",
		    "there is no vault, and none is made with AIVAULTD_DISABLE set");
	enum av_err e = refuse_where_one_was(k, f);
	if (e == AV_OK)
		e = vault_create(k->paths.database, provider,
		    key_path[0] != '\0' ? key_path : k->paths.key_file, &k->builtin, &v, f);
	return e == AV_OK ? finish_vault(k, v, caller, f) : e;
}

enum av_err
keeper_make_passphrase_vault(struct keeper *k, const struct passphrase_kdf *kdf, const uint8_t *key,
    const struct audit_event *caller, struct fault *f)
{
	struct vault *v = NULL;
	enum av_err e = refuse_where_one_was(k, f);
	if (e == AV_OK)
		e = vault_create_passphrase(k->paths.database, kdf, key, &k->builtin, &v, f);
	return e == AV_OK ? finish_vault(k, v, caller, f) : e;
}

enum av_err
keeper_usable(const struct keeper *k, struct fault *f)
{
	if (k->vault == NULL) {
		*f = k->open_fault;
		return f->err;
	}
	if (k->vault->fault.err != AV_OK) {
		*f = k->vault->fault;
		return f->err;
	}
	if (k->vault->locked)
		return fault_set(
		    f, AV_ELOCKED, "vault_locked", "Run `aivault unlock`", "the vault is locked");
	return AV_OK;
}

enum av_err
keeper_serves(const struct keeper *k, struct fault *f)
{
	struct fault full;
	enum av_err e = keeper_usable(k, &full);
	if (e == AV_OK)
		return AV_OK;
	*f = full;
	if (e != AV_ELOCKED && e != AV_ENOVAULT)
		fault_set(f, e, full.reason,
		    full.remedy[0] != '\0' ? full.remedy
		                           : "Ask the vault's owner to run `aivault doctor`",
		    "the vault cannot be used");
	return e;
}

enum av_err
keeper_readable(const struct keeper *k, struct fault *f)
{
	enum av_err e = keeper_usable(k, f);
	if (e != AV_ELOCKED)
		return e;
	memset(f, 0, sizeof(*f));
	return AV_OK;
}

enum av_err
keeper_change_begin(struct keeper *k, struct fault *f)
{
	enum av_err e = keeper_usable(k, f);
	return e == AV_OK ? vault_begin(k->vault, f) : e;
}

/* The seal is what the chain needs: words give way to it, at the length that their escapes give them. */
static void
add_seal(struct str words, const char *seal, char out[AUDIT_NOTE_MAX + 1])
{
	struct str kept = audit_fit(words, AUDIT_NOTE_MAX - strlen("...; ") - strlen(seal));
	snprintf(out, AUDIT_NOTE_MAX + 1, "%.*s%s%s%s", (int)kept.len, kept.len > 0 ? kept.p : "",
	    kept.len < words.len ? "..." : "", words.len > 0 ? "; " : "", seal);
}

static enum av_err
append_all(struct keeper *k, const struct audit_event *events, size_t count, const char *seal)
{
	enum av_err e = AV_OK;
	for (size_t i = 0; e == AV_OK && i < count; i++) {
		struct audit_event event = events[i];
		char note[AUDIT_NOTE_MAX + 1];
		if (i + 1 == count) {
			add_seal(event.note, seal, note);
			event.note = str_of(note);
		}
		e = audit_append(&k->log, &event);
	}
	return e;
}

enum av_err
keeper_change_end(struct keeper *k, const struct audit_event *events, size_t count, struct fault *f)
{
	char seal[VAULT_NOTE_MAX];
	enum av_err e = vault_seal(k->vault, seal, f);
	if (e == AV_OK) {
		e = append_all(k, events, count, seal);
		if (e != AV_OK)
			fault_set(f, AV_EAUDIT, "audit_write_failed",
			    "Check free space and permissions",
			    "the audit row could not be written: %s",
			    store_message(k->vault->store));
	}
	if (e == AV_OK)
		e = vault_commit(k->vault, f);
	else
		vault_rollback(k->vault);
	audit_log_settle(&k->log, e == AV_OK);
	if (e == AV_OK)
		channel_push_state(k);
	return e;
}

void
keeper_change_abort(struct keeper *k)
{
	vault_rollback(k->vault);
	audit_log_settle(&k->log, false);
}

void
keeper_note(struct keeper *k, const struct audit_event *event)
{
	(void)note(k, event, false);
}

enum av_err
keeper_note_signed(struct keeper *k, const struct audit_event *event)
{
	return note(k, event, true);
}

void
keeper_note_checkpoint(struct keeper *k, const char *kind)
{
	struct audit_event event;
	audit_event_init(&event, kind, "daemon");
	(void)note(k, &event, true);
}

void
keeper_tell_busy(struct keeper *k)
{
	const struct vault *v = k->vault;
	bool busy = k->lasting > 0 || (v != NULL && vault_has_passphrase(v) && !v->locked);
	if (k->control_fd >= 0 &&
	    io_send_fds(k->control_fd, busy ? CONTROL_BUSY : CONTROL_IDLE, NULL, 0) != AV_OK)
		log_warn("the supervisor does not listen");
}
