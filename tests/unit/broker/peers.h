/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The broker with everything around it played by the test: supervisor, keeper, judge, agents. The
 * broker runs in a child of its own; the test speaks its protocols step by step, so that each
 * order of events can be had without waiting for luck.
 */
#ifndef AV_TEST_BROKER_PEERS_H
#define AV_TEST_BROKER_PEERS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/io.h"
#include "broker/broker.h"
#include "wire/control.h"
#include "wire/counts.h"
#include "wire/judge.h"
#include "wire/keeper.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define PEERS_STUCK_MS 30000 /* after which a test is called stuck */

struct peers {
	pid_t pid;
	int control;
	int keeper;
	int judge;
	char dir[64];
	char path[96];
	struct buf keeper_in;
	struct buf judge_in;
	struct buf agent_in;
};

static inline void
peers_wait_readable(int fd, const char *what)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};

	if (poll(&p, 1, PEERS_STUCK_MS) <= 0)
		fail_msg("waited in vain for %s", what);
}

static inline void
peers_give(struct peers *p, enum control_tag tag, int fd)
{
	assert_int_equal(io_send_fds(p->control, (unsigned char)tag, &fd, 1), AV_OK);
	close(fd);
}

static inline void
peers_expect_tag(struct peers *p, enum control_tag want)
{
	unsigned char tag = 0;

	do {
		int fds[4];
		size_t n = 4;

		peers_wait_readable(p->control, "a control tag");
		assert_int_equal(io_recv_fds(p->control, &tag, fds, &n), AV_OK);
		/* Busy and idle come in between. */
	} while (tag != want && (tag == CONTROL_BUSY || tag == CONTROL_IDLE));
	assert_int_equal(tag, want);
}

static inline void
peers_new_keeper(struct peers *p)
{
	int pair[2];

	if (p->keeper >= 0)
		close(p->keeper);
	buf_reset(&p->keeper_in);
	assert_int_equal(io_socketpair(pair), AV_OK);
	p->keeper = pair[0];
	peers_give(p, CONTROL_BROKER_KEEPER, pair[1]);
}

static inline void
peers_new_judge(struct peers *p)
{
	int pair[2];

	if (p->judge >= 0)
		close(p->judge);
	buf_reset(&p->judge_in);
	assert_int_equal(io_socketpair(pair), AV_OK);
	p->judge = pair[0];
	peers_give(p, CONTROL_BROKER_JUDGE, pair[1]);
}

static inline void
peers_write(int fd, struct buf *b)
{
	assert_int_equal(buf_err(b), AV_OK);
	assert_int_equal(io_write_all(fd, b->data, b->len), AV_OK);
	buf_clear(b);
}

static inline void
peers_send_state(struct peers *p, uint64_t generation, bool locked)
{
	struct keeper_state m = {.generation = generation, .locked = locked, .has_vault = 1};
	struct buf b;

	buf_init(&b, 4096);
	assert_int_equal(keeper_state_encode(&m, &b), AV_OK);
	peers_write(p->keeper, &b);
}

/* The next whole frame; it borrows from *in, which the caller consumes by peers_drop(). */
static inline struct frame
peers_read(int fd, struct buf *in, uint16_t want, size_t *used)
{
	struct frame f = {0};

	while (frame_parse(in->data, in->len, &f, used) == AV_ETRUNC) {
		size_t n = 0;
		bool again = false;

		peers_wait_readable(fd, "a frame");
		assert_int_equal(io_read_some(fd, in, 65536, &n, &again), AV_OK);
		if (n == 0)
			fail_msg("the broker closed a channel");
	}
	assert_int_equal(f.type, want);
	return f;
}

static inline void
peers_child(int control, const struct broker_options *opt)
{
	struct broker *b = calloc(1, sizeof(*b));

	if (b == NULL || dup2(control, CONTROL_FD) != CONTROL_FD)
		_exit(90);
	(void)signal(SIGPIPE, SIG_IGN);
	if (broker_init(b, opt, "/etc/ssl/certs/ca-certificates.crt") != AV_OK)
		_exit(91);
	broker_run(b);
	broker_clear(b);
	free(b);
	exit(0);
}

