/* SPDX-License-Identifier: Apache-2.0 */
#include "base/landlock.h"

#ifdef __linux__

#include "base/io.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The kernel grows this structure; older headers know only its first field. Rights by version:
 * 1: the first 13; 2: REFER; 3: TRUNCATE; 4: network; 5: IOCTL_DEV; 6: scopes. */
struct ruleset_attr {
	uint64_t handled_access_fs;
	uint64_t handled_access_net;
	uint64_t scoped;
};
#define FS_VERSION_1 ((1ull << 13) - 1)
#define FS_REFER (1ull << 13)
#define FS_TRUNCATE (1ull << 14)
#define FS_IOCTL_DEV (1ull << 15)
#define SCOPE_ABSTRACT_UNIX (1ull << 0)
#define SCOPE_SIGNAL (1ull << 1)

static size_t
attr_for(long version, struct ruleset_attr *a)
{
	*a = (struct ruleset_attr){.handled_access_fs = FS_VERSION_1};
	if (version >= 2)
		a->handled_access_fs |= FS_REFER;
	if (version >= 3)
		a->handled_access_fs |= FS_TRUNCATE;
	if (version >= 5)
		a->handled_access_fs |= FS_IOCTL_DEV;
	if (version < 6)
		return sizeof a->handled_access_fs;
	a->scoped = SCOPE_ABSTRACT_UNIX | SCOPE_SIGNAL;
	return sizeof *a;
}

static enum av_err
allow_read(int ruleset, const char *path)
{
	struct landlock_path_beneath_attr rule = {0};
	enum av_err e = AV_OK;
	struct stat st;
	int fd = open(path, O_PATH | O_CLOEXEC);

	if (fd < 0)
		return errno == ENOENT || errno == ENOTDIR || errno == EACCES ? AV_OK : AV_ESYS;
	if (fstat(fd, &st) < 0) {
		io_close(&fd);
		return AV_ESYS;
	}
	rule.parent_fd = fd;
	rule.allowed_access = LANDLOCK_ACCESS_FS_READ_FILE;
	if (S_ISDIR(st.st_mode))
		rule.allowed_access |= LANDLOCK_ACCESS_FS_READ_DIR;
	/* EBADFD: a memory file, reached through /proc/self/fd; Landlock never stands before those. */
	if (syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) < 0 &&
	    errno != EBADFD)
		e = AV_ESYS;
	io_close(&fd);
	return e;
}

enum av_err
landlock_read_only(const char *const *paths, size_t count, bool *on)
{
	long version =
	    syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
	struct ruleset_attr attr;
	enum av_err e = AV_OK;
	size_t size;
	int ruleset;

	*on = false;
	/* ENOSYS: not built in; EOPNOTSUPP: switched off at boot. Containers answer EPERM. */
	if (version < 1)
		return AV_OK;
	size = attr_for(version, &attr);
	ruleset = (int)syscall(SYS_landlock_create_ruleset, &attr, size, 0);
	if (ruleset < 0)
		return AV_ESYS;
	for (size_t i = 0; e == AV_OK && i < count; i++)
		if (paths[i] != NULL)
			e = allow_read(ruleset, paths[i]);
	if (e == AV_OK && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		e = AV_ESYS;
	if (e == AV_OK && syscall(SYS_landlock_restrict_self, ruleset, 0) < 0)
		e = AV_ESYS;
	io_close(&ruleset);
	*on = e == AV_OK;
	return e;
}

#else
typedef int landlock_linux_is_for_linux; /* a translation unit may not be empty */
#endif
