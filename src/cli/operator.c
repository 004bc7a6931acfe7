/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/operator.h"

#include "base/io.h"
#include "cli/print.h"
#include "wire/operator.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/select.h>
#include <sys/socket.h>

#define RESULT_MAX (64u * 1024u * 1024u)
#define READ_STEP (64u * 1024u)
#define PATIENCE_MS 5000

/* write() would raise SIGPIPE when the keeper is gone. */
static enum av_err
send_all(int fd, const uint8_t *p, size_t len)
{
	while (len > 0) {
		ssize_t n = send(fd, p, len, MSG_NOSIGNAL);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return AV_ESYS;
		p += n;
		len -= (size_t)n;
	}
	return AV_OK;
}

static enum av_err
send_request(int fd, const char *op, const char *args, struct str secret, struct fault *f)
{
	struct operator_request m = {
	    .protocol = OPERATOR_PROTOCOL,
	    .op = str_of(op),
	    .args = str_of(args),
	    .secret = secret,
	};
	struct buf out;
	enum av_err e;

	buf_init(&out, FRAME_MAX + FRAME_HEADER_LEN);
	e = operator_request_encode(&m, &out);
	if (e == AV_EFORMAT)
		(void)fault_set(
		    f, AV_EINVAL, "not_utf8", "Write it in UTF-8", "an argument is not UTF-8 text");
	else if (e != AV_OK)
		(void)fault_set(f, e, "request_size", "",
		    "the arguments are too large (at most %u bytes, a secret %u)",
		    OPERATOR_JSON_MAX, OPERATOR_SECRET_MAX);
	else if (send_all(fd, out.data, out.len) != AV_OK)
		e = fault_set(f, AV_EUNAVAIL, "keeper_gone", "Try again", "the daemon hung up");
	buf_clear(&out);
	return e;
}

static void
print_notes(struct str notes)
{
	struct str line, rest;

	while (notes.len > 0) {
		if (!str_cut(notes, '\n', &line, &rest)) {
			line = notes;
			rest = (struct str){NULL, 0};
		}
		if (line.len > 0)
			print_note(line);
		notes = rest;
	}
}

/* Handles one whole reply; *more tells whether another follows. */
static enum av_err
on_reply(const struct frame *frame, struct buf *result, bool *more, struct fault *f)
{
	struct operator_reply reply;
	enum av_err e;

	memset(&reply, 0, sizeof(reply));
	if (frame->type != OPERATOR_REPLY || operator_reply_decode(frame, &reply) != AV_OK)
		return fault_set(f, AV_EFORMAT, "bad_reply",
		    "Do aivault and aivaultd have the same version? See aivault version",
		    "the daemon's answer cannot be read");
	*more = reply.more != 0;
	print_notes(reply.notes);
	if (reply.fault.err != AV_OK) {
		*f = reply.fault;
		return reply.fault.err;
	}
	e = reply.json.len == 0 ? AV_OK : buf_append(result, reply.json.p, reply.json.len);
	if (e != AV_OK)
		return fault_set(
		    f, e, "result_size", "", "the result is over %u bytes", RESULT_MAX);
	return AV_OK;
}

/* A daemon whose disk hangs answers nobody, and says so to nobody. */
static void
wait_or_say_so(int fd, bool *said)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};

	if (*said || poll(&p, 1, PATIENCE_MS) != 0)
		return;
	print_note(STR_LIT("the daemon has not answered yet; still waiting (^C ends that)"));
	*said = true;
}

enum av_err
operator_call(int fd, const char *op, const char *args, struct str secret, struct buf *result,
    struct fault *f)
{
	struct buf in;
	bool more = true, said = false;
	enum av_err e = send_request(fd, op, args, secret, f);

	buf_init(&in, 2 * (FRAME_MAX + FRAME_HEADER_LEN));
	while (e == AV_OK && more) {
		struct frame frame;
		size_t used, n;
		bool again;

		e = frame_parse(in.data, in.len, &frame, &used);
		if (e == AV_OK) {
			e = on_reply(&frame, result, &more, f);
			buf_consume(&in, used);
		} else if (e == AV_ETRUNC) {
			wait_or_say_so(fd, &said);
			e = io_read_some(fd, &in, READ_STEP, &n, &again);
			if (e != AV_OK || n == 0)
				e = fault_set(f, AV_EUNAVAIL, "keeper_gone", "Try again",
				    "the daemon hung up before it answered");
		} else {
			e = fault_set(
			    f, AV_EFORMAT, "bad_reply", "", "the daemon's answer is broken");
		}
	}
	buf_clear(&in);
	return e;
}

enum av_err
operator_run(const char *op, cJSON *args, struct str secret, bool creates, struct buf *result,
    struct fault *f)
{
	struct found found;
	char *text = NULL;
	enum av_err e = discover(SOCKET_OPERATOR, FIND_START, &found, f);

