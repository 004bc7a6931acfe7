/* SPDX-License-Identifier: Apache-2.0 */
#include "keeper/operator_api.h"

#include "base/clock.h"
#include "base/log.h"
#include "keeper/follow.h"
#include "keeper/verification.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define ANCESTORS_MAX 128u

struct op {
	const char *name;
	op_fn fn;
	bool takes_secret;
	const char *const *spec;
};

static const char *const no_args[] = {NULL};
static const char *const status_args[] = {"b:create", NULL};
static const char *const init_args[] = {"s:provider", "s:filePath", "s:cost", NULL};
static const char *const secrets_create_args[] = {
    "s:name", "s:scope", "s:workspaceId", "s:groupId", "l:aliases", "l:enable", "b:create", NULL};
static const char *const secrets_list_args[] = {"s:scope", "s:workspaceId", "s:groupId", NULL};
static const char *const credential_create_args[] = {"s:id", "s:provider", "s:secretRef", "s:auth",
    "l:hosts", "s:headerName", "s:valueTemplate", "s:queryParam", "s:pathPrefixTemplate",
    "p:authHeaders", "s:workspaceId", "s:groupId", "s:grantType", "s:tokenEndpoint", "l:scopes",
    "s:awsService", "s:awsRegion", "s:hmacAlgorithm", "s:maxPolicyMode", NULL};
static const char *const capability_create_args[] = {
    "s:id", "s:provider", "s:credential", "l:methods", "l:paths", "l:hosts", NULL};
static const char *const id_args[] = {"s:id", NULL};
static const char *const policy_args[] = {"s:capability", NULL};
static const char *const policy_set_args[] = {"s:capability", "n:rateLimitPerMinute",
    "n:maxRequestBodyBytes", "n:maxResponseBodyBytes", "l:responseBlock", NULL};
static const char *const audit_args[] = {"n:limit", "n:beforeId", "n:beforeTsMs", "n:sinceMs",
    "n:untilMs", "s:capability", "s:event", "s:decision", "s:caller", NULL};

static const char *const export_args[] = {"n:afterId", "n:limit", "n:sinceMs", "n:untilMs", NULL};
static const char *const stats_args[] = {"n:sinceMs", "n:untilMs", NULL};
static const char *const verify_args[] = {"s:publicKey", NULL};

static const struct op ops[] = {
    {"status", op_status, false, status_args},
    {"init", op_init, true, init_args},
    {"unlock", op_unlock, true, no_args},
    {"lock", op_lock, false, no_args},
    {"secrets.create", op_secrets_create, true, secrets_create_args},
    {"secrets.list", op_secrets_list, false, secrets_list_args},
    {"secrets.rotate", op_secrets_rotate, true, id_args},
    {"secrets.delete", op_secrets_delete, false, id_args},
    {"credential.create", op_credential_create, false, credential_create_args},
    {"credential.list", op_credential_list, false, no_args},
    {"capability.create", op_capability_create, false, capability_create_args},
    {"capability.list", op_capability_list, false, no_args},
    {"capability.describe", op_capability_describe, false, id_args},
    {"capability.enable", op_capability_enable, false, id_args},
    {"capability.disable", op_capability_disable, false, id_args},
    {"capability.policy.set", op_policy_set, false, policy_set_args},
    {"capability.policy.get", op_policy_get, false, policy_args},
    {"capability.policy.clear", op_policy_clear, false, policy_args},
    {"audit", op_audit, false, audit_args},
    {"audit.verify", op_audit_verify, false, verify_args},
    {"audit.export", op_audit_export, false, export_args},
    {"audit.stats", op_audit_stats, false, stats_args},
    {"audit.follow", op_audit_follow, false, audit_args},
    {"daemon.stop", op_daemon_stop, false, no_args},
    {"daemon.restart", op_daemon_restart, false, no_args},
};