static inline struct peers *
peers_start(const struct broker_options *opt)
{
	struct peers *p = calloc(1, sizeof(*p));
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	int pair[2], listener;

	assert_non_null(p);
	p->keeper = -1;
	p->judge = -1;
	buf_init(&p->keeper_in, 4 * FRAME_MAX);
	buf_init(&p->judge_in, 4 * FRAME_MAX);
	buf_init(&p->agent_in, 16 * FRAME_MAX);
	assert_int_equal(io_socketpair(pair), AV_OK);
	fflush(NULL);
	p->pid = fork();
	assert_true(p->pid >= 0);
	if (p->pid == 0) {
		close(pair[0]);
		free(p); /* the parent's; here it would count as lost */
		peers_child(pair[1], opt);
	}
	close(pair[1]);
	p->control = pair[0];
	(void)snprintf(p->dir, sizeof(p->dir), "/tmp/av-broker-XXXXXX");
	assert_non_null(mkdtemp(p->dir));
	(void)snprintf(p->path, sizeof(p->path), "%s/s", p->dir);
	(void)snprintf(sa.sun_path, sizeof(sa.sun_path), "%s", p->path);
	listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(listener, (struct sockaddr *)&sa, sizeof(sa)), 0);
	assert_int_equal(listen(listener, 64), 0);
	peers_new_keeper(p);
	peers_new_judge(p);
	peers_give(p, CONTROL_AGENT_SOCKET, listener);
	peers_send_state(p, 1, false);
	peers_expect_tag(p, CONTROL_READY);
	return p;
}

/* Ends the broker by its control socket; it must end well. */
static inline void
peers_stop(struct peers *p)
{
	int status = 0;

	close(p->control);
	assert_int_equal(waitpid(p->pid, &status, 0), p->pid);
	close(p->keeper);
	close(p->judge);
	(void)unlink(p->path);
	(void)rmdir(p->dir);
	buf_clear(&p->keeper_in);
	buf_clear(&p->judge_in);
	buf_clear(&p->agent_in);
	free(p);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

/* ---- an agent ---------------------------------------------------------------------------------- */

static inline int
agent_connect(struct peers *p)
{
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)snprintf(sa.sun_path, sizeof(sa.sun_path), "%s", p->path);
	assert_true(fd >= 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&sa, sizeof(sa)), 0);
	return fd;
}

static inline void
agent_send(int fd, const char *text)
{
	assert_int_equal(io_write_all(fd, text, strlen(text)), AV_OK);
}

/* Reads one answer with a Content-Length into p->agent_in; returns its status. */
static inline int
agent_answer(struct peers *p, int fd)
{
	struct buf *b = &p->agent_in;
	int status = 0;

	buf_reset(b);
	for (;;) {
		const char *text = buf_cstr(b), *end, *length;
		size_t n = 0;
		bool again = false;

		assert_non_null(text);
		end = strstr(text, "\r\n\r\n");
		if (end != NULL) {
			length = strstr(text, "Content-Length: ");
			if (length != NULL &&
			    b->len >= (size_t)(end + 4 - text) + strtoul(length + 16, NULL, 10))
				break;
		}
		peers_wait_readable(fd, "an answer");
		assert_int_equal(io_read_some(fd, b, 65536, &n, &again), AV_OK);
		if (n == 0)
			fail_msg("the connection closed before a whole answer: %s", buf_cstr(b));
	}
	if (sscanf(buf_cstr(b), "HTTP/1.1 %d", &status) != 1)
		fail_msg("no status line: %s", buf_cstr(b));
	return status;
}

static inline void
agent_expect(struct peers *p, const char *text)
{
	if (strstr(buf_cstr(&p->agent_in), text) == NULL)
		fail_msg("\"%s\" is not in: %s", text, buf_cstr(&p->agent_in));
}

static inline void
agent_expect_close(int fd)
{
	char c;

	for (;;) {
		ssize_t n;

		peers_wait_readable(fd, "the end of the connection");
		n = read(fd, &c, 1);
		if (n <= 0)
			return;
	}
}

/* ---- the keeper -------------------------------------------------------------------------------- */

static inline uint64_t
keeper_take_resolve(struct peers *p)
{
	struct keeper_resolve m;
	size_t used = 0;
	struct frame f = peers_read(p->keeper, &p->keeper_in, KEEPER_RESOLVE, &used);

	assert_int_equal(keeper_resolve_decode(&f, &m), AV_OK);
	buf_consume(&p->keeper_in, used);
	return m.ask_id;
}

