/* SPDX-License-Identifier: Apache-2.0 */
#include "base/io.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#define IO_MAX_FDS 4u

enum av_err
io_write_all(int fd, const void *p, size_t len)
{
	const char *at = p;

	while (len > 0) {
		ssize_t n = write(fd, at, len);

		if (n > 0) {
			at += n;
			len -= (size_t)n;
			continue;
		}
		if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
			struct pollfd ready = {.fd = fd, .events = POLLOUT};

			if (poll(&ready, 1, -1) < 0 && errno != EINTR)
				return AV_ESYS;
			continue;
		}
		if (n < 0 && errno == EINTR)
			continue;
		return AV_ESYS;
	}
	return AV_OK;
}

enum av_err
io_read_some(int fd, struct buf *b, size_t want, size_t *n, bool *again)
{
	uint8_t *room;
	ssize_t got;
	enum av_err e;

	*n = 0;
	*again = false;
	/* A full buffer is no lasting fault: the reader may consume and come back. */
	if (b->err == AV_OK && want > 0 && b->len >= b->max)
		return AV_ELIMIT;
	if (want > b->max - b->len)
		want = b->max - b->len;
	e = buf_reserve(b, want, &room);
	if (e != AV_OK || want == 0)
		return e;
	do {
		got = read(fd, room, want);
	} while (got < 0 && errno == EINTR);
	if (got < 0) {
		*again = errno == EAGAIN || errno == EWOULDBLOCK;
		return *again ? AV_OK : AV_ESYS;
	}
	buf_commit(b, (size_t)got);
	*n = (size_t)got;
	return AV_OK;
}

enum av_err
io_set_nonblock(int fd, bool on)
{
	int flags = fcntl(fd, F_GETFL);

	if (flags < 0)
		return AV_ESYS;
	flags = on ? flags | O_NONBLOCK : flags & ~O_NONBLOCK;
	return fcntl(fd, F_SETFL, flags) < 0 ? AV_ESYS : AV_OK;
}

void
io_close(int *fd)
{
	if (*fd >= 0)
		(void)close(*fd);
	*fd = -1;
}

#ifndef SOCK_CLOEXEC
static enum av_err
set_cloexec(int fd)
{
	return fcntl(fd, F_SETFD, FD_CLOEXEC) < 0 ? AV_ESYS : AV_OK;
}
#endif

enum av_err
io_socketpair(int out[2])
{
	out[0] = out[1] = -1;
#ifdef SOCK_CLOEXEC
	return socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, out) < 0 ? AV_ESYS : AV_OK;
#else
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, out) < 0)
		return AV_ESYS;
	if (set_cloexec(out[0]) != AV_OK || set_cloexec(out[1]) != AV_OK) {
		io_close(&out[0]);
		io_close(&out[1]);
		return AV_ESYS;
	}
	return AV_OK;
#endif
}

union fd_control {
	struct cmsghdr align;
	char room[CMSG_SPACE(sizeof(int) * IO_MAX_FDS)];
};

enum av_err
io_send_fds(int sock, unsigned char tag, const int *fds, size_t n)
{
	union fd_control control;
	struct iovec iov = {.iov_base = &tag, .iov_len = 1};
	struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};
	int flags = 0;
	ssize_t sent;

	if (n > IO_MAX_FDS)
		return AV_ELIMIT;
	memset(&control, 0, sizeof control);
	if (n > 0) {
		struct cmsghdr *c;

		msg.msg_control = control.room;
		msg.msg_controllen = CMSG_SPACE(sizeof(int) * n);
		c = CMSG_FIRSTHDR(&msg);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(int) * n);
		memcpy(CMSG_DATA(c), fds, sizeof(int) * n);
	}
#ifdef MSG_NOSIGNAL
	flags |= MSG_NOSIGNAL;
#endif
	do {
		sent = sendmsg(sock, &msg, flags);
	} while (sent < 0 && errno == EINTR);
	return sent == 1 ? AV_OK : AV_ESYS;
}

/* Takes the descriptors out of one control message; those beyond `room` are closed and counted. */
static void
take_fds(const struct cmsghdr *c, int *fds, size_t room, size_t *have, size_t *extra)
{
	const unsigned char *data = CMSG_DATA(c);
	size_t count = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);

	for (size_t i = 0; i < count; i++) {
		int fd;

		memcpy(&fd, data + i * sizeof(int), sizeof fd);
		if (*have < room) {
#ifndef MSG_CMSG_CLOEXEC
			(void)set_cloexec(fd);
#endif
			fds[(*have)++] = fd;
		} else {
			io_close(&fd);
			(*extra)++;
		}
	}
}

enum av_err
io_recv_fds(int sock, unsigned char *tag, int *fds, size_t *n)
{
	union fd_control control;
	struct iovec iov = {.iov_base = tag, .iov_len = 1};
	struct msghdr msg = {.msg_iov = &iov,
	    .msg_iovlen = 1,
	    .msg_control = control.room,
	    .msg_controllen = sizeof control.room};
	size_t room = *n, have = 0, extra = 0;
	int flags = 0;
	ssize_t got;

	*n = 0;
	memset(&control, 0, sizeof control);
#ifdef MSG_CMSG_CLOEXEC
	flags |= MSG_CMSG_CLOEXEC;
#endif
	do {
		got = recvmsg(sock, &msg, flags);
	} while (got < 0 && errno == EINTR);
	if (got < 0)
		return errno == ECONNRESET ? AV_ETRUNC : AV_ESYS;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&msg); c != NULL; c = CMSG_NXTHDR(&msg, c))
		if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS)
			take_fds(c, fds, room, &have, &extra);
	if (got == 1 && extra == 0 && (msg.msg_flags & MSG_CTRUNC) == 0) {
		*n = have;
		return AV_OK;
	}
	for (size_t i = 0; i < have; i++)
		io_close(&fds[i]);
	return got == 0 ? AV_ETRUNC : AV_EFORMAT;
}

enum av_err
io_peer(int sock, struct peer *out)
{
#ifdef SO_PEERCRED
	struct ucred cred;
	socklen_t len = sizeof cred;

	if (getsockopt(sock, SOL_SOCKET, SO_PEERCRED, &cred, &len) < 0 || len != sizeof cred)
		return AV_ESYS;
	out->uid = cred.uid;
	out->gid = cred.gid;
	out->pid = cred.pid;
	return AV_OK;
#else
	pid_t pid = 0;
	socklen_t len = sizeof pid;

	if (getpeereid(sock, &out->uid, &out->gid) < 0)
		return AV_ESYS;
	if (getsockopt(sock, SOL_LOCAL, LOCAL_PEERPID, &pid, &len) < 0)
		return AV_ESYS;
	out->pid = pid;
	return AV_OK;
#endif
}
