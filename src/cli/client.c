/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/client.h"

#include "base/buf.h"
#include "base/io.h"
#include "http/message.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define CHUNK (64u * 1024u)
#define CHUNK_FRAMING 32u
#define OUT_MAX (HEAD_MAX + 32u * 1024u + CHUNK + CHUNK_FRAMING)

struct exchange {
	int sock;
	const struct client_request *r;
	const struct client_handler *h;
	struct message *answer;
	struct buf out; /* not sent yet */
	bool chunked;
	bool body_read; /* all of the body is in `out` or sent */
	bool send_failed; /* the daemon takes no more; its answer may still come */
	uint64_t left; /* of a body whose length was announced */
	size_t part; /* BODY_PARTS: the one being sent, and what is sent of it */
	uint64_t part_off;
	bool got_bytes;
	bool done;
	uint8_t room[CHUNK];
};

static enum av_err
check_target(struct str target, struct fault *f)
{
	for (size_t i = 0; i < target.len; i++) {
		unsigned char c = (unsigned char)target.p[i];
		if (c <= 0x20 || c >= 0x7f || c == '#')
			return fault_set(f, AV_EINVAL, "path_bytes",
			    "Write blanks, control bytes, # and non-ASCII bytes as %XX",
			    "the path has a byte (0x%02x) that may not stand in a request",
			    (unsigned)c);
	}
	return AV_OK;
}

/* A regular file's length is announced; what has no length goes out in chunks. */
static void
measure_body(struct exchange *x)
{
	struct stat st;
	off_t at;

	for (size_t i = 0; x->r->body_kind == BODY_PARTS && i < x->r->part_count; i++)
		x->left += x->r->parts[i].size;
	x->body_read = x->r->body_kind != BODY_FD && x->left == 0;
	if (x->r->body_kind != BODY_FD)
		return;
	x->chunked = true;
	if (fstat(x->r->body_fd, &st) != 0 || !S_ISREG(st.st_mode))
		return;
	at = lseek(x->r->body_fd, 0, SEEK_CUR);
	if (at < 0 || at > st.st_size)
		return;
	x->chunked = false;
	x->left = (uint64_t)(st.st_size - at);
	x->body_read = x->left == 0;
}

static enum av_err
write_head(struct exchange *x, struct fault *f)
{
	const struct client_request *r = x->r;
	enum av_err e = check_target(r->target, f);

	if (e != AV_OK)
		return e;
	(void)buf_appendf(&x->out, "%.*s ", STR_FMT(r->method));
	(void)buf_append(&x->out, r->target.p, r->target.len);
	(void)buf_append_str(&x->out, " HTTP/1.1\r\nhost: aivault\r\n");
	for (size_t i = 0; i < r->headers->count; i++) {
		const struct header *h = &r->headers->items[i];
		(void)buf_append(&x->out, h->name.p, h->name.len);
		(void)buf_append_str(&x->out, ": ");
		if (h->value.len > 0)
			(void)buf_append(&x->out, h->value.p, h->value.len);
		(void)buf_append_str(&x->out, "\r\n");
	}
	measure_body(x);
	if (r->body_kind == BODY_BYTES)
		(void)buf_appendf(&x->out, "content-length: %zu\r\n", r->body.len);
	else if (x->chunked)
		(void)buf_append_str(&x->out, "transfer-encoding: chunked\r\n");
	else if (r->body_kind == BODY_FD || r->body_kind == BODY_PARTS)
		(void)buf_appendf(&x->out, "content-length: %" PRIu64 "\r\n", x->left);
	(void)buf_append_str(&x->out, "\r\n");
	if (r->body_kind == BODY_BYTES && r->body.len > 0)
		(void)buf_append(&x->out, r->body.p, r->body.len);
	e = buf_err(&x->out);
	return e == AV_OK ? e : fault_set(f, e, "head_size", "", "the request's head is too large");
}

/* The next bytes of the part whose turn it is, of a file or of text. */
static ssize_t
read_part(struct exchange *x)
{
	const struct body_part *p = &x->r->parts[x->part];
	size_t want = CHUNK;
	ssize_t n;

	while (x->part_off == p->size) {
		p = &x->r->parts[++x->part];
		x->part_off = 0;
	}
	if (p->size - x->part_off < want)
		want = (size_t)(p->size - x->part_off);
	n = (ssize_t)want;
	if (p->fd >= 0)
		n = read(p->fd, x->room, want);
	else
		memcpy(x->room, p->text + x->part_off, want);
	if (n > 0)
		x->part_off += (uint64_t)n;
	return n;
}

