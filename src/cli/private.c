/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/private.h"

#include "base/io.h"
#include "base/paths.h"
#include "base/spawn.h"
#include "base/str.h"
#include "cli/autostart.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define ANSWER_MAX 1024u

bool
private_is_wanted(void)
{
	return str_to_bool(getenv("AIVAULTD_DISABLE"));
}

static enum av_err
spawn_private(const int *fds, pid_t *pid, struct fault *f)
{
	char program[PATHS_MAX];

	if (spawn_find_program("aivaultd", program, sizeof(program)) != AV_OK)
		return fault_set(f, AV_EUNAVAIL, "daemon_missing",
		    "Install all five programs together", "aivaultd is not beside aivault");
	const char *argv[] = {program, "--private", NULL};
	struct spawn s = {
	    .path = program,
	    .argv = (char *const *)(uintptr_t)argv,
	    .envp = autostart_environment(),
	    .fds = fds,
	    .fd_count = 3,
	    .null_stdio = true,
	    .null_stderr = true, /* what it has to say comes over its life line */
	};
	if (spawn_start(&s, pid) != AV_OK)
		return fault_set(
		    f, AV_EUNAVAIL, "spawn", "", "aivaultd cannot be started: %s", strerror(errno));
	return AV_OK;
}

/* One line: ok, or why not. */
static enum av_err
wait_answer(int life_fd, struct fault *f)
{
	struct buf answer;
	size_t n = 1;
	bool again;
	enum av_err e = AV_OK;

	buf_init(&answer, ANSWER_MAX);
	while (n > 0 && answer.len < ANSWER_MAX - 1) {
		if (io_read_some(life_fd, &answer, ANSWER_MAX - 1 - answer.len, &n, &again) !=
		        AV_OK ||
		    (answer.len > 0 && answer.data[answer.len - 1] == '\n'))
			break;
	}
	const char *text = buf_cstr(&answer);
	if (text == NULL || text[0] == '\0')
		e = fault_set(f, AV_EUNAVAIL, "daemon_failed",
		    "Run aivaultd in a terminal to see why", "the private aivaultd ended at once");
	else if (strcmp(text, "ok\n") != 0)
		e = autostart_fault(text, f);
	buf_clear(&answer);
	return e;
}

enum av_err
private_start(struct private_daemon *p, int *agent_fd, int *operator_fd, struct fault *f)
{
	int pairs[3][2] = {{-1, -1}, {-1, -1}, {-1, -1}};
	enum av_err e = AV_OK;

	*p = (struct private_daemon){.life_fd = -1};
	*agent_fd = *operator_fd = -1;
	for (size_t i = 0; e == AV_OK && i < 3; i++)
		e = io_socketpair(pairs[i]);
	if (e != AV_OK) {
		e = fault_set(f, e, "socket", "", "no sockets: %s", strerror(errno));
	} else {
		int theirs[3] = {pairs[0][1], pairs[1][1], pairs[2][1]};
		e = spawn_private(theirs, &p->pid, f);
	}
	for (size_t i = 0; i < 3; i++)
		io_close(&pairs[i][1]);
	p->life_fd = pairs[0][0];
	if (e == AV_OK)
		e = wait_answer(p->life_fd, f);
	if (e == AV_OK) {
		*agent_fd = pairs[1][0];
		*operator_fd = pairs[2][0];
		return AV_OK;
	}
	io_close(&pairs[1][0]);
	io_close(&pairs[2][0]);
	private_end(p);
	return e;
}

void
private_end(struct private_daemon *p)
{
	if (p->pid <= 0)
		return;
	io_close(&p->life_fd);
	while (waitpid(p->pid, NULL, 0) < 0 && errno == EINTR)
		continue;
	p->pid = 0;
}
