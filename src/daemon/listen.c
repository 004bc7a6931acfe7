/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/listen.h"

#include "base/io.h"
#include "base/log.h"
#include "base/str.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define BACKLOG 512
#define SHARED_GROUP "aivault"

void
listen_init(struct listen *l)
{
	memset(l, 0, sizeof(*l));
	l->lock_fd = -1;
	l->agent_fd = -1;
	l->operator_fd = -1;
}

static enum av_err
dir_of(const char *path, char *out, size_t out_len)
{
	const char *slash = strrchr(path, '/');
	size_t n;

	if (slash == NULL)
		return AV_EFORMAT;
	n = slash == path ? 1 : (size_t)(slash - path);
	if (n >= out_len)
		return AV_ELIMIT;
	memcpy(out, path, n);
	out[n] = '\0';
	return AV_OK;
}

/* A set-group-ID directory (made by `setup agent-access`) gives its group to the sockets by itself. */
static void
share_with_group(const char *path)
{
	const struct group *g = getgrnam(SHARED_GROUP);
	struct stat st;

	if (g == NULL || stat(path, &st) != 0 || st.st_gid == g->gr_gid)
		return;
	if (chown(path, (uid_t)-1, g->gr_gid) != 0)
		log_warn("cannot give %s to group %s: %s", path, SHARED_GROUP, strerror(errno));
}

static enum av_err
make_dir(const struct options *o, const char *dir, struct fault *f)
{
	struct stat st;
	bool was_there = lstat(dir, &st) == 0;
	enum av_err e = io_make_dirs(dir, o->dir_mode);

	if (e != AV_OK || lstat(dir, &st) != 0)
		return fault_set(f, e == AV_OK ? AV_ESYS : e, "socket_dir",
		    o->shared ? "Make it as root, owned by you: docs/OPERATIONS.md, \"Agents with "
		                "accounts of their own\""
		              : "Make it yourself, or choose another with --socket",
		    "the socket's directory %.200s cannot be made or is not this user's", dir);
	if (!was_there || o->dir_mode_given || o->default_dir) {
		mode_t mode = o->dir_mode | (st.st_mode & S_ISGID);
		if ((st.st_mode & 07777) != mode && chmod(dir, mode) != 0)
			return fault_set(f, AV_ESYS, "socket_dir", "",
			    "the mode of %.200s cannot be set: %s", dir, strerror(errno));
	} else if (!o->shared && (st.st_mode & 0022) != 0) {
		return fault_set(f, AV_EINVAL, "socket_dir",
		    "Take the write bits off, or choose another",
		    "others can write to the socket's directory %.200s", dir);
	}
	if (o->shared)
		share_with_group(dir);
	return AV_OK;
}

static void
write_holder(int fd, const char *state)
{
	char text[48];
	int n = snprintf(text, sizeof(text), "%ld%s\n", (long)getpid(), state);

	if (n < 0 || ftruncate(fd, 0) != 0 || pwrite(fd, text, (size_t)n, 0) != n)
		log_warn("the lock file could not be written: %s", strerror(errno));
}

static enum av_err
take_lock(int fd, const char *path, struct fault *f)
{
	char text[48] = "";
	ssize_t n;

	if (flock(fd, LOCK_EX | LOCK_NB) == 0)
		return AV_OK;
	if (errno != EWOULDBLOCK)
		return fault_set(
		    f, AV_ESYS, "lock", "", "%.200s cannot be locked: %s", path, strerror(errno));
	n = pread(fd, text, sizeof(text) - 1, 0);
	text[n < 0 ? 0 : n] = '\0';
	text[strcspn(text, "\n")] = '\0';
	if (strstr(text, " stopping") != NULL) {
		/* It ends within its own deadlines; the kernel wakes us when it does. */
		while (flock(fd, LOCK_EX) != 0) {
			if (errno != EINTR)
				return fault_set(f, AV_ESYS, "lock", "",
				    "%.200s cannot be locked: %s", path, strerror(errno));
		}
		return AV_OK;
	}
	return fault_set(f, AV_EEXISTS, "daemon_runs", "Use it, or end it with `aivault stop`",
	    "another aivaultd (pid %.20s) serves this directory already",
	    text[0] == '\0' ? "unknown" : text);
}

