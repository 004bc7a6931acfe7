/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/listener.h"

#include "base/io.h"
#include "base/log.h"
#include "broker/random_id.h"
#include "broker/reply.h"
#include "broker/session.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define LISTENER_BURST 64 /* accepts a turn, so that calls under way are served between */
#define LISTENER_TICK_MS 1000
#define LISTENER_NAMES 64 /* user names kept */

struct listener_name {
	uint32_t uid;
	char name[CALLER_NAME_MAX + 1];
};

struct listener {
	struct broker *b;
	uv_poll_t *poll; /* on the heap: it outlives a listener that is replaced */
	int fd;
	bool has_taken;
	bool rests; /* there were no descriptors */
	uv_timer_t tick;
	struct listener_node head;
	size_t count;
	struct listener_name names[LISTENER_NAMES];
	size_t name_count;
};

static void listener_on_tick(uv_timer_t *timer);

/* ---- who is it ------------------------------------------------------------------------------- */

static void
listener_find_name(struct listener *l, uint32_t uid, char *out, size_t out_len)
{
	struct passwd pw, *found = NULL;
	char scratch[4096];
	struct listener_name *n;
	size_t i;

	for (i = 0; i < l->name_count; i++) {
		if (l->names[i].uid == uid) {
			(void)snprintf(out, out_len, "%s", l->names[i].name);
			return;
		}
	}
	if (getpwuid_r((uid_t)uid, &pw, scratch, sizeof(scratch), &found) == 0 && found != NULL &&
	    str_is_utf8(str_of(pw.pw_name)))
		(void)snprintf(out, out_len, "user:%.*s", CALLER_NAME_MAX - 6, pw.pw_name);
	else
		(void)snprintf(out, out_len, "user:%u", uid);
	if (l->name_count == LISTENER_NAMES)
		l->name_count = 0;
	n = &l->names[l->name_count++];
	n->uid = uid;
	(void)snprintf(n->name, sizeof(n->name), "%s", out);
}