/* The parent of a process: 0 where it is outside our namespace, -1 where it cannot be told. */
static pid_t
parent_of(pid_t pid)
{
	char path[64], text[512];
	snprintf(path, sizeof(path), "/proc/%ld/stat", (long)pid);
	FILE *f = fopen(path, "re");
	if (f == NULL)
		return -1;
	size_t n = fread(text, 1, sizeof(text) - 1, f);
	fclose(f);
	text[n] = '\0';
	/* pid (comm) state ppid: the name may hold anything, so from its last parenthesis on. */
	const char *end = strrchr(text, ')');
	struct str blank, state, rest, parent;
	uint64_t id = 0;
	if (end == NULL || !str_cut(str_of(end + 1), ' ', &blank, &rest) ||
	    !str_cut(rest, ' ', &state, &rest) || !str_cut(rest, ' ', &parent, &rest) ||
	    str_to_u64(parent, 0, INT32_MAX, &id) != AV_OK)
		return -1;
	return (pid_t)id;
}

bool
operator_peer_is_allowed(const struct peer *peer, uid_t owner)
{
	pid_t pid = peer->pid;
	if ((peer->uid != owner && peer->uid != 0) || pid <= 0)
		return false;
	for (unsigned depth = 0; depth < ANCESTORS_MAX; depth++) {
		if (pid == getpid() || pid == getppid())
			return false;
		pid = parent_of(pid);
		if (pid < 0)
			return false;
		if (pid == 0 || (pid == 1 && getppid() != 1))
			return true;
	}
	return false;
}

void
operator_accept(struct keeper *k, int fd)
{
	size_t at = 0;
	while (at < KEEPER_MAX_CLIENTS && k->clients[at] != NULL)
		at++;
	struct operator_client *c = at < KEEPER_MAX_CLIENTS ? calloc(1, sizeof(*c)) : NULL;
	if (c == NULL || io_peer(fd, &c->peer) != AV_OK || io_set_nonblock(fd, true) != AV_OK) {
		free(c);
		io_close(&fd);
		return;
	}
	c->fd = fd;
	c->refused = !operator_peer_is_allowed(&c->peer, k->owner);
	c->last_ms = clock_mono_ms();
	buf_init(&c->in, FRAME_HEADER_LEN + FRAME_MAX);
	buf_init(&c->out, 4u * FRAME_MAX);
	k->clients[at] = c;
}

struct audit_event
op_event(const struct op_call *c, const char *kind)
{
	struct audit_event e = c->by;
	e.kind = kind;
	return e;
}

void
op_note(struct op_call *c, const char *fmt, ...)
{
	char line[512];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	buf_append_str(&c->notes, line);
	buf_append_byte(&c->notes, '\n');
}

enum av_err
op_ensure_vault(struct op_call *c)
{
	if (c->k->vault == NULL && c->k->open_fault.err == AV_ENOVAULT) {
		enum av_err e = keeper_make_vault(c->k, "file", "", &c->by, c->fault);
		if (e != AV_OK)
			return e;
		op_note(c, "made a vault, its key is in %s", c->k->vault->key_where);
	}
	return keeper_usable(c->k, c->fault);
}

enum av_err
op_readable(struct op_call *c)
{
	enum av_err e = keeper_readable(c->k, c->fault);
	if (e == AV_OK && c->k->vault->locked)
		op_note(c, "the vault is locked: what is shown is unverified");
	return e;
}

struct by_texts {
	char user[80];
	char program[32];
};

static void
describe_peer(
    const struct keeper *k, const struct peer *peer, struct by_texts *t, struct audit_event *e)
{
	char path[64];
	audit_event_init(e, "operator", "operator");
	if (peer->uid == k->owner)
		snprintf(t->user, sizeof(t->user), "user:%s", k->owner_name);
	else if (peer->uid == 0)
		snprintf(t->user, sizeof(t->user), "user:root");
	else
		snprintf(t->user, sizeof(t->user), "user:%u", (unsigned)peer->uid);
	t->program[0] = '\0';
	snprintf(path, sizeof(path), "/proc/%ld/comm", (long)peer->pid);
	FILE *f = fopen(path, "re");
	if (f != NULL) {
		if (fgets(t->program, sizeof(t->program), f) != NULL)
			t->program[strcspn(t->program, "\n")] = '\0';
		fclose(f);
	}
	e->caller_uid = peer->uid;
	e->caller_pid = peer->pid;
	e->caller_user = str_of(t->user);
	e->caller_program = str_of(t->program);
}

