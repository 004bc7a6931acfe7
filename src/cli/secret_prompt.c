/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/secret_prompt.h"

#include "base/str.h"
#include "cli/secret_line.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#define LOOK_MS 100 /* between two looks for a signal */
#define QUIET_MS 100 /* so long nothing comes: a paste is over */

static const int stopping[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP};
#define STOPPING (sizeof(stopping) / sizeof(stopping[0]))

struct prompt {
	int fd;
	const char *text;
	struct termios saved;
	sigset_t before; /* signals that were blocked */
	struct secret_line line;
};

static void
say(const char *text)
{
	(void)!write(STDERR_FILENO, text, strlen(text));
}

static enum av_err
quiet_begin(struct prompt *p, struct fault *f)
{
	struct termios quiet;
	sigset_t block;

	(void)sigemptyset(&block);
	for (size_t i = 0; i < STOPPING; i++)
		(void)sigaddset(&block, stopping[i]);
	(void)sigprocmask(SIG_BLOCK, &block, &p->before);
	quiet = p->saved;
	quiet.c_lflag &= (tcflag_t) ~(ECHO | ECHONL | ICANON | ISIG | IEXTEN);
	/* Nothing that was typed may be changed or swallowed on its way. */
	quiet.c_iflag &= (tcflag_t) ~(ICRNL | INLCR | IGNCR | ISTRIP | IXON | IXOFF);
	quiet.c_cc[VMIN] = 1;
	quiet.c_cc[VTIME] = 0;
	if (tcsetattr(p->fd, TCSAFLUSH, &quiet) != 0) {
		int saved = errno;
		(void)sigprocmask(SIG_SETMASK, &p->before, NULL);
		return fault_set(f, AV_ESYS, "terminal", "Use a file or a pipe",
		    "the echo cannot be turned off: %s", strerror(saved));
	}
	say(p->text);
	say(" (no echo): ");
	return AV_OK;
}

/* TCSAFLUSH: what is left of a paste must not be taken for commands by a shell. */
static void
quiet_end(struct prompt *p)
{
	say("\n");
	(void)tcsetattr(p->fd, TCSAFLUSH, &p->saved);
	(void)sigprocmask(SIG_SETMASK, &p->before, NULL);
}

static bool
signal_waits(void)
{
	sigset_t pending;

	if (sigpending(&pending) != 0)
		return false;
	for (size_t i = 0; i < STOPPING; i++) {
		if (sigismember(&pending, stopping[i]) == 1)
			return true;
	}
	return false;
}

/* *got: bytes were taken; false at the time's end. *over: the terminal is gone. */
static enum av_err
take_some(struct prompt *p, int ms, bool *got, bool *over)
{
	struct pollfd ready = {.fd = p->fd, .events = POLLIN};
	uint8_t room[512];
	ssize_t n;
	int rc = poll(&ready, 1, ms);

	*got = *over = false;
	if (rc == 0 || (rc < 0 && errno == EINTR))
		return AV_OK;
	n = rc < 0 ? -1 : read(p->fd, room, sizeof(room));
	if (n < 0)
		return errno == EINTR || errno == EAGAIN ? AV_OK : AV_ESYS;
	for (ssize_t i = 0; i < n; i++)
		secret_line_take(&p->line, room[i]);
	av_wipe(room, sizeof(room));
	*got = n > 0;
	*over = n == 0;
	return AV_OK;
}

/* Until the line has ended or is refused, and then until nothing more comes. */
static enum av_err
read_line(struct prompt *p, struct fault *f)
{
	bool got = false, over = false;
	enum av_err e = AV_OK;

	while (e == AV_OK && !over && p->line.state == LINE_OPEN) {
		e = take_some(p, LOOK_MS, &got, &over);
		if (e != AV_OK || !signal_waits())
			continue;
		/* Ends us here, or stops us until the terminal is ours again; what was typed is
		 * asked for anew. */
		quiet_end(p);
		buf_reset(p->line.out);
		secret_line_init(&p->line, p->line.out, p->line.max);
		e = quiet_begin(p, f);
		if (e != AV_OK)
			return e;
	}
	for (got = true; e == AV_OK && got && !over && !signal_waits();)
		e = take_some(p, QUIET_MS, &got, &over);
	if (e != AV_OK || p->line.state == LINE_OPEN)
		return fault_set(
		    f, AV_ESYS, "terminal", "Use a file or a pipe", "the terminal cannot be read");
	return AV_OK;
}

static enum av_err
verdict(const struct prompt *p, const char *file_option, struct fault *f)
{
	char remedy[96];

	(void)snprintf(remedy, sizeof(remedy), "Give such a value with --%s or by standard input",
	    file_option);
	switch (p->line.state) {
	case LINE_OPEN:
	case LINE_ENDED:
		break;
	case LINE_INTERRUPTED:
		return fault_set(
		    f, AV_EINVAL, "interrupted", "", "interrupted; nothing was stored");
	case LINE_CONTROL:
		return fault_set(f, AV_EINVAL, "control_byte", remedy,
		    "a control byte was typed or pasted; nothing was stored");
	case LINE_MORE:
		return fault_set(f, AV_EINVAL, "many_lines", remedy,
		    "more than one line was pasted; nothing was stored");
	case LINE_TOO_LONG:
		return fault_set(
		    f, AV_ELIMIT, "secret_size", "", "a secret may have %zu bytes", p->line.max);
	}
	return AV_OK;
}

enum av_err
secret_prompt(int fd, const char *prompt, const char *file_option, size_t max, struct buf *out,
    struct fault *f)
{
	struct prompt p = {.fd = fd, .text = prompt};
	enum av_err e;

	secret_line_init(&p.line, out, max);
	if (tcgetattr(fd, &p.saved) != 0)
		return fault_set(f, AV_ESYS, "terminal", "Use a file or a pipe",
		    "the terminal cannot be set up: %s", strerror(errno));
	e = quiet_begin(&p, f);
	if (e != AV_OK)
		return e;
	e = read_line(&p, f);
	quiet_end(&p);
	if (e == AV_OK)
		e = verdict(&p, file_option, f);
	if (e != AV_OK)
		buf_reset(out);
	return e;
}