static enum av_err
read_body(struct exchange *x, struct fault *f)
{
	size_t want = CHUNK;
	ssize_t n;

	if (!x->chunked && x->left < want)
		want = (size_t)x->left;
	do
		n = x->r->body_kind == BODY_PARTS ? read_part(x)
		                                  : read(x->r->body_fd, x->room, want);
	while (n < 0 && errno == EINTR);
	if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
		return AV_OK;
	if (n < 0)
		return fault_set(
		    f, AV_ESYS, "body_read", "", "the body cannot be read: %s", strerror(errno));
	if (n == 0 && !x->chunked)
		return fault_set(f, AV_ESYS, "body_short", "Try again",
		    "the body's file became shorter while it was sent");
	if (x->chunked) {
		(void)buf_appendf(&x->out, "%zx\r\n", (size_t)n);
		(void)buf_append(&x->out, x->room, (size_t)n);
		(void)buf_append_str(&x->out, "\r\n");
		x->body_read = n == 0;
	} else {
		(void)buf_append(&x->out, x->room, (size_t)n);
		x->left -= (uint64_t)n;
		x->body_read = x->left == 0;
	}
	return buf_err(&x->out);
}

static void
send_some(struct exchange *x)
{
	ssize_t n;

	do
		n = send(x->sock, x->out.data, x->out.len, MSG_NOSIGNAL | MSG_DONTWAIT);
	while (n < 0 && errno == EINTR);
	if (n > 0)
		buf_consume(&x->out, (size_t)n);
	else if (n < 0 && errno != EAGAIN && errno != EWOULDBLOCK)
		x->send_failed = true;
}

static enum av_err
on_input(struct exchange *x, const uint8_t *in, size_t len, struct fault *f)
{
	enum message_event event = MESSAGE_NEED_MORE;

	while (!x->done) {
		struct str body = {NULL, 0};
		size_t used = 0;
		enum av_err e = message_feed(x->answer, in, len, &used, &event, &body, f);

		if (e != AV_OK)
			return fault_set(
			    f, AV_EUNAVAIL, "bad_answer", "", "the daemon's answer cannot be read");
		in += used;
		len -= used;
		if (event == MESSAGE_HEAD && message_status(x->answer) / 100 == 1) {
			message_reset(x->answer, str_eq_cstr(x->r->method, "HEAD"));
			continue;
		}
		if (event == MESSAGE_HEAD)
			e = x->h->head(
			    x->h->ctx, message_status(x->answer), message_headers(x->answer), f);
		else if (event == MESSAGE_BODY && body.len > 0)
			e = x->h->body(x->h->ctx, body, f);
		if (e != AV_OK)
			return e;
		x->done = event == MESSAGE_DONE;
		if (event == MESSAGE_NEED_MORE)
			break;
	}
	return AV_OK;
}

static enum av_err
receive_some(struct exchange *x, struct fault *f)
{
	enum message_event event;
	ssize_t n;

	do
		n = recv(x->sock, x->room, sizeof(x->room), MSG_DONTWAIT);
	while (n < 0 && errno == EINTR);
	if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
		return AV_OK;
	if (n > 0) {
		x->got_bytes = true;
		return on_input(x, x->room, (size_t)n, f);
	}
	if (!x->got_bytes)
		return fault_set(f, AV_EUNAVAIL, "daemon_gone",
		    "See aivault audit before sending it again",
		    "the daemon hung up before it answered");
	if (n == 0 && message_eof(x->answer, &event) == AV_OK && event == MESSAGE_DONE) {
		x->done = true;
		return AV_OK;
	}
	return fault_set(
	    f, AV_ECUT, "cut", "What came before is incomplete", "the transfer ended early");
}

static enum av_err
run(struct exchange *x, struct fault *f)
{
	while (!x->done) {
		bool sending = x->out.len > 0 && !x->send_failed;
		bool reading = x->out.len == 0 && !x->body_read && !x->send_failed;
		/* Parts are text and regular files: always there. */
		bool ready = reading && x->r->body_kind == BODY_PARTS;
		struct pollfd p[2] = {
		    {.fd = x->sock, .events = (short)(POLLIN | (sending ? POLLOUT : 0))},
		    {.fd = reading && !ready ? x->r->body_fd : -1, .events = POLLIN},
		};
		enum av_err e = AV_OK;

		if (poll(p, 2, ready ? 0 : -1) < 0) {
			if (errno == EINTR)
				continue;
			return fault_set(f, AV_ESYS, "poll", "", "poll: %s", strerror(errno));
		}
		if (sending && (p[0].revents & (POLLOUT | POLLERR)) != 0)
			send_some(x);
		if ((p[0].revents & (POLLIN | POLLHUP | POLLERR)) != 0)
			e = receive_some(x, f);
		if (e == AV_OK && !x->done && (ready || p[1].revents != 0))
			e = read_body(x, f);
		if (e != AV_OK)
			return e;
	}
	return AV_OK;
}

enum av_err
client_exchange(
    int sock, const struct client_request *r, const struct client_handler *h, struct fault *f)
{
	struct exchange x = {.sock = sock, .r = r, .h = h};
	enum av_err e = message_new(MESSAGE_RESPONSE, str_eq_cstr(r->method, "HEAD"), &x.answer);

	if (e != AV_OK)
		return fault_set(f, e, "no_memory", "", "out of memory");
	buf_init(&x.out, OUT_MAX + (r->body_kind == BODY_BYTES ? r->body.len : 0));
	e = write_head(&x, f);
	if (e == AV_OK)
		e = run(&x, f);
	buf_clear(&x.out);
	message_free(x.answer);
	return e;
}
