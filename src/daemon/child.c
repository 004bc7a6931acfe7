/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/child.h"

#include "base/io.h"
#include "base/spawn.h"
#include "wire/control.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define KEPT_MAX (64u * 1024u)
#define ERROR_READ 4096u
/* What a pipe holds where nobody made it larger, so that the last words of the dead are all read. */
#define ERROR_READS_MAX (64u * 1024u / ERROR_READ)
#define ARGS_MAX 16
#define PROGRAM_PATH_MAX 1024

static const char *const names[ROLE_COUNT] = {"keeper", "policy", "broker"};
static const char *const programs[ROLE_COUNT] = {
    "aivault-keeper", "aivault-policy", "aivault-broker"};

const char *
role_name(enum role r)
{
	return names[r];
}

void
child_init(struct child *c, enum role role)
{
	memset(c, 0, sizeof(*c));
	c->role = role;
	c->control_fd = -1;
	c->error_fd = -1;
	buf_init(&c->kept, KEPT_MAX);
}

static enum av_err
close_on_exec_pipe(int out[2])
{
	if (pipe(out) != 0)
		return AV_ESYS;
	for (int i = 0; i < 2; i++) {
		if (fcntl(out[i], F_SETFD, FD_CLOEXEC) != 0) {
			io_close(&out[0]);
			io_close(&out[1]);
			return AV_ESYS;
		}
	}
	return AV_OK;
}

/* spawn.h passes our descriptor 2 on, so it is exchanged for the time of the call. */
static enum av_err
spawn_with_stderr(const struct spawn *s, int error_fd, pid_t *pid)
{
	int saved = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 10);
	enum av_err e = AV_ESYS;

	if (saved < 0)
		return AV_ESYS;
	if (dup2(error_fd, STDERR_FILENO) >= 0)
		e = spawn_start(s, pid);
	if (dup2(saved, STDERR_FILENO) < 0)
		e = e == AV_OK ? AV_OK : AV_ESYS;
	io_close(&saved);
	return e;
}

enum av_err
child_start(struct child *c, const char *const *args, struct fault *f)
{
	char path[PROGRAM_PATH_MAX];
	char *argv[ARGS_MAX + 2];
	int control[2] = {-1, -1};
	int errors[2] = {-1, -1};
	char **env = NULL;
	size_t n = 0;
	enum av_err e = spawn_find_program(programs[c->role], path, sizeof(path));

	if (e != AV_OK)
		return fault_set(f, e, "program_missing", "Install all five programs together",
		    "%s is not beside aivaultd nor in ../libexec", programs[c->role]);
	argv[n++] = path;
	for (; args != NULL && *args != NULL && n <= ARGS_MAX; args++)
		argv[n++] = (char *)(uintptr_t)*args;
	argv[n] = NULL;
	env = child_environment(c->role);
	e = env == NULL ? AV_ENOMEM : io_socketpair(control);
	if (e == AV_OK)
		e = close_on_exec_pipe(errors);
	if (e == AV_OK)
		e = io_set_nonblock(control[0], true);
	if (e == AV_OK)
		e = io_set_nonblock(errors[0], true);
	if (e != AV_OK)
		goto out;
	struct spawn s = {
	    .path = path,
	    .argv = argv,
	    .envp = env,
	    .fds = &control[1],
	    .fd_count = 1,
	    .null_stdio = true,
	};
	e = spawn_with_stderr(&s, errors[1], &c->pid);
	if (e != AV_OK)
		goto out;
	c->control_fd = control[0];
	c->error_fd = errors[0];
	c->ready = false;
	c->busy = false;
	buf_clear(&c->kept);
	control[0] = errors[0] = -1;
out:
	io_close(&control[0]);
	io_close(&control[1]);
	io_close(&errors[0]);
	io_close(&errors[1]);
	child_environment_free(env);
	if (e != AV_OK)
		return fault_set(f, e, "spawn", "", "%s cannot be started: %s", programs[c->role],
		    strerror(errno));
	return AV_OK;
}

bool
child_tell(struct child *c, unsigned char tag, int fd)
{
	if (c->control_fd < 0)
		return false;
	return io_send_fds(c->control_fd, tag, &fd, fd >= 0 ? 1 : 0) == AV_OK;
}

