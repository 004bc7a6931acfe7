/* SPDX-License-Identifier: Apache-2.0 */
#include "base/spawn.h"

#include "base/io.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#ifdef __APPLE__
#include <mach-o/dyld.h>
#endif

#define SPAWN_MAX_FDS 8u
#define SPAWN_FIRST_FD 3
#define SPAWN_SAFE_FD 64 /* above every place in the child, so that no dup2 hits a later source */

static enum av_err
err_of(int code)
{
	errno = code;
	if (code == ENOENT || code == ENOTDIR)
		return AV_ENOTFOUND;
	return code == ENOMEM ? AV_ENOMEM : AV_ESYS;
}

static int
set_actions(posix_spawn_file_actions_t *fa, const struct spawn *s, const int *high)
{
	int rc = 0;

	if (rc == 0 && s->null_stdio)
		rc = posix_spawn_file_actions_addopen(fa, 0, "/dev/null", O_RDONLY, 0);
	if (rc == 0 && s->null_stdio)
		rc = posix_spawn_file_actions_addopen(fa, 1, "/dev/null", O_WRONLY, 0);
	if (rc == 0 && s->null_stderr)
		rc = posix_spawn_file_actions_addopen(fa, 2, "/dev/null", O_WRONLY, 0);
	for (size_t i = 0; rc == 0 && i < s->fd_count; i++)
		rc = posix_spawn_file_actions_adddup2(fa, high[i], SPAWN_FIRST_FD + (int)i);
#if defined(__GLIBC__) && defined(__GLIBC_PREREQ)
#if __GLIBC_PREREQ(2, 34)
	/* Close-on-exec covers ours; this covers what whoever started us left open. */
	if (rc == 0)
		rc =
		    posix_spawn_file_actions_addclosefrom_np(fa, SPAWN_FIRST_FD + (int)s->fd_count);
#endif
#endif
	return rc;
}

static int
set_attributes(posix_spawnattr_t *attr, const struct spawn *s)
{
	short flags = POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK;
	sigset_t all, none;
	int rc;

	(void)sigfillset(&all);
	(void)sigdelset(&all, SIGKILL);
	(void)sigdelset(&all, SIGSTOP);
	(void)sigemptyset(&none);
	if (s->new_session)
		flags |= POSIX_SPAWN_SETSID;
	rc = posix_spawnattr_setsigdefault(attr, &all);
	if (rc == 0)
		rc = posix_spawnattr_setsigmask(attr, &none);
	if (rc == 0)
		rc = posix_spawnattr_setflags(attr, flags);
	return rc;
}

enum av_err
spawn_start(const struct spawn *s, pid_t *out)
{
	posix_spawn_file_actions_t fa;
	posix_spawnattr_t attr;
	int high[SPAWN_MAX_FDS];
	size_t made = 0;
	int rc;

	if (s->path[0] != '/')
		return AV_EINVAL;
	if (s->fd_count > SPAWN_MAX_FDS)
		return AV_ELIMIT;
	rc = posix_spawn_file_actions_init(&fa);
	if (rc != 0)
		return err_of(rc);
	rc = posix_spawnattr_init(&attr);
	if (rc != 0) {
		(void)posix_spawn_file_actions_destroy(&fa);
		return err_of(rc);
	}
	for (; made < s->fd_count; made++) {
		high[made] = fcntl(s->fds[made], F_DUPFD_CLOEXEC, SPAWN_SAFE_FD);
		if (high[made] < 0) {
			rc = errno;
			goto out;
		}
	}
	rc = set_actions(&fa, s, high);
	if (rc == 0)
		rc = set_attributes(&attr, s);
	if (rc == 0)
		rc = posix_spawn(out, s->path, &fa, &attr, s->argv, s->envp);
out:
	while (made > 0)
		io_close(&high[--made]);
	(void)posix_spawnattr_destroy(&attr);
	(void)posix_spawn_file_actions_destroy(&fa);
	return rc == 0 ? AV_OK : err_of(rc);
}

enum av_err
spawn_self_dir(char *out, size_t out_len)
{
	char path[PATH_MAX];
	char *slash;
	size_t len;
#ifdef __APPLE__
	char raw[PATH_MAX];
	uint32_t raw_len = sizeof raw;

	if (_NSGetExecutablePath(raw, &raw_len) != 0)
		return AV_ELIMIT;
	if (realpath(raw, path) == NULL)
		return AV_ESYS;
#else
	ssize_t n = readlink("/proc/self/exe", path, sizeof path - 1);

	if (n < 0)
		return AV_ESYS;
	path[n] = '\0';
#endif
	slash = strrchr(path, '/');
	if (slash == NULL)
		return AV_ESYS;
	len = slash == path ? 1 : (size_t)(slash - path);
	if (len >= out_len)
		return AV_ELIMIT;
	memcpy(out, path, len);
	out[len] = '\0';
	return AV_OK;
}

static bool
is_program(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISREG(st.st_mode) && access(path, X_OK) == 0;
}

enum av_err
spawn_find_program(const char *name, char *out, size_t out_len)
{
	static const char *const places[] = {"", "/../libexec", "/../libexec/aivault"};
	char dir[PATH_MAX];
	enum av_err e = spawn_self_dir(dir, sizeof dir);

	if (e != AV_OK)
		return e;
	if (strchr(name, '/') != NULL)
		return AV_EINVAL;
	for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
		int n = snprintf(out, out_len, "%s%s/%s", dir, places[i], name);

		if (n < 0 || (size_t)n >= out_len)
			return AV_ELIMIT;
		if (is_program(out))
			return AV_OK;
	}
	return AV_ENOTFOUND;
}
