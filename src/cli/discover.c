/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/discover.h"

#include "base/io.h"
#include "base/str.h"
#include "cli/autostart.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

void
discover_make_plan(const struct discover_env *env, struct discover_plan *out)
{
	const struct paths *p = env->paths;
	bool explicit = p->explicit_socket[0] != '\0';

	memset(out, 0, sizeof(*out));
	out->first = explicit ? p->explicit_socket : p->agent_socket;
	/* A vault chosen by AIVAULT_DIR is looked for nowhere else. */
	if (!explicit && (!p->has_dir_override || p->shared_overridden))
		out->second = p->shared_socket;
	if (strcmp(out->first, p->shared_socket) == 0) {
		out->why_not = "the shared daemon does not run";
		out->remedy = "Start it, for example with: systemctl start aivaultd-shared";
	} else if (env->under_sudo) {
		out->why_not = "no daemon runs, and none is started under sudo";
		out->remedy = "Run aivault as yourself, or start aivaultd first";
	} else if (out->second != NULL && env->shared_dir_exists && !env->shared_dir_is_ours) {
		out->why_not =
		    "the shared daemon does not run, and none of your own is started beside it";
		out->remedy = "Ask its operator to start it";
	} else if (!env->autostart_on) {
		out->why_not = "no daemon runs, and autostart is disabled";
		out->remedy = "Start aivaultd, or unset AIVAULTD_AUTOSTART";
	} else {
		out->may_start = true;
	}
}

static enum av_err
dir_owner(const char *path, uid_t *out)
{
	char dir[PATHS_MAX];
	const char *slash = strrchr(path, '/');
	struct stat st;
	size_t n = slash == NULL ? 0 : (size_t)(slash - path);

	if (slash == NULL || n >= sizeof(dir))
		return AV_EFORMAT;
	memcpy(dir, path, n);
	dir[n] = '\0';
	if (stat(n == 0 ? "/" : dir, &st) != 0)
		return AV_ESYS;
	*out = st.st_uid;
	return AV_OK;
}

static enum av_err
check_peer(int fd, const char *path, struct fault *f)
{
	struct peer peer;
	uid_t owner;

	if (dir_owner(path, &owner) != AV_OK || io_peer(fd, &peer) != AV_OK)
		return fault_set(f, AV_EOPERATOR, "peer_unknown", "",
		    "it cannot be found out who serves %.200s", path);
	if (peer.uid != owner && peer.uid != 0)
		return fault_set(f, AV_EOPERATOR, "peer_not_owner",
		    "Somebody else took the socket's place: look at that process",
		    "%.160s is served by uid %lu, but its directory belongs to uid %lu", path,
		    (unsigned long)peer.uid, (unsigned long)owner);
	return AV_OK;
}

enum av_err
discover_connect(const char *path, int *out, struct fault *f)
{
	struct sockaddr_un sun = {.sun_family = AF_UNIX};
	size_t len = strlen(path);
	enum av_err e;
	int rc;

	*out = -1;
	if (len >= sizeof(sun.sun_path))
		return fault_set(f, AV_ELIMIT, "socket_path_long", "Choose a shorter one",
		    "a socket's path may have %zu bytes; this one has %zu",
		    sizeof(sun.sun_path) - 1, len);
	memcpy(sun.sun_path, path, len + 1);
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	if (fd < 0 || fcntl(fd, F_SETFD, FD_CLOEXEC) != 0) {
		io_close(&fd);
		return fault_set(f, AV_ESYS, "socket", "", "no socket: %s", strerror(errno));
	}
	do
		rc = connect(fd, (const struct sockaddr *)&sun, sizeof(sun));
	while (rc != 0 && errno == EINTR);
	if (rc != 0) {
		int code = errno;
		io_close(&fd);
		if (code == EACCES || code == EPERM)
			return fault_set(f, AV_EOPERATOR, "socket_permission",
			    "Only its owner and, for agents, the members of its group may",
			    "no permission to use %.200s", path);
		return fault_set(f,
		    code == ENOENT || code == ECONNREFUSED || code == ENOTDIR ? AV_ENOTFOUND
		                                                              : AV_ESYS,
		    "no_daemon", "", "no daemon answers on %.200s: %s", path, strerror(code));
	}
	e = check_peer(fd, path, f);
	if (e != AV_OK) {
		io_close(&fd);
		return e;
	}
	*out = fd;
	return AV_OK;
}

static bool
dir_exists(const char *path, bool *ours)
{
	uid_t owner;

	if (dir_owner(path, &owner) != AV_OK)
		return false;
	*ours = owner == geteuid();
	return true;
}

static bool
in_group(gid_t wanted)
{
	gid_t groups[256];
	int n = getgroups((int)(sizeof(groups) / sizeof(groups[0])), groups);

	for (int i = 0; i < n; i++) {
		if (groups[i] == wanted)
			return true;
	}
	return wanted == getegid();
}