/* A capability "acme/any": GET and POST below "/", one host. */
static inline void
keeper_answer_resolved(struct peers *p, uint64_t ask_id, uint64_t generation, enum inspect inspect)
{
	struct keeper_resolved m = {.ask_id = ask_id, .generation = generation};
	struct buf b;

	m.provider = "acme";
	m.credential = "acme";
	m.host = "api.acme.invalid";
	m.path_prefix = "";
	m.max_request_bytes = 3000000;
	m.max_response_bytes = UINT64_MAX;
	m.capability.id = "acme/any";
	m.capability.about = "";
	m.capability.inspect = inspect;
	m.capability.http = 1;
	assert_int_equal(string_list_add(&m.capability.hosts, STR_LIT("api.acme.invalid")), AV_OK);
	assert_int_equal(string_list_add(&m.capability.methods, STR_LIT("GET")), AV_OK);
	assert_int_equal(string_list_add(&m.capability.methods, STR_LIT("POST")), AV_OK);
	assert_int_equal(string_list_add(&m.capability.paths, STR_LIT("/v1/")), AV_OK);
	assert_int_equal(string_list_add(&m.managed_headers, STR_LIT("x-acme-key")), AV_OK);
	buf_init(&b, FRAME_MAX);
	assert_int_equal(keeper_resolved_encode(&m, &b), AV_OK);
	peers_write(p->keeper, &b);
	string_list_clear(&m.capability.hosts);
	string_list_clear(&m.capability.methods);
	string_list_clear(&m.capability.paths);
	string_list_clear(&m.managed_headers);
}

static inline uint64_t
keeper_take_release(struct peers *p)
{
	struct keeper_release m;
	size_t used = 0;
	struct frame f = peers_read(p->keeper, &p->keeper_in, KEEPER_RELEASE, &used);
	uint64_t id;

	assert_int_equal(keeper_release_decode(&f, &m), AV_OK);
	id = m.ask_id;
	keeper_release_clear(&m);
	buf_consume(&p->keeper_in, used);
	return id;
}

static inline void
keeper_answer_released(struct peers *p, uint64_t ask_id, const char *secret)
{
	struct auth_part part = {.place = AUTH_PLACE_HEADER, .name = STR_LIT("x-acme-key")};
	struct keeper_released m = {.ask_id = ask_id, .parts = &part, .part_count = 1};
	struct buf b;

	part.value = str_of(secret);
	part.spans[0].len = (uint32_t)strlen(secret);
	part.span_count = 1;
	buf_init(&b, FRAME_MAX);
	assert_int_equal(keeper_released_encode(&m, &b), AV_OK);
	peers_write(p->keeper, &b);
}

static inline void
keeper_answer_fault(struct peers *p, uint64_t ask_id, enum av_err e, const char *reason)
{
	struct keeper_fault m = {.ask_id = ask_id};
	struct buf b;

	fault_set(&m.fault, e, reason, "", "No.");
	buf_init(&b, 4096);
	assert_int_equal(keeper_fault_encode(&m, &b), AV_OK);
	peers_write(p->keeper, &b);
}

static inline void
keeper_expect_denied(struct peers *p, const char *reason, uint32_t status)
{
	struct keeper_denied m;
	size_t used = 0;
	struct frame f = peers_read(p->keeper, &p->keeper_in, KEEPER_DENIED, &used);

	assert_int_equal(keeper_denied_decode(&f, &m), AV_OK);
	if (!str_eq_cstr(m.reason, reason))
		fail_msg("denied for %.*s, not for %s", STR_FMT(m.reason), reason);
	assert_int_equal(m.status, status);
	assert_int_equal(m.request_id.len, KEEPER_REQUEST_ID_LEN);
	assert_int_equal(m.caller.uid, getuid());
	buf_consume(&p->keeper_in, used);
}

static inline void
keeper_expect_outcome(struct peers *p, const char *reason)
{
	struct keeper_outcome m;
	size_t used = 0;
	struct frame f = peers_read(p->keeper, &p->keeper_in, KEEPER_OUTCOME, &used);

	assert_int_equal(keeper_outcome_decode(&f, &m), AV_OK);
	if (!str_eq_cstr(m.reason, reason))
		fail_msg("ended as %.*s, not as %s", STR_FMT(m.reason), reason);
	buf_consume(&p->keeper_in, used);
}