	if (e != AV_OK)
		goto out;
	if (args == NULL)
		args = cJSON_CreateObject();
	if (creates && found.may_create && cJSON_AddTrueToObject(args, "create") == NULL) {
		e = fault_set(f, AV_ENOMEM, "no_memory", "", "out of memory");
		goto out;
	}
	text = cJSON_PrintUnformatted(args);
	if (text == NULL) {
		e = fault_set(f, AV_ENOMEM, "no_memory", "", "out of memory");
		goto out;
	}
	e = operator_call(found.fd, op, text, secret, result, f);
out:
	cJSON_free(text);
	cJSON_Delete(args);
	discover_close(&found);
	return e;
}

static void
on_end_signal(int sig)
{
	(void)sig; /* to end the wait is all it is for */
}

/* Signals come only while we wait, so that no line is printed by half. False: one came. */
static bool
wait_readable(int fd, const sigset_t *open)
{
	fd_set set;
	int n;

	FD_ZERO(&set);
	FD_SET(fd, &set);
	do
		n = pselect(fd + 1, &set, NULL, NULL, NULL, open);
	while (n < 0 && errno != EINTR);
	return n > 0;
}

static enum av_err
follow_replies(int fd, const sigset_t *open, int (*each)(void *ctx, struct str json), void *ctx,
    int *rc, struct fault *f)
{
	struct buf in, result;
	bool more = true;
	enum av_err e = AV_OK;

	buf_init(&in, 2 * (FRAME_MAX + FRAME_HEADER_LEN));
	buf_init(&result, FRAME_MAX);
	while (e == AV_OK && more && *rc == 0) {
		struct frame frame;
		size_t used, n;
		bool again;

		e = frame_parse(in.data, in.len, &frame, &used);
		if (e == AV_OK) {
			buf_reset(&result);
			e = on_reply(&frame, &result, &more, f);
			if (e == AV_OK)
				*rc =
				    each(ctx, (struct str){(const char *)result.data, result.len});
			buf_consume(&in, used);
		} else if (e == AV_ETRUNC) {
			e = AV_OK;
			if (!wait_readable(fd, open))
				break;
			if (io_read_some(fd, &in, READ_STEP, &n, &again) != AV_OK || n == 0)
				e = fault_set(f, AV_EUNAVAIL, "keeper_gone",
				    "Begin again once one runs", "the daemon has ended");
		} else {
			e = fault_set(
			    f, AV_EFORMAT, "bad_reply", "", "the daemon's answer is broken");
		}
	}
	buf_clear(&in);
	buf_clear(&result);
	return e;
}

enum av_err
operator_follow(const char *op, cJSON *args, int (*each)(void *ctx, struct str json), void *ctx,
    int *rc, struct fault *f)
{
	struct sigaction act = {.sa_handler = on_end_signal};
	sigset_t ends, open;
	struct found found;
	char *text = cJSON_PrintUnformatted(args);
	enum av_err e;

	*rc = 0;
	cJSON_Delete(args);
	if (text == NULL)
		return fault_set(f, AV_ENOMEM, "no_memory", "", "out of memory");
	e = discover(SOCKET_OPERATOR, FIND_START, &found, f);
	if (e == AV_OK && found.fd >= FD_SETSIZE)
		e = fault_set(f, AV_ESYS, "descriptor", "", "too many files are open");
	(void)sigemptyset(&ends);
	(void)sigaddset(&ends, SIGINT);
	(void)sigaddset(&ends, SIGTERM);
	(void)sigprocmask(SIG_BLOCK, &ends, &open);
	(void)sigdelset(&open, SIGINT);
	(void)sigdelset(&open, SIGTERM);
	(void)sigaction(SIGINT, &act, NULL);
	(void)sigaction(SIGTERM, &act, NULL);
	if (e == AV_OK)
		e = send_request(found.fd, op, text, (struct str){NULL, 0}, f);
	if (e == AV_OK)
		e = follow_replies(found.fd, &open, each, ctx, rc, f);
	cJSON_free(text);
	discover_close(&found);
	return e;
}

/* What has happened once the keeper has answered, whether or not its answer can be shown. */
static const char *
done_by(const char *op)
{
	static const struct {
		const char *op;
		const char *done;
	} changes[] = {
	    {"init", "the vault was made"},
	    {"unlock", "the vault is unlocked"},
	    {"lock", "the vault is locked"},
	    {"secrets.create", "the secret was stored"},
	    {"secrets.rotate", "the secret has its new value"},
	    {"secrets.delete", "the secret was deleted"},
	    {"credential.create", "the credential was made"},
	    {"capability.create", "the capability was made"},
	    {"capability.enable", "the capability is enabled"},
	    {"capability.disable", "the capability is disabled"},
	    {"capability.policy.set", "the limits are set"},
	    {"capability.policy.clear", "the limits are removed"},
	};

	for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
		if (strcmp(op, changes[i].op) == 0)
			return changes[i].done;
	}
	return "";
}

int
operator_print(const char *op, cJSON *args, struct str secret, bool creates)
{
	struct fault f = {0};
	struct buf result;
	int rc;

	buf_init(&result, RESULT_MAX);
	if (operator_run(op, args, secret, creates, &result, &f) == AV_OK)
		rc =
		    print_json_of((struct str){(const char *)result.data, result.len}, done_by(op));
	else
		rc = print_fault(&f);
	buf_clear(&result);
	return rc;
}
