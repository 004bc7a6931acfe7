/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/command.h"
#include "cli/json_args.h"
#include "cli/operator.h"
#include "cli/print.h"

#include "base/io.h"
#include "base/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
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

/* The daemon holds its lock until its very end, and the kernel wakes us then. */
static void
wait_for_lock(const char *agent_socket)
{
	char path[PATHS_MAX + 32];
	const char *slash = strrchr(agent_socket, '/');

	(void)snprintf(path, sizeof(path), "%.*s/aivaultd.lock", (int)(slash - agent_socket),
	    agent_socket);
	int fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return;
	while (flock(fd, LOCK_EX) != 0 && errno == EINTR)
		;
	io_close(&fd);
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
	int rc;

	(void)a;
	if (discover(SOCKET_OPERATOR, 0, &found, &f) != AV_OK)
		return print_fault(&f);
	buf_init(&result, RESULT_MAX);
	if (operator_call(found.fd, "daemon.stop", "{}", (struct str){NULL, 0}, &result, &f) == AV_OK) {
		wait_for_end(found.fd);
		wait_for_lock(found.agent_socket);
		rc = print_pairs("stopped", found.agent_socket, NULL);
	} else {
		rc = print_fault(&f);
	}
	io_close(&found.fd);
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
			e = operator_call(again.fd, "status", "{}", (struct str){NULL, 0}, &result, f);
		io_close(&again.fd);
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
	enum av_err e = discover(SOCKET_OPERATOR, FIND_START, &found, &f);

	(void)a;
	if (e == AV_OK && !found.started)
		e = restart_running(&found, &f);
	io_close(&found.fd);
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
