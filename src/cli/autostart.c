/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/autostart.h"

#include "base/buf.h"
#include "base/io.h"
#include "base/paths.h"
#include "base/spawn.h"
#include "base/str.h"
#include "cli/print.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define IDLE_EXIT "1800"
#define ANSWER_MAX 1024u

extern char **environ;

enum av_err
autostart_lock(struct autostart *a, const char *agent_socket, struct fault *f)
{
	char dir[PATHS_MAX];
	char path[PATHS_MAX + 32];
	const char *slash = strrchr(agent_socket, '/');
	size_t n = slash == NULL ? 0 : (size_t)(slash - agent_socket);

	a->lock_fd = -1;
	if (n == 0 || n >= sizeof(dir) || agent_socket[0] != '/')
		return fault_set(f, AV_EINVAL, "socket_path", "Give an absolute path",
		    "the socket's path is not usable");
	memcpy(dir, agent_socket, n);
	dir[n] = '\0';
	if (io_make_dirs(dir, 0700) != AV_OK)
		return fault_set(f, AV_ESYS, "socket_dir", "Check who owns it and its parents",
		    "the directory %.200s cannot be made or is not yours", dir);
	(void)snprintf(path, sizeof(path), "%s/autostart.lock", dir);
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return fault_set(
		    f, AV_ESYS, "lock", "", "%.200s cannot be opened: %s", path, strerror(errno));
	while (flock(fd, LOCK_EX) != 0) {
		if (errno == EINTR)
			continue;
		enum av_err e = fault_set(
		    f, AV_ESYS, "lock", "", "%.200s cannot be locked: %s", path, strerror(errno));
		io_close(&fd);
		return e;
	}
	a->lock_fd = fd;
	return AV_OK;
}

enum av_err
autostart_fault(const char *text, struct fault *f)
{
	const char *colon = strstr(text, ": ");
	enum av_err err = AV_EUNAVAIL;

	if (colon != NULL) {
		struct str code = {text, (size_t)(colon - text)};
		if (str_eq_cstr(code, "not_supported"))
			return fault_set(f, AV_ENOTSUP, "daemon_failed", "", "%s", colon + 2);
		for (int e = AV_OK + 1; e < AV_ERR_COUNT; e++) {
			if (str_eq_cstr(code, av_err_code((enum av_err)e))) {
				/* Several errors share a code; any of them prints the same one. */
				err = (enum av_err)e;
				text = colon + 2;
				break;
			}
		}
	}
	return fault_set(f, err == AV_EUSAGE ? AV_EINVAL : err, "daemon_failed", "", "%s", text);
}

char **
autostart_environment(void)
{
	static const char name[] = "AIVAULT_DISABLE_DISK_LOGS";

	if (str_to_bool(getenv(name)))
		print_note(STR_LIT("AIVAULT_DISABLE_DISK_LOGS counts only for an aivaultd that you "
		                   "start yourself"));
	(void)unsetenv(name);
	return environ;
}

static enum av_err
spawn_daemon(const char *agent_socket, int ready_fd, pid_t *pid, struct fault *f)
{
	char program[PATHS_MAX];
	const char *idle = getenv("AIVAULTD_IDLE_EXIT");
	enum av_err e = spawn_find_program("aivaultd", program, sizeof(program));

	if (e != AV_OK)
		return fault_set(f, AV_EUNAVAIL, "daemon_missing",
		    "Install all five programs together", "aivaultd is not beside aivault");
	const char *argv[] = {program, "--socket", agent_socket, "--ready-fd", "3", "--idle-exit",
	    idle != NULL && idle[0] != '\0' ? idle : IDLE_EXIT, NULL};
	struct spawn s = {
	    .path = program,
	    .argv = (char *const *)(uintptr_t)argv,
	    .envp = autostart_environment(),
	    .fds = &ready_fd,
	    .fd_count = 1,
	    .new_session = true,
	    .null_stdio = true,
	    .null_stderr = true,
	};
	e = spawn_start(&s, pid);
	if (e != AV_OK)
		return fault_set(
		    f, AV_EUNAVAIL, "spawn", "", "aivaultd cannot be started: %s", strerror(errno));
	return AV_OK;
}

enum av_err
autostart_run(struct autostart *a, const char *agent_socket, struct fault *f)
{
	struct buf answer;
	int ends[2];
	pid_t pid = 0;
	bool again = false;
	size_t n = 1;
	enum av_err e;

	(void)a; /* holding it is the licence */
	if (pipe(ends) != 0)
		return fault_set(f, AV_ESYS, "pipe", "", "no pipe: %s", strerror(errno));
	buf_init(&answer, ANSWER_MAX);
	if (fcntl(ends[0], F_SETFD, FD_CLOEXEC) != 0 || fcntl(ends[1], F_SETFD, FD_CLOEXEC) != 0)
		e = fault_set(f, AV_ESYS, "pipe", "", "no pipe: %s", strerror(errno));
	else
		e = spawn_daemon(agent_socket, ends[1], &pid, f);
	io_close(&ends[1]);
	while (e == AV_OK && n > 0 && answer.len < ANSWER_MAX - 1) {
		if (io_read_some(ends[0], &answer, ANSWER_MAX - 1 - answer.len, &n, &again) !=
		    AV_OK)
			break;
	}
	io_close(&ends[0]);
	if (e == AV_OK) {
		const char *text = buf_cstr(&answer);
		if (text == NULL || strcmp(text, "ok\n") != 0) {
			/* It ends by itself; this keeps no zombie behind. */
			(void)waitpid(pid, NULL, 0);
			e = text == NULL || text[0] == '\0'
			    ? fault_set(f, AV_EUNAVAIL, "daemon_failed",
			          "Run aivaultd in a terminal to see why", "aivaultd ended at once")
			    : autostart_fault(text, f);
		}
	}
	buf_clear(&answer);
	return e;
}

void
autostart_clear(struct autostart *a)
{
	io_close(&a->lock_fd);
}