/* Asks for the list of capabilities: when it is there, what the keeper sent before is known. */
static inline void
keeper_sync(struct peers *p, int agent)
{
	struct keeper_list m;
	struct keeper_listed l = {.json = STR_LIT("{\"capabilities\":[]}")};
	size_t used = 0;
	struct frame f;
	struct buf b;

	agent_send(agent, "GET /aivault/capabilities HTTP/1.1\r\nHost: a\r\n\r\n");
	f = peers_read(p->keeper, &p->keeper_in, KEEPER_LIST, &used);
	assert_int_equal(keeper_list_decode(&f, &m), AV_OK);
	l.ask_id = m.ask_id;
	buf_consume(&p->keeper_in, used);
	buf_init(&b, 4096);
	assert_int_equal(keeper_listed_encode(&l, &b), AV_OK);
	peers_write(p->keeper, &b);
	assert_int_equal(agent_answer(p, agent), 200);
	agent_expect(p, "{\"capabilities\":[]}");
}

/* ---- the judge --------------------------------------------------------------------------------- */

/* Takes one question, with the body that came before it into *body (may be NULL: none expected). */
static inline uint64_t
judge_take_ask(struct peers *p, struct buf *body)
{
	struct judge_ask m;
	struct frame f;
	size_t used = 0;
	uint64_t id;

	for (;;) {
		struct str bytes;

		while (frame_parse(p->judge_in.data, p->judge_in.len, &f, &used) == AV_ETRUNC) {
			size_t n = 0;
			bool again = false;

			peers_wait_readable(p->judge, "a question to the judge");
			assert_int_equal(
			    io_read_some(p->judge, &p->judge_in, 65536, &n, &again), AV_OK);
			assert_true(n > 0);
		}
		if (f.type != JUDGE_BODY)
			break;
		assert_int_equal(judge_body_decode(&f, &id, &bytes), AV_OK);
		assert_non_null(body);
		assert_int_equal(buf_append(body, bytes.p, bytes.len), AV_OK);
		buf_consume(&p->judge_in, used);
	}
	assert_int_equal(f.type, JUDGE_ASK);
	assert_int_equal(judge_ask_decode(&f, &m), AV_OK);
	id = m.ask_id;
	judge_ask_clear(&m);
	buf_consume(&p->judge_in, used);
	return id;
}

static inline void
judge_answer(
    struct peers *p, uint64_t ask_id, enum verdict_kind kind, const char *reason, bool limit_hit)
{
	struct judge_verdict v = {.ask_id = ask_id, .kind = kind, .limit_hit = limit_hit};
	struct buf b;

	v.reason = str_of(reason);
	v.message = str_of(kind == VERDICT_DENY ? "the policy says no" : "");
	v.policy = str_of(kind == VERDICT_DENY ? "check" : "");
	v.max_request_bytes = UINT64_MAX;
	v.max_response_bytes = UINT64_MAX;
	buf_init(&b, 65536);
	assert_int_equal(judge_verdict_encode(&v, &b), AV_OK);
	peers_write(p->judge, &b);
}

/* Allows, for two calls of the counter "k" and with `op` (may be NULL). */
static inline void
judge_allow_charged(struct peers *p, uint64_t ask_id, struct header_op *op)
{
	struct charge c = {STR_LIT("rate_limit"), STR_LIT("k"), 2, 5, 60};
	struct judge_verdict v = {.ask_id = ask_id, .kind = VERDICT_ALLOW};
	struct buf b;

	v.max_request_bytes = UINT64_MAX;
	v.max_response_bytes = UINT64_MAX;
	v.charges = &c;
	v.charge_count = 1;
	v.ops = op;
	v.op_count = op != NULL;
	buf_init(&b, 65536);
	assert_int_equal(judge_verdict_encode(&v, &b), AV_OK);
	peers_write(p->judge, &b);
}

static inline void
judge_expect_refund(struct peers *p)
{
	struct counts_refund m;
	size_t used = 0;
	struct frame f = peers_read(p->judge, &p->judge_in, COUNTS_REFUND, &used);

	assert_int_equal(counts_refund_decode(&f, &m), AV_OK);
	assert_int_equal(m.charge_count, 1);
	assert_true(str_eq_cstr(m.charges[0].key, "k"));
	assert_int_equal(m.charges[0].n, 2);
	counts_refund_clear(&m);
	buf_consume(&p->judge_in, used);
}

#endif
