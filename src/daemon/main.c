/* SPDX-License-Identifier: Apache-2.0 */
#include "base/confine.h"
#include "base/io.h"
#include "base/log.h"
#include "daemon/listen.h"
#include "daemon/options.h"
#include "daemon/private.h"
#include "daemon/signals.h"
#include "daemon/supervise.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#define MESSAGE_MAX 800
#define DESCRIPTORS 16384u

static const char usage[] =
    "usage: aivaultd [--socket PATH] [--shared] [--idle-exit SECONDS] [--ready-fd N]\n"
    "                [--max-connections N] [--max-per-caller N]\n"
    "                [--first-byte-timeout SECONDS] [--idle-timeout SECONDS]\n"
    "                [--check-ms N] [--check-memory-bytes N]\n"
    "                [--foreground] [--version] [--help]\n"
    "\n"
    "Runs aivault's keeper, judge and broker, in the foreground, until SIGTERM.\n"
    "\n"
    "  --socket PATH             agents' socket (operator.sock stands beside it)\n"
    "  --shared                  the system-wide socket, for group aivault (0660 in 0750)\n"
    "  --idle-exit SECONDS       end after that long without a call; 0 (default): never\n"
    "  --ready-fd N              write `ok` there once all is up, or why it is not\n"
    "  --max-connections N       agents' connections at once (default 1024)\n"
    "  --max-per-caller N        of one user (default 64)\n"
    "  --first-byte-timeout S    wait for an upstream's answer (default 600)\n"
    "  --idle-timeout S          silence allowed within an answer (default 300)\n"
    "  --check-ms N              run time of a request's policies, 1 to 100 (default 5)\n"
    "  --check-memory-bytes N    memory of one script (default 8388608)\n"
    "\n"
    "AIVAULTD_SOCKET_MODE and AIVAULTD_SOCKET_DIR_MODE (octal) change the modes.\n";

static void
say_ready(void *ctx)
{
	int *fd = ctx;

	if (*fd >= 0 && io_write_all(*fd, "ok\n", 3) != AV_OK)
		log_warn("nobody reads --ready-fd");
	io_close(fd);
}

static void
say_private_ready(void *ctx)
{
	private_say(ctx, "ok\n");
}

/* Length without the full stop that some texts bring along. */
static int
bare_length(const char *s)
{
	size_t n = strlen(s);

	while (n > 0 && (s[n - 1] == '.' || s[n - 1] == '\n' || s[n - 1] == ' '))
		n--;
	return (int)n;
}

static void
format_failure(const struct fault *f, char text[MESSAGE_MAX])
{
	const char *code = f->err == AV_ENOTSUP ? "not_supported" : av_err_code(f->err);
	int remedy = bare_length(f->remedy);

	(void)snprintf(text, MESSAGE_MAX, "%s: %.*s.%s%.*s%s\n", code, bare_length(f->message),
	    f->message, remedy == 0 ? "" : " ", remedy, f->remedy, remedy == 0 ? "" : ".");
}

/* The one message: where somebody waits for it, there; else on standard error. */
static void
say_failed(int *fd, const struct fault *f)
{
	char text[MESSAGE_MAX];

	format_failure(f, text);
	if (*fd < 0 || io_write_all(*fd, text, strlen(text)) != AV_OK)
		(void)fprintf(stderr, "aivaultd: %s", text);
	io_close(fd);
}

/* A descriptor that our starter forgot to open would be taken by one of ours. */
static void
open_stdio(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	while (fd >= 0 && fd <= 2 && fcntl(fd, F_SETFD, 0) == 0);
	if (fd > 2)
		io_close(&fd);
}

static enum av_err
run(struct options *o, struct fault *f)
{
	struct confine_state confined = {0};
	struct signals s = {.fd = -1};
	struct listen l;
	enum av_err e;

	listen_init(&l);
	e = options_check_switches(f);
	if (e == AV_OK)
		e = options_resolve(o, f);
	if (e != AV_OK)
		return e;
	/* Its environment may hold the vault's key. */
	if (confine_basic(&confined) != AV_OK)
		return fault_set(
		    f, AV_ESYS, "confinement", "", "the supervisor cannot be confined");
	if (signals_init(&s) != AV_OK)
		return fault_set(f, AV_ESYS, "signals", "", "signals cannot be set up");
	e = listen_lock(&l, o, f);
	if (e == AV_OK)
		e = supervise(o, &l, &s, NULL, say_ready, &o->ready_fd, f);
	listen_clear(&l);
	signals_clear(&s);
	return e;
}

/* For one command alone: no socket, no directory, no lock but the vault's. */
static enum av_err
run_private(struct options *o, struct private *p, struct fault *f)
{
	struct confine_state confined = {0};
	struct signals s = {.fd = -1};
	struct listen none;
	enum av_err e = private_open(p, f);

	listen_init(&none);
	if (e == AV_OK)
		e = options_check_switches(f);
	if (e != AV_OK)
		return e;
	if (confine_basic(&confined) != AV_OK)
		return fault_set(
		    f, AV_ESYS, "confinement", "", "the supervisor cannot be confined");
	if (signals_init(&s) != AV_OK)
		return fault_set(f, AV_ESYS, "signals", "", "signals cannot be set up");
	e = supervise(o, &none, &s, p, say_private_ready, p, f);
	listen_clear(&none);
	signals_clear(&s);
	return e;
}

static int
main_private(struct options *o)
{
	struct private p;
	struct fault f = {0};
	char text[MESSAGE_MAX];
	enum av_err e = run_private(o, &p, &f);

	if (e != AV_OK) {
		format_failure(&f, text);
		private_say(&p, text);
	}
	private_clear(&p);
	return e == AV_OK ? 0 : av_err_exit(e) == 0 ? 1 : av_err_exit(e);
}

/* The usual 1,024 are fewer than connections and upstreams may need; the children inherit them. */
static void
raise_descriptor_limit(void)
{
	struct rlimit r;

	if (getrlimit(RLIMIT_NOFILE, &r) != 0 || r.rlim_cur >= DESCRIPTORS)
		return;
	r.rlim_cur = r.rlim_max < DESCRIPTORS ? r.rlim_max : DESCRIPTORS;
	if (setrlimit(RLIMIT_NOFILE, &r) != 0)
		log_warn("the limit of open files stays at %llu", (unsigned long long)r.rlim_cur);
}

int
main(int argc, char **argv)
{
	struct options o;
	struct fault f = {0};
	enum av_err e;

	open_stdio();
	log_open("aivaultd", LOG_LEVEL_INFO);
	e = options_parse(&o, argc, argv, &f);
	if (e == AV_OK && o.action == OPTIONS_VERSION) {
		(void)puts("aivaultd " AV_VERSION);
		return 0;
	}
	if (e == AV_OK && o.action == OPTIONS_HELP) {
		(void)fputs(usage, stdout);
		return 0;
	}
	if (o.ready_fd >= 0 && fcntl(o.ready_fd, F_SETFD, FD_CLOEXEC) != 0)
		o.ready_fd = -1;
	(void)umask(0077);
	raise_descriptor_limit();
	if (e == AV_OK && o.is_private)
		return main_private(&o);
	if (e == AV_OK)
		e = run(&o, &f);
	if (e == AV_OK)
		return 0;
	say_failed(&o.ready_fd, &f);
	return av_err_exit(e) == 0 ? 1 : av_err_exit(e);
}
