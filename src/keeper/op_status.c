/* SPDX-License-Identifier: Apache-2.0 */
/* status, daemon.stop, daemon.restart */
#include "keeper/operator_api.h"

#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static void
add_paths(const struct keeper *k, cJSON *o)
{
	cJSON *p = cJSON_AddObjectToObject(o, "paths");
	json_text(p, "rootDir", k->paths.root);
	json_text(p, "configPath", k->paths.database);
	/* One file holds what the reference spreads over directories. */
	json_text(p, "secretsDir", k->paths.root);
	json_text(p, "auditDir", k->paths.root);
	json_text(p, "capabilitiesPath", k->paths.database);
	if (k->vault != NULL && !vault_has_passphrase(k->vault))
		json_text(p, "keyPath", k->vault->key_where);
}

/* The agents' socket is the broker's: its name is not known here. */
static void
add_daemon(const struct keeper *k, cJSON *o)
{
	struct sockaddr_un a = {0};
	socklen_t len = sizeof(a);
	cJSON *d = cJSON_AddObjectToObject(o, "daemon");
	json_number(d, "pid", getppid());
	json_number(d, "keeperPid", getpid());
	json_text(d, "version", AV_VERSION);
	if (k->operator_fd >= 0 && getsockname(k->operator_fd, (struct sockaddr *)&a, &len) == 0 &&
	    len > sizeof(a.sun_family) && len < sizeof(a))
		json_text(d, "operatorSocket", a.sun_path);
}

static void
add_confinement(const struct keeper *k, cJSON *o)
{
	cJSON *c = cJSON_AddObjectToObject(cJSON_AddObjectToObject(o, "confinement"), "keeper");
	json_bool(c, "noNewPrivileges", k->confinement.no_new_privs);
	json_bool(c, "noCoreDump", k->confinement.no_dump);
	json_text(c, "seccomp", confine_seccomp_word(&k->confinement));
}

static void
add_public_key(struct vault *v, cJSON *o)
{
	uint8_t pk[VAULT_PUBLIC_KEY_LEN];
	char hex[2 * VAULT_PUBLIC_KEY_LEN + 1];
	if (vault_public_key(v, pk) != AV_OK)
		return;
	hex_encode(pk, sizeof(pk), hex);
	json_text(o, "auditPublicKey", hex);
}

enum av_err
op_make_status(struct op_call *c)
{
	const struct keeper *k = c->k;
	const struct vault *v = k->vault;
	cJSON *o = cJSON_CreateObject();
	cJSON *s = cJSON_AddObjectToObject(o, "status");
	struct fault f = {0};
	bool exists = keeper_usable(k, &f) != AV_ENOVAULT;
	json_bool(s, "enabled", exists);
	json_text(s, "providerType", v != NULL ? v->provider_type : NULL);
	/* A key that does not come is as good as none; `fault` says why. */
	json_bool(s, "locked", exists && (v == NULL || v->kek == NULL));
	json_text(s, "kekId", v != NULL ? v->kek_id : NULL);
	add_paths(k, o);
	add_daemon(k, o);
	add_confinement(k, o);
	if (v != NULL) {
		json_bool(o, "memoryLocked", vault_memory_is_locked(v));
		json_bool(o, "auditOnDisk", !k->log.in_memory);
		json_number(o, "generation", (int64_t)v->generation);
		add_public_key(k->vault, o);
	}
	if (f.err != AV_OK && exists) {
		cJSON *fault = cJSON_AddObjectToObject(o, "fault");
		json_text(fault, "error", av_err_code(f.err));
		json_text(fault, "reason", f.reason);
		json_text(fault, "message", f.message);
		json_text(fault, "remedy", f.remedy);
	}
	c->result = o;
	return AV_OK;
}

enum av_err
op_status(struct op_call *c)
{
	if (arg_bool(c->args, "create") && c->k->vault == NULL &&
	    c->k->open_fault.err == AV_ENOVAULT) {
		enum av_err e = op_ensure_vault(c);
		if (e != AV_OK)
			return e;
	}
	return op_make_status(c);
}

static enum av_err
stopping(struct op_call *c, bool restart)
{
	c->k->want_stop = !restart;
	c->k->want_restart = restart;
	c->result = cJSON_CreateObject();
	json_bool(c->result, "stopping", true);
	return AV_OK;
}

enum av_err
op_daemon_stop(struct op_call *c)
{
	return stopping(c, false);
}

enum av_err
op_daemon_restart(struct op_call *c)
{
	return stopping(c, true);
}