static enum av_err
run_op(struct op_call *c, const struct operator_request *r)
{
	const struct op *op = NULL;
	cJSON *args = NULL;
	if (r->protocol != OPERATOR_PROTOCOL)
		return fault_set(c->fault, AV_ENOTSUP, "protocol_version",
		    "Restart the daemon: `aivault restart`",
		    "the daemon speaks another protocol version");
	for (size_t i = 0; i < sizeof(ops) / sizeof(ops[0]) && op == NULL; i++)
		if (str_eq_cstr(r->op, ops[i].name))
			op = &ops[i];
	if (op == NULL)
		return fault_set(c->fault, AV_ENOTSUP, "unknown_operation", "",
		    "this daemon does not know that operation");
	if (r->secret.len > 0 && !op->takes_secret)
		return fault_set(
		    c->fault, AV_EUSAGE, "secret_not_taken", "", "%s takes no secret", op->name);
	enum av_err e = json_args(r->args, op->spec, &args, c->fault);
	if (e == AV_OK) {
		c->args = args;
		c->secret = r->secret;
		e = op->fn(c);
		if (e != AV_OK && c->fault->err == AV_OK)
			fault_set(c->fault, e, "operation_failed", "", "%s", av_err_text(e));
	}
	cJSON_Delete(args);
	return e;
}

/* `client`: NULL where there is no connection. */
static enum av_err
handle(struct keeper *k, const struct peer *peer, bool refused, const struct frame *f,
    struct buf *out, struct operator_client *client)
{
	struct verification *own = NULL;
	struct operator_request request;
	struct operator_reply reply = {.json = STR_LIT("null")};
	struct by_texts texts;
	struct op_call call = {.k = k,
	    .fault = &reply.fault,
	    .may_wait = client != NULL,
	    .verification = client != NULL ? &client->verification : &own};
	if (f->type != OPERATOR_REQUEST)
		return AV_EFORMAT;
	enum av_err e = operator_request_decode(f, &request);
	if (e != AV_OK)
		return e;
	buf_init(&call.notes, 16u * 1024u);
	buf_init(&call.raw, OPERATOR_JSON_MAX);
	describe_peer(k, peer, &texts, &call.by);
	if (refused) {
		struct audit_event denied = op_event(&call, "operator.denied");
		denied.decision = "deny";
		denied.reason = STR_LIT("operator_auth_required");
		denied.note = request.op;
		keeper_note(k, &denied);
		e = fault_set(&reply.fault, AV_EOPERATOR, "operator_auth_required",
		    "Run it as the user who owns the vault", "only the vault's owner may do this");
	} else {
		e = run_op(&call, &request);
	}
	if (e == AV_OK && call.later)
		goto out;
	if (e == AV_OK && call.raw.len == 0) {
		e = json_print(call.result, &call.raw);
		if (e != AV_OK)
			fault_set(
			    &reply.fault, e, "result_too_long", "", "the result is over 512 KiB");
	}
	if (e == AV_OK)
		reply.json = (struct str){(const char *)call.raw.data, call.raw.len};
	reply.notes = (struct str){(const char *)call.notes.data, call.notes.len};
	reply.more = call.follow != NULL;
	e = operator_reply_encode(&reply, out);
	if (client != NULL)
		client->follow = call.follow;
out:
	verification_free(own);
	cJSON_Delete(call.result);
	buf_clear(&call.raw);
	buf_clear(&call.notes);
	return e;
}

enum av_err
operator_handle(
    struct keeper *k, const struct peer *peer, bool refused, const struct frame *f, struct buf *out)
{
	return handle(k, peer, refused, f, out, NULL);
}

/* The daemon does not end for idleness while one of them goes on. */
static void
count_lasting(struct keeper *k)
{
	size_t before = k->lasting;
	k->lasting = 0;
	for (size_t i = 0; i < KEEPER_MAX_CLIENTS; i++) {
		const struct operator_client *c = k->clients[i];
		k->lasting += c != NULL && (c->follow != NULL || c->verification != NULL);
	}
	if (k->lasting != before)
		keeper_tell_busy(k);
}

