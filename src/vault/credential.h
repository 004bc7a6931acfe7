/* SPDX-License-Identifier: Apache-2.0 */
/*
 * credential.h - how a provider is reached: which secrets, at which hosts, in whose scope.
 *
 * A credential of a built-in provider keeps no auth of its own: that is compiled in (I11). Its hosts,
 * where it has any, narrow the provider's. Holds names and ids only, no secret.
 */
#ifndef AV_VAULT_CREDENTIAL_H
#define AV_VAULT_CREDENTIAL_H

#include "vault/row.h"
#include "vault/scope.h"

#include "reach/builtin.h"
#include "wire/limits.h"

enum credential_source { CREDENTIAL_CUSTOM = 0, CREDENTIAL_PROVISIONED = 1 };

struct credential {
	char *id;
	char *provider;
	char *alternative; /* of a built-in provider; "" = its main auth */
	enum credential_source source;
	struct auth_desc auth; /* effective: own, or the built-in one after credential_decode */
	struct string_list hosts; /* effective likewise */
	bool own_hosts; /* hosts were named by the operator */
	bool all_capabilities; /* every one of the provider; else those listed */
	struct string_list capabilities;
	struct pair_list secrets; /* placeholder -> secret id */
	struct scope scope;
	uint32_t priority;
	char *path_prefix;
	int64_t created_ms;
	int64_t updated_ms;
	struct fault fault; /* err AV_OK: usable */
};

void credential_clear(struct credential *c);
enum av_err credential_put(
    struct store *s, const struct kek *k, const struct credential *c) AV_MUST_USE;
/* Fills in what is compiled in. A faulty row becomes a credential with `fault` set. */
enum av_err credential_decode(
    const struct row *row, const struct builtin *b, struct credential *out) AV_MUST_USE;
/* Copies auth and, unless it has its own, hosts, priority and prefix of the built-in provider (or
 * the alternative). AV_ENOTFOUND: neither is compiled in. */
enum av_err credential_take_builtin(struct credential *c, const struct manifest *m) AV_MUST_USE;
bool credential_serves(const struct credential *c, struct str capability);

#endif