/* The kernel's name of a process; it is text that the caller chose. */
static void
listener_find_program(uint32_t pid, char *out, size_t out_len)
{
	char path[64];
	ssize_t n;
	int fd;

	out[0] = '\0';
	(void)snprintf(path, sizeof(path), "/proc/%u/comm", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	n = read(fd, out, out_len - 1);
	close(fd);
	if (n < 0)
		n = 0;
	if (n > 0 && out[n - 1] == '\n')
		n--;
	out[n] = '\0';
	if (!str_is_utf8(str_of(out)))
		out[0] = '\0';
}

static size_t
listener_count_of(const struct listener *l, uint32_t uid)
{
	const struct listener_node *n;
	size_t count = 0;

	for (n = l->head.next; n != &l->head; n = n->next)
		count += n->uid == uid;
	return count;
}

/* ---- accepting ------------------------------------------------------------------------------- */

/* One try to say why; whoever does not read it sees the close. */
static void
listener_refuse(int fd, const char *reason, uint32_t limit)
{
	struct buf head, body;
	struct fault f;
	char id[REQUEST_ID_LEN + 1];

	if (random_id(id) != AV_OK)
		return;
	buf_init(&head, 8192);
	buf_init(&body, 4096);
	fault_set(&f, AV_ERATE, reason,
	    "Close connections that are not needed, or raise the limit.",
	    "The limit of %u connections is reached.", limit);
	reply_problem_body(&body, &f, id);
	reply_status_line(&head, (unsigned)av_err_http(f.err));
	reply_header(&head, "Content-Type", STR_LIT("application/problem+json"));
	reply_header(&head, "Connection", STR_LIT("close"));
	reply_header(&head, "Aivault-Error", str_of(av_err_code(f.err)));
	reply_header(&head, "Aivault-Request-Id", str_of(id));
	(void)buf_appendf(&head, "Retry-After: 1\r\nContent-Length: %zu\r\n\r\n", body.len);
	(void)buf_append(&head, body.data, body.len);
	if (buf_err(&head) == AV_OK &&
	    send(fd, head.data, head.len, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
		log_debug("a refused connection did not take its answer");
	buf_clear(&head);
	buf_clear(&body);
}

static void
listener_admit(struct listener *l, int fd)
{
	struct caller c = {0};
	struct peer p;

	if (io_peer(fd, &p) != AV_OK || io_set_nonblock(fd, true) != AV_OK) {
		log_warn("a connection without peer credentials was closed");
		io_close(&fd);
		return;
	}
	if (l->count >= l->b->opt.max_connections) {
		listener_refuse(fd, "connection_limit", l->b->opt.max_connections);
		io_close(&fd);
		return;
	}
	if (listener_count_of(l, (uint32_t)p.uid) >= l->b->opt.max_per_caller) {
		listener_refuse(fd, "caller_connection_limit", l->b->opt.max_per_caller);
		io_close(&fd);
		return;
	}
	c.uid = (uint32_t)p.uid;
	c.gid = (uint32_t)p.gid;
	c.pid = (uint32_t)p.pid;
	listener_find_name(l, c.uid, c.name, sizeof(c.name));
	listener_find_program(c.pid, c.program, sizeof(c.program));
	if (session_open(l->b, fd, &c) != AV_OK)
		log_error("a connection could not be set up");
}

/* Without descriptors the socket stays ready and nothing can be done: a look a second is enough. */
static void
listener_on_no_accept(struct listener *l, int why)
{
	if (why == EAGAIN || why == EINTR || why == ECONNABORTED)
		return;
	log_error("accept: %s", strerror(why));
	if (why != EMFILE && why != ENFILE && why != ENOBUFS && why != ENOMEM)
		return;
	l->rests = true;
	(void)uv_poll_stop(l->poll);
	uv_timer_start(&l->tick, listener_on_tick, LISTENER_TICK_MS, LISTENER_TICK_MS);
}

static void
listener_on_poll(uv_poll_t *poll, int status, int events)
{
	struct listener *l = poll->data;
	int i;

	(void)events;
	if (status < 0)
		return;
	for (i = 0; i < LISTENER_BURST; i++) {
		int fd = accept4(l->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

		if (fd < 0) {
			listener_on_no_accept(l, errno);
			return;
		}
		listener_admit(l, fd);
	}
}

static void
listener_watch(struct listener *l)
{
	l->rests = false;
	if (l->poll != NULL)
		(void)uv_poll_start(l->poll, UV_READABLE, listener_on_poll);
}

static void
listener_on_tick(uv_timer_t *timer)
{
	struct listener *l = timer->data;
	uint64_t now = uv_now(&l->b->loop);
	struct listener_node *n = l->head.next;

	if (l->rests)
		listener_watch(l);
	while (n != &l->head) {
		struct listener_node *next = n->next;

		session_tick(n->session, now);
		n = next;
	}
	if (l->count == 0 && !l->rests)
		uv_timer_stop(timer);
}

/* ---- life ------------------------------------------------------------------------------------ */

void
listener_add(struct listener *l, struct listener_node *n)
{
	n->prev = l->head.prev;
	n->next = &l->head;
	l->head.prev->next = n;
	l->head.prev = n;
	if (l->count++ == 0)
		uv_timer_start(&l->tick, listener_on_tick, LISTENER_TICK_MS, LISTENER_TICK_MS);
}

void
listener_remove(struct listener *l, struct listener_node *n)
{
	n->prev->next = n->next;
	n->next->prev = n->prev;
	if (--l->count == 0 && !l->rests)
		uv_timer_stop(&l->tick);
	broker_maybe_leave(l->b);
}

size_t
listener_count(const struct listener *l)
{
	return l->count;
}

static void
listener_on_poll_closed(uv_handle_t *handle)
{
	free(handle);
}

static void
listener_drop(struct listener *l)
{
	if (l->poll != NULL)
		uv_close((uv_handle_t *)l->poll, listener_on_poll_closed);
	l->poll = NULL;
	io_close(&l->fd);
}

enum av_err
listener_new(struct broker *b, struct listener **out)
{
	struct listener *l = calloc(1, sizeof(*l));

	if (l == NULL)
		return AV_ENOMEM;
	l->b = b;
	l->fd = -1;
	l->head.next = &l->head;
	l->head.prev = &l->head;
	if (uv_timer_init(&b->loop, &l->tick) != 0) {
		free(l);
		return AV_ESYS;
	}
	l->tick.data = l;
	*out = l;
	return AV_OK;
}

enum av_err
listener_use(struct listener *l, int fd)
{
	enum av_err e = io_set_nonblock(fd, true);

	listener_drop(l);
	l->fd = fd;
	if (e != AV_OK)
		goto out;
	e = AV_ENOMEM;
	l->poll = calloc(1, sizeof(*l->poll));
	if (l->poll == NULL)
		goto out;
	e = AV_ESYS;
	if (uv_poll_init(&l->b->loop, l->poll, fd) != 0) {
		free(l->poll);
		l->poll = NULL;
		goto out;
	}
	l->poll->data = l;
	if (uv_poll_start(l->poll, UV_READABLE, listener_on_poll) != 0)
		goto out;
	return AV_OK;
out:
	listener_drop(l);
	return e;
}

void
listener_take(struct listener *l, int fd)
{
	l->has_taken = true;
	listener_admit(l, fd);
}

bool
listener_is_open(const struct listener *l)
{
	return l->fd >= 0 || l->has_taken;
}

void
listener_stop(struct listener *l)
{
	struct listener_node *n = l->head.next;

	listener_drop(l);
	while (n != &l->head) {
		struct listener_node *next = n->next;

		session_stop(n->session);
		n = next;
	}
}

void
listener_close_all(struct listener *l)
{
	listener_drop(l);
	while (l->head.next != &l->head)
		session_drop(l->head.next->session);
}

static void
listener_on_tick_closed(uv_handle_t *handle)
{
	free(handle->data);
}

void
listener_free(struct listener *l)
{
	if (l == NULL)
		return;
	uv_close((uv_handle_t *)&l->tick, listener_on_tick_closed);
}