static void
take_frames(struct keeper *k, struct operator_client *c)
{
	c->waits = false;
	while (!c->dead && !c->waits && c->follow == NULL) {
		struct frame f;
		size_t used = 0, before = c->out.len;
		enum av_err e = frame_parse(c->in.data, c->in.len, &f, &used);
		if (e == AV_ETRUNC)
			break;
		if (e == AV_OK)
			e = handle(k, &c->peer, c->refused, &f, &c->out, c);
		c->last_ms = clock_mono_ms();
		if (e != AV_OK) {
			c->dead = true;
			break;
		}
		c->waits = c->out.len == before;
		/* The frame may have held a secret: wipe, and keep what came after it. */
		if (c->waits) {
			break;
		} else if (used == c->in.len) {
			buf_reset(&c->in);
		} else {
			av_wipe(c->in.data, used);
			buf_consume(&c->in, used);
		}
	}
	operator_client_write(c);
	count_lasting(k);
}

void
operator_client_read(struct keeper *k, struct operator_client *c)
{
	size_t n = 0;
	bool again = false;
	enum av_err e = io_read_some(c->fd, &c->in, 128u * 1024u, &n, &again);
	if (again)
		return;
	/* Who follows has nothing more to say. */
	if (e != AV_OK || n == 0 || c->follow != NULL)
		c->dead = true;
	else if (!c->waits)
		take_frames(k, c);
}

void
operator_resume(struct keeper *k)
{
	for (size_t i = 0; i < KEEPER_MAX_CLIENTS; i++)
		if (k->clients[i] != NULL && k->clients[i]->waits && !k->clients[i]->dead)
			take_frames(k, k->clients[i]);
}

void
operator_client_write(struct operator_client *c)
{
	while (c->out.len > 0) {
		ssize_t n = send(c->fd, c->out.data, c->out.len, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			if (errno != EAGAIN && errno != EWOULDBLOCK)
				c->dead = true;
			return;
		}
		buf_consume(&c->out, (size_t)n);
	}
}

static void
client_free(struct operator_client *c)
{
	io_close(&c->fd);
	buf_clear(&c->in);
	buf_clear(&c->out);
	follow_free(c->follow);
	verification_free(c->verification);
	free(c);
}

void
operator_feed_followers(struct keeper *k)
{
	for (size_t i = 0; i < KEEPER_MAX_CLIENTS; i++) {
		struct operator_client *c = k->clients[i];
		if (c == NULL || c->follow == NULL)
			continue;
		while (!c->dead && c->out.len == 0 && follow_is_behind(c->follow, k)) {
			if (follow_feed(c->follow, k, &c->out) != AV_OK) {
				log_error("audit: a follower could not be told, closed");
				c->dead = true;
			}
			operator_client_write(c);
		}
	}
}

bool
operator_verifies(const struct keeper *k)
{
	bool any = false;
	for (size_t i = 0; i < KEEPER_MAX_CLIENTS; i++)
		any = any || (k->clients[i] != NULL && k->clients[i]->verification != NULL);
	return any;
}

bool
operator_verify_on(struct keeper *k)
{
	for (size_t i = 0; i < KEEPER_MAX_CLIENTS; i++) {
		k->verify_turn = (k->verify_turn + 1) % KEEPER_MAX_CLIENTS;
		struct operator_client *c = k->clients[k->verify_turn];
		if (c == NULL || c->verification == NULL || c->dead)
			continue;
		verification_go_on(c->verification);
		return verification_is_over(c->verification);
	}
	return false;
}

void
operator_reap(struct keeper *k, uint64_t now_ms)
{
	for (size_t i = 0; i < KEEPER_MAX_CLIENTS; i++) {
		struct operator_client *c = k->clients[i];
		bool idle = c != NULL && c->follow == NULL && !c->waits &&
		    now_ms - c->last_ms > KEEPER_CLIENT_IDLE_MS;
		if (c == NULL || !(c->dead || idle))
			continue;
		client_free(c);
		k->clients[i] = NULL;
		count_lasting(k);
	}
}

void
operator_close_all(struct keeper *k)
{
	for (size_t i = 0; i < KEEPER_MAX_CLIENTS; i++) {
		if (k->clients[i] != NULL)
			client_free(k->clients[i]);
		k->clients[i] = NULL;
	}
}
