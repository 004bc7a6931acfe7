/* SPDX-License-Identifier: Apache-2.0 */
/* init: a vault where there is none, with the key provider that was asked for. */
#include "keeper/operator_api.h"

#include "keeper/derivation.h"

#include <string.h>

static enum av_err
init_passphrase(struct op_call *c)
{
	struct derived d;
	if (c->k->open_fault.err != AV_ENOVAULT) {
		*c->fault = c->k->open_fault;
		return c->fault->err;
	}
	enum av_err e = derivation_get(
	    c->k, NULL, arg_text(c->args, "cost"), c->secret, &d, &c->later, c->fault);
	if (e == AV_OK && !c->later)
		e = keeper_make_passphrase_vault(c->k, d.kdf, d.key, &c->by, c->fault);
	if (e == AV_OK && !c->later)
		keeper_tell_busy(c->k);
	return e;
}

enum av_err
op_init(struct op_call *c)
{
	char path[PATHS_MAX] = "";
	struct str provider = arg_text(c->args, "provider");
	struct str where = arg_text(c->args, "filePath");
	const struct vault *v = c->k->vault;
	enum av_err e = keeper_readable(c->k, c->fault);
	if (e != AV_OK && e != AV_ENOVAULT)
		return e;
	if (provider.len == 0)
		provider = STR_LIT("file");
	if (where.len >= sizeof(path) || (where.len > 0 && where.p[0] != '/'))
		return fault_set(c->fault, AV_EUSAGE, "bad_key_path", "Give an absolute path",
		    "the key file's path is not usable");
	memcpy(path, where.p, where.len);
	if (v != NULL) {
		if (!str_eq_cstr(provider, v->provider_type))
			return fault_set(c->fault, AV_EEXISTS, "vault_exists",
			    "Run `aivault rotate-master`",
			    "there is a vault already, with the key provider %s", v->provider_type);
		if (path[0] != '\0' && strcmp(path, v->key_where) != 0)
			return fault_set(c->fault, AV_EEXISTS, "vault_exists",
			    "Run `aivault rotate-master`",
			    "there is a vault already, with its key in %s", v->key_where);
		return op_make_status(c);
	}
	bool passphrase = str_eq_cstr(provider, PASSPHRASE_PROVIDER);
	if (passphrase && path[0] != '\0')
		return fault_set(
		    c->fault, AV_EUSAGE, "usage", "", "a passphrase vault has no key file");
	if (!passphrase && (c->secret.len > 0 || arg_has(c->args, "cost")))
		return fault_set(c->fault, AV_EUSAGE, "usage", "Add --provider passphrase",
		    "only a passphrase vault takes a passphrase");
	if (!passphrase && !str_eq_cstr(provider, "file"))
		return fault_set(c->fault, AV_ENOTSUP, "key_provider_unknown",
		    "Use --provider file or passphrase",
		    "this version does not know the key provider %.40s", provider.p);
	e = passphrase ? init_passphrase(c)
	               : keeper_make_vault(c->k, "file", path, &c->by, c->fault);
	if (e != AV_OK || c->later)
		return e;
	return op_make_status(c);
}
