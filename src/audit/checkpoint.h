/* SPDX-License-Identifier: Apache-2.0 */
/*
 * checkpoint.h - signed notes of where the chain stood: "aivault:checkpoint:1", then event id, time
 * (both i64 little endian) and hash, under the vault's Ed25519 key.
 */
#ifndef AV_AUDIT_CHECKPOINT_H
#define AV_AUDIT_CHECKPOINT_H

#include "audit/log.h"
#include "vault/vault.h"

/* Adds one for the chain's end, in the caller's transaction. AV_ELOCKED without the KEK. */
enum av_err checkpoint_add(struct vault *v, const struct audit_log *l) AV_MUST_USE;
/* Checks every checkpoint's signature and row. *bad: the first event id that does not fit, 0: none. */
enum av_err checkpoint_verify(struct vault *v, uint64_t *count, int64_t *bad) AV_MUST_USE;

#endif
