/* SPDX-License-Identifier: Apache-2.0 */
/* Input: operator calls, NUL between them; each a line with the operation, a line with its arguments,
 * and the secret. A keeper with a vault of its own answers every one of them, and never with the
 * secret. The vault is a fresh one every CALLS_A_VAULT inputs. */
#include "keeper/derivation.h"
#include "keeper/operator_api.h"

#include <dirent.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MUST(x)                  \
	do {                     \
		if (!(x))        \
			abort(); \
	} while (0)

#define CALLS_A_VAULT 200u
#define CALLS_MAX 6u
/* A secret without it may stand in an answer by chance: `"scope":` does. */
#define MARK "sk-canary-0123456789"

static struct {
	char dir[256];
	struct keeper keeper;
	unsigned calls;
	bool open;
	bool told; /* MARK was a name, or another part of a call that is no secret */
} house;

static void
house_close(void)
{
	DIR *d;
	struct dirent *e;

	if (!house.open)
		return;
	operator_close_all(&house.keeper);
	keeper_clear(&house.keeper);
	d = opendir(house.dir);
	MUST(d != NULL);
	while ((e = readdir(d)) != NULL)
		(void)unlinkat(dirfd(d), e->d_name, 0);
	closedir(d);
	MUST(rmdir(house.dir) == 0);
	house.open = false;
}

static void
house_open(void)
{
	const char *tmp = getenv("TMPDIR");
	struct audit_event by;
	struct paths p;
	struct fault f = {0};
	struct stat st;

	memset(&p, 0, sizeof(p));
	/* In memory where there is such a place: every call syncs its files. */
	if (stat("/dev/shm", &st) == 0 && S_ISDIR(st.st_mode))
		tmp = "/dev/shm";
	(void)snprintf(
	    house.dir, sizeof(house.dir), "%s/aivault-fuzz-XXXXXX", tmp == NULL ? "/tmp" : tmp);
	MUST(mkdtemp(house.dir) != NULL);
	(void)snprintf(p.root, sizeof(p.root), "%s", house.dir);
	(void)snprintf(p.database, sizeof(p.database), "%s/vault.db", house.dir);
	(void)snprintf(p.key_file, sizeof(p.key_file), "%s/kek.key", house.dir);
	MUST(keeper_init(&house.keeper, &p, builtin_manifests, builtin_manifests_len, &f) == AV_OK);
	keeper_open_vault(&house.keeper);
	audit_event_init(&by, "operator", "operator");
	MUST(keeper_make_vault(&house.keeper, "file", "", &by, &f) == AV_OK);
	house.open = true;
	house.told = false;
}

static bool
holds(struct str s, struct str part)
{
	return part.len > 0 && s.len >= part.len && memmem(s.p, s.len, part.p, part.len) != NULL;
}

static void
check_reply(const struct frame *f, const struct operator_request *q)
{
	struct operator_reply reply;
	cJSON *json;

	MUST(operator_reply_decode(f, &reply) == AV_OK);
	json = cJSON_ParseWithLength(reply.json.p, reply.json.len);
	MUST(json != NULL);
	cJSON_Delete(json);
	if (reply.fault.err != AV_OK)
		MUST(reply.fault.reason[0] != '\0' && reply.fault.message[0] != '\0');
	house.told = house.told || holds(q->args, str_of(MARK)) || holds(q->op, str_of(MARK));
	if (house.told || !holds(q->secret, str_of(MARK)))
		return;
	MUST(!holds(reply.json, q->secret) && !holds(reply.notes, q->secret));
	MUST(!holds(str_of(reply.fault.message), q->secret));
	MUST(!holds(str_of(reply.fault.remedy), q->secret));
}

static void
call(struct str text, struct buf *in, struct buf *out)
{
	struct operator_request q = {.protocol = OPERATOR_PROTOCOL};
	struct peer peer = {geteuid(), getegid(), getpid()};
	struct frame f;
	size_t used = 0;

	if (!str_cut(text, '\n', &q.op, &text))
		q.op = text;
	else if (!str_cut(text, '\n', &q.args, &q.secret))
		q.args = text;
	buf_reset(in);
	buf_reset(out);
	if (operator_request_encode(&q, in) != AV_OK)
		return;
	MUST(frame_parse(in->data, in->len, &f, &used) == AV_OK);
	MUST(operator_handle(&house.keeper, &peer, false, &f, out) == AV_OK);
	while (out->len == 0) {
		derivation_join(&house.keeper);
		MUST(operator_handle(&house.keeper, &peer, false, &f, out) == AV_OK);
		derivation_settle(&house.keeper);
	}
	MUST(frame_parse(out->data, out->len, &f, &used) == AV_OK && used == out->len);
	check_reply(&f, &q);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str rest = {(const char *)data, size}, one;
	static bool registered;
	struct buf in, out;

	if (size == 0 || size > 8192)
		return 0;
	if (!registered)
		MUST(sodium_init() >= 0 && atexit(house_close) == 0);
	registered = true;
	if (house.calls++ % CALLS_A_VAULT == 0) {
		house_close();
		house_open();
	}
	buf_init(&in, FRAME_MAX + FRAME_HEADER_LEN);
	buf_init(&out, FRAME_MAX + FRAME_HEADER_LEN);
	for (unsigned i = 0; i < CALLS_MAX && rest.len > 0; i++) {
		if (!str_cut(rest, '\0', &one, &rest)) {
			one = rest;
			rest.len = 0;
		}
		call(one, &in, &out);
	}
	buf_clear(&in);
	buf_clear(&out);
	return 0;
}
