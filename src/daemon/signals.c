/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/signals.h"

#include "base/io.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <unistd.h>

#ifdef __linux__
#include <sys/signalfd.h>
#endif

static const int wanted[] = {SIGTERM, SIGINT, SIGHUP, SIGCHLD};

static void
note(struct signals *s, int number)
{
	switch (number) {
	case SIGTERM:
	case SIGINT:
		s->term = true;
		break;
	case SIGHUP:
		s->hup = true;
		break;
	case SIGCHLD:
		s->child = true;
		break;
	default:
		break;
	}
}

static enum av_err
ignore_sigpipe(void)
{
	struct sigaction sa = {.sa_handler = SIG_IGN};

	return sigaction(SIGPIPE, &sa, NULL) == 0 ? AV_OK : AV_ESYS;
}

#ifdef __linux__

enum av_err
signals_init(struct signals *s)
{
	sigset_t set;

	*s = (struct signals){.fd = -1};
	if (sigemptyset(&set) != 0)
		return AV_ESYS;
	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
		if (sigaddset(&set, wanted[i]) != 0)
			return AV_ESYS;
	}
	if (sigprocmask(SIG_BLOCK, &set, NULL) != 0)
		return AV_ESYS;
	s->fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return s->fd < 0 ? AV_ESYS : ignore_sigpipe();
}

void
signals_read(struct signals *s)
{
	struct signalfd_siginfo info;

	while (read(s->fd, &info, sizeof(info)) == (ssize_t)sizeof(info))
		note(s, (int)info.ssi_signo);
}

void
signals_clear(struct signals *s)
{
	io_close(&s->fd);
}

#else

/* A handler has no argument of ours to find the pipe by. */
static volatile sig_atomic_t pipe_end = -1;

static void
on_signal(int number)
{
	int saved = errno;
	unsigned char c = (unsigned char)number;

	if (write(pipe_end, &c, 1) < 0) {
		/* full: marks are pending anyway */
	}
	errno = saved;
}

enum av_err
signals_init(struct signals *s)
{
	struct sigaction sa = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
	int ends[2];

	*s = (struct signals){.fd = -1};
	if (pipe(ends) != 0)
		return AV_ESYS;
	for (int i = 0; i < 2; i++) {
		if (fcntl(ends[i], F_SETFD, FD_CLOEXEC) != 0 ||
		    io_set_nonblock(ends[i], true) != AV_OK)
			return AV_ESYS;
	}
	s->fd = ends[0];
	pipe_end = ends[1];
	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
		if (sigaction(wanted[i], &sa, NULL) != 0)
			return AV_ESYS;
	}
	return ignore_sigpipe();
}

void
signals_read(struct signals *s)
{
	unsigned char c;

	while (read(s->fd, &c, 1) == 1)
		note(s, c);
}

void
signals_clear(struct signals *s)
{
	io_close(&s->fd);
}

#endif
