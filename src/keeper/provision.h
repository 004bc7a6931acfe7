/* SPDX-License-Identifier: Apache-2.0 */
/*
 * provision.h - a secret that a built-in provider claims lights that provider up.
 *
 * When all secrets that a provider (or one of its alternatives) needs are in force in one scope, its
 * credential is made: `<provider>`, `<provider>:ws:<W>`, `<provider>:group:<W>:<G>`; alternatives
 * `<provider>:<alternative>[...]`. Works in the open transaction, on rows loaded before it and the
 * new secret given.
 */
#ifndef AV_KEEPER_PROVISION_H
#define AV_KEEPER_PROVISION_H

#include "keeper/operator_api.h"

/* `enable`: NULL = all, an empty list = none, else ids of the provider's capabilities. Adds notes.
 * Appends the ids of the credentials made to `made`. */
enum av_err provision_secret(struct op_call *c, const struct secret_record *fresh,
    const struct manifest *m, const struct string_list *enable,
    struct string_list *made) AV_MUST_USE;

#endif