/* A shared socket's directory lets its group in: who is outside of it is told how to get there. */
static void
name_group(const char *path, struct fault *f)
{
	const char *slash = strrchr(path, '/');
	const struct group *g;
	const struct passwd *user;
	char dir[PATHS_MAX];
	struct stat st;

	(void)snprintf(dir, sizeof(dir), "%.*s", slash == NULL ? 0 : (int)(slash - path), path);
	if (stat(dir, &st) != 0 || (st.st_mode & S_IXGRP) == 0 || in_group(st.st_gid))
		return;
	g = getgrgid(st.st_gid);
	user = getpwuid(geteuid());
	if (g == NULL || user == NULL)
		return;
#ifdef __APPLE__
	(void)snprintf(f->remedy, sizeof(f->remedy),
	    "As root: dseditgroup -o edit -a %.64s -t user %.64s; then log in again", user->pw_name,
	    g->gr_name);
#else
	(void)snprintf(f->remedy, sizeof(f->remedy),
	    "As root: usermod -aG %.64s %.64s; then log in again", g->gr_name, user->pw_name);
#endif
}

static enum av_err
try_socket(enum socket_kind kind, const char *agent_socket, struct found *out, struct fault *f)
{
	char operator_socket[PATHS_MAX];
	enum av_err e;

	(void)snprintf(out->agent_socket, sizeof(out->agent_socket), "%s", agent_socket);
	if (kind == SOCKET_AGENT) {
		e = discover_connect(agent_socket, &out->fd, f);
		if (e == AV_EOPERATOR && strcmp(f->reason, "socket_permission") == 0)
			name_group(agent_socket, f);
		return e;
	}
	e = paths_operator_beside(agent_socket, operator_socket, sizeof(operator_socket));
	if (e != AV_OK)
		return fault_set(
		    f, e, "socket_path_long", "", "the operator socket's path is too long");
	return discover_connect(operator_socket, &out->fd, f);
}

static bool
autostart_on(void)
{
	const char *v = getenv("AIVAULTD_AUTOSTART");

	return v == NULL || str_to_bool(v);
}

static enum av_err
start_and_connect(
    enum socket_kind kind, const struct discover_plan *plan, struct found *out, struct fault *f)
{
	struct autostart a;
	enum av_err e = autostart_lock(&a, plan->first, f);

	if (e != AV_OK)
		return e;
	/* Whoever held the lock before us may have started one. */
	e = try_socket(kind, plan->first, out, f);
	if (e == AV_ENOTFOUND) {
		e = autostart_run(&a, plan->first, f);
		out->started = e == AV_OK;
		if (e == AV_OK)
			e = try_socket(kind, plan->first, out, f);
	}
	autostart_clear(&a);
	return e;
}

static enum av_err
find(const struct paths *p, enum socket_kind kind, unsigned flags, struct found *out,
    struct fault *f)
{
	struct discover_env env = {
	    .paths = p,
	    .under_sudo = getenv("SUDO_UID") != NULL,
	    .autostart_on = autostart_on(),
	};
	struct discover_plan plan;
	enum av_err e;

	env.shared_dir_exists = dir_exists(p->shared_socket, &env.shared_dir_is_ours);
	discover_make_plan(&env, &plan);
	out->may_create = plan.may_start;
	out->why_not = plan.why_not;
	out->remedy = plan.remedy;
	e = try_socket(kind, plan.first, out, f);
	if (e != AV_ENOTFOUND)
		return e;
	if (plan.second != NULL) {
		e = try_socket(kind, plan.second, out, f);
		if (e == AV_OK)
			out->may_create = false;
		/* A shared socket that we may not use is no reason to start our own in its place. */
		if (e != AV_ENOTFOUND)
			return e;
	}
	if ((flags & FIND_START) == 0)
		return fault_set(f, AV_EUNAVAIL, "no_daemon", "", "no daemon runs");
	if (!plan.may_start)
		return fault_set(f, AV_EUNAVAIL, "no_autostart", plan.remedy, "%s", plan.why_not);
	return start_and_connect(kind, &plan, out, f);
}

static enum av_err
start_private(enum socket_kind kind, unsigned flags, struct found *out, struct fault *f)
{
	int agent_fd, operator_fd;
	enum av_err e;

	if ((flags & FIND_START) == 0)
		return fault_set(f, AV_EUNAVAIL, "no_daemon", "Unset it to reach the daemon",
		    "AIVAULTD_DISABLE is set");
	e = private_start(&out->private, &agent_fd, &operator_fd, f);
	if (e != AV_OK)
		return e;
	out->started = true;
	out->fd = kind == SOCKET_AGENT ? agent_fd : operator_fd;
	io_close(kind == SOCKET_AGENT ? &operator_fd : &agent_fd);
	return AV_OK;
}

void
discover_close(struct found *f)
{
	io_close(&f->fd);
	private_end(&f->private);
}

enum av_err
discover(enum socket_kind kind, unsigned flags, struct found *out, struct fault *f)
{
	struct paths *p;
	enum av_err e;

	memset(out, 0, sizeof(*out));
	out->fd = -1;
	if (private_is_wanted())
		return start_private(kind, flags, out, f);
	p = malloc(sizeof(*p));
	if (p == NULL)
		return fault_set(f, AV_ENOMEM, "no_memory", "", "out of memory");
	e = paths_find(p, f);
	if (e == AV_OK)
		e = find(p, kind, flags, out, f);
	free(p);
	return e;
}