enum av_err
listen_lock(struct listen *l, const struct options *o, struct fault *f)
{
	char dir[PATHS_MAX];
	char path[PATHS_MAX + 16];
	enum av_err e = dir_of(o->agent_socket, dir, sizeof(dir));

	if (e != AV_OK)
		return fault_set(f, e, "socket_dir", "", "the socket's path is not usable");
	e = make_dir(o, dir, f);
	if (e != AV_OK)
		return e;
	(void)snprintf(path, sizeof(path), "%s/aivaultd.lock", dir);
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return fault_set(f, AV_ESYS, "lock", "Check who owns it",
		    "%.200s cannot be opened: %s", path, strerror(errno));
	e = take_lock(fd, path, f);
	if (e != AV_OK) {
		io_close(&fd);
		return e;
	}
	write_holder(fd, "");
	l->lock_fd = fd;
	return AV_OK;
}

/* We hold the lock, so a socket file that is there has nobody behind it. */
static enum av_err
remove_stale(const char *path, struct fault *f)
{
	struct stat st;

	if (lstat(path, &st) != 0)
		return AV_OK;
	if (!S_ISSOCK(st.st_mode))
		return fault_set(f, AV_EEXISTS, "socket_in_the_way", "Move it away",
		    "%.200s is in the way and is no socket", path);
	if (unlink(path) != 0)
		return fault_set(f, AV_ESYS, "socket_in_the_way", "",
		    "%.200s cannot be removed: %s", path, strerror(errno));
	return AV_OK;
}

static enum av_err
bind_socket(const char *path, mode_t mode, int *out, bool *made, struct fault *f)
{
	struct sockaddr_un sun = {.sun_family = AF_UNIX};
	size_t len = strlen(path);
	enum av_err e = remove_stale(path, f);
	mode_t old;
	int rc;

	if (e != AV_OK)
		return e;
	if (len >= sizeof(sun.sun_path))
		return fault_set(f, AV_ELIMIT, "socket_path_long", "Choose a shorter path",
		    "a socket's path may have %zu bytes, %.120s has %zu", sizeof(sun.sun_path) - 1,
		    path, len);
	memcpy(sun.sun_path, path, len + 1);
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	if (fd < 0)
		return fault_set(f, AV_ESYS, "socket", "", "no socket: %s", strerror(errno));
	if (fcntl(fd, F_SETFD, FD_CLOEXEC) != 0) {
		e = fault_set(f, AV_ESYS, "socket", "", "no socket: %s", strerror(errno));
		goto fail;
	}
	old = umask((mode_t)(~mode & 0777));
	rc = bind(fd, (const struct sockaddr *)&sun, sizeof(sun));
	(void)umask(old);
	if (rc != 0) {
		e = fault_set(f, AV_ESYS, "bind", "Check the directory", "cannot bind %.200s: %s",
		    path, strerror(errno));
		goto fail;
	}
	*made = true;
	if (chmod(path, mode) != 0 || listen(fd, BACKLOG) != 0) {
		e = fault_set(
		    f, AV_ESYS, "bind", "", "cannot listen on %.200s: %s", path, strerror(errno));
		goto fail;
	}
	*out = fd;
	return AV_OK;
fail:
	io_close(&fd);
	return e;
}

enum av_err
listen_open(struct listen *l, const struct options *o, struct fault *f)
{
	enum av_err e;

	memcpy(l->agent_path, o->agent_socket, sizeof(l->agent_path));
	memcpy(l->operator_path, o->operator_socket, sizeof(l->operator_path));
	e = bind_socket(l->operator_path, 0600, &l->operator_fd, &l->operator_made, f);
	if (e == AV_OK)
		e = bind_socket(l->agent_path, o->socket_mode, &l->agent_fd, &l->agent_made, f);
	if (e == AV_OK && o->shared)
		share_with_group(l->agent_path);
	return e;
}

void
listen_withdraw(struct listen *l)
{
	if (l->lock_fd >= 0)
		write_holder(l->lock_fd, " stopping");
	if (l->agent_made)
		(void)unlink(l->agent_path);
	if (l->operator_made)
		(void)unlink(l->operator_path);
	l->agent_made = false;
	l->operator_made = false;
}

void
listen_clear(struct listen *l)
{
	listen_withdraw(l);
	io_close(&l->agent_fd);
	io_close(&l->operator_fd);
	io_close(&l->lock_fd);
}
