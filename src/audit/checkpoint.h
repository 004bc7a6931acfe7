/* SPDX-License-Identifier: Apache-2.0 */
/*
 * checkpoint.h - signed notes of where the chain stood: "aivault:checkpoint:1", then event id, time
 * (both i64 little endian) and hash, under the vault's Ed25519 key.
 */
#ifndef AV_AUDIT_CHECKPOINT_H
#define AV_AUDIT_CHECKPOINT_H

#include "audit/log.h"
#include "vault/vault.h"

/* Adds one for the chain's end, in the caller's transaction; audit_log_settle() then writes it to
 * checkpoints.log. AV_ELOCKED without the KEK. */
enum av_err checkpoint_add(struct vault *v, struct audit_log *l) AV_MUST_USE;

/* Did that key sign it? */
bool checkpoint_signature_fits(const struct checkpoint *c, const uint8_t pk[VAULT_PUBLIC_KEY_LEN]);
/* The first checkpoint that must have a line in checkpoints.log; 0: none must. */
enum av_err checkpoint_logged_from(const struct audit_log *l, int64_t *id) AV_MUST_USE;

#endif
