/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/command.h"
#include "cli/json_args.h"
#include "cli/operator.h"
#include "cli/print.h"

#include "base/io.h"
#include "base/spawn.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define RESULT_MAX (1024u * 1024u)

static const struct option no_options[] = {{NULL, NULL, false, NULL}};

/* The keeper ends its side when it ends. */
static void
wait_for_end(int fd)
{
	char c[64];
	ssize_t n;

	do
		n = read(fd, c, sizeof(c));
	while (n > 0 || (n < 0 && errno == EINTR));
}

/* Until the process is gone. Not by its lock: the next daemon may have that at once. */
static void
wait_for_process(pid_t pid)
{
#ifdef SYS_pidfd_open
	struct pollfd p = {.fd = (int)syscall(SYS_pidfd_open, pid, 0), .events = POLLIN};

	while (p.fd >= 0 && poll(&p, 1, -1) < 0 && errno == EINTR)
		;
	io_close(&p.fd);
#else
	const struct timespec tick = {0, 5000000};

	while (kill(pid, 0) == 0)
		(void)nanosleep(&tick, NULL);
#endif
}

static int
print_pairs(const char *word, const char *agent_socket, const char *program)
{
	cJSON *o = cJSON_CreateObject();
	char *text;
	int rc = 1;

	(void)cJSON_AddTrueToObject(o, word);
	(void)cJSON_AddStringToObject(o, "socket", agent_socket);
	if (program != NULL)
		(void)cJSON_AddStringToObject(o, "daemonPath", program);
	text = cJSON_PrintUnformatted(o);
	if (text != NULL)
		rc = print_json(str_of(text));
	cJSON_free(text);
	cJSON_Delete(o);
	return rc;
}

static int
run_stop(struct args *a)
{
	struct fault f = {0};
	struct found found;
	struct buf result;
	struct peer daemon;
	int rc;

	(void)a;
	if (discover(SOCKET_OPERATOR, 0, &found, &f) != AV_OK)
		return print_fault(&f);
	/* The socket was bound by the supervisor, so its peer is the supervisor. */
	if (io_peer(found.fd, &daemon) != AV_OK)
		daemon.pid = 0;
	buf_init(&result, RESULT_MAX);
	if (operator_call(found.fd, "daemon.stop", "{}", (struct str){NULL, 0}, &result, &f) ==
	    AV_OK) {
		wait_for_end(found.fd);
		if (daemon.pid > 0)
			wait_for_process(daemon.pid);
		rc = print_pairs("stopped", found.agent_socket, NULL);
	} else {
		rc = print_fault(&f);
	}
	discover_close(&found);
	buf_clear(&result);
	return rc;
}

const struct command cmd_stop = {
    .name = "stop",
    .alias = "",
    .arguments = "",
    .about = "End the daemon; calls that run get 10 seconds",
    .options = no_options,
    .run = run_stop,
};

/* The sockets stay bound over a restart: a call made now waits for the new keeper. */
static enum av_err
restart_running(struct found *found, struct fault *f)
{
	struct buf result;
	struct found again;
	enum av_err e;

	buf_init(&result, RESULT_MAX);
	e = operator_call(found->fd, "daemon.restart", "{}", (struct str){NULL, 0}, &result, f);
	if (e == AV_OK) {
		wait_for_end(found->fd);
		buf_reset(&result);
		e = discover(SOCKET_OPERATOR, 0, &again, f);
		if (e == AV_OK)
			e = operator_call(
			    again.fd, "status", "{}", (struct str){NULL, 0}, &result, f);
		discover_close(&again);
	}
	buf_clear(&result);
	return e;
}

static int
run_restart(struct args *a)
{
	struct fault f = {0};
	struct found found;
	char program[PATHS_MAX] = "";
	enum av_err e;

	(void)a;
	if (private_is_wanted())
		return print_failure("vault_unavailable",
		    "AIVAULTD_DISABLE is set: there is nothing to restart",
		    "Unset it to reach the daemon");
	e = discover(SOCKET_OPERATOR, FIND_START, &found, &f);
	if (e == AV_OK && !found.started)
		e = restart_running(&found, &f);
	discover_close(&found);
	if (e != AV_OK)
		return print_fault(&f);
	if (spawn_find_program("aivaultd", program, sizeof(program)) != AV_OK)
		program[0] = '\0';
	return print_pairs("restarted", found.agent_socket, program);
}

const struct command cmd_restart = {
    .name = "restart",
    .alias = "",
    .arguments = "",
    .about = "Start keeper, judge and broker anew; start the daemon where none runs",
    .options = no_options,
    .run = run_restart,
};