size_t
child_read_tags(struct child *c, unsigned char *tags, size_t room, bool *closed)
{
	ssize_t n;

	*closed = false;
	if (c->control_fd < 0)
		return 0;
	do
		n = read(c->control_fd, tags, room);
	while (n < 0 && errno == EINTR);
	if (n > 0)
		return (size_t)n;
	*closed = n == 0 || (errno != EAGAIN && errno != EWOULDBLOCK);
	return 0;
}

static void
pass_on(const void *p, size_t len)
{
	if (len > 0 && io_write_all(STDERR_FILENO, p, len) != AV_OK) {
		/* nowhere left to say so */
	}
}

/* A taken-over child could move the cursor of the operator's terminal, or more. */
static void
show_as_text(char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)text[i];
		if ((c < 0x20 && c != '\n' && c != '\t') || c >= 0x7f)
			text[i] = '?';
	}
}

void
child_read_errors(struct child *c)
{
	char text[ERROR_READ];
	ssize_t n;

	/* One that never stops writing keeps nobody else waiting. */
	for (unsigned i = 0; c->error_fd >= 0 && i < ERROR_READS_MAX; i++) {
		n = read(c->error_fd, text, sizeof(text));
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
			return;
		if (n <= 0) {
			io_close(&c->error_fd);
			return;
		}
		show_as_text(text, (size_t)n);
		if (c->ready || buf_append(&c->kept, text, (size_t)n) != AV_OK)
			pass_on(text, (size_t)n);
	}
}

void
child_set_ready(struct child *c)
{
	c->ready = true;
	pass_on(c->kept.data, c->kept.len);
	buf_clear(&c->kept);
}

void
child_kill(struct child *c)
{
	if (c->pid > 0)
		(void)kill(c->pid, SIGKILL);
}

void
child_ended(struct child *c, int status)
{
	child_read_errors(c);
	c->pid = 0;
	c->status = status;
	c->busy = false;
	io_close(&c->control_fd);
	io_close(&c->error_fd);
}

/* What a line of the program says, without its name: "<name>: text" or "<name>[pid]: error: text". */
static struct str
words_of(struct str line, const char *program)
{
	static const char mark[] = ": error: ";
	size_t n = strlen(program);
	const char *p;

	if (line.len <= n || memcmp(line.p, program, n) != 0)
		return (struct str){NULL, 0};
	if (line.p[n] == '[') {
		p = memmem(line.p, line.len, mark, sizeof(mark) - 1);
		n = p == NULL ? line.len : (size_t)(p - line.p) + sizeof(mark) - 1;
	} else {
		n += 2;
	}
	return n >= line.len ? (struct str){NULL, 0} : (struct str){line.p + n, line.len - n};
}

static struct str
last_words(const struct buf *b, const char *program)
{
	struct str all = {(const char *)b->data, b->len};
	struct str found = {NULL, 0};

	while (all.len > 0) {
		struct str line, rest = {NULL, 0};
		if (!str_cut(all, '\n', &line, &rest))
			line = all;
		struct str words = words_of(line, program);
		if (words.len > 0)
			found = words;
		all = rest;
	}
	return found;
}

/* Takes "code: " off the front where it is one of ours. */
static enum av_err
take_code(struct str *words)
{
	struct str code, rest;

	if (!str_cut(*words, ':', &code, &rest))
		return AV_EUNAVAIL;
	for (int e = AV_OK + 1; e < AV_ERR_COUNT; e++) {
		if (e != AV_EUSAGE && str_eq_cstr(code, av_err_code((enum av_err)e))) {
			*words = str_trim(rest);
			return (enum av_err)e;
		}
	}
	return AV_EUNAVAIL;
}

enum av_err
child_fault(struct child *c, struct fault *f)
{
	struct str words = last_words(&c->kept, programs[c->role]);
	enum av_err e = AV_EUNAVAIL;

	if (words.len > 0) {
		e = take_code(&words);
		(void)fault_set(f, e, "child_failed", "", "%.*s", STR_FMT(words));
	} else if (WIFSIGNALED(c->status)) {
		(void)fault_set(f, e, "child_failed", "", "%s was ended by signal %d",
		    programs[c->role], WTERMSIG(c->status));
	} else {
		(void)fault_set(f, e, "child_failed", "", "%s ended with status %d",
		    programs[c->role], WEXITSTATUS(c->status));
	}
	if (words.len == 0)
		pass_on(c->kept.data, c->kept.len);
	buf_clear(&c->kept);
	return e;
}

void
child_clear(struct child *c)
{
	io_close(&c->control_fd);
	io_close(&c->error_fd);
	buf_clear(&c->kept);
}
