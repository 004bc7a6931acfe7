/* SPDX-License-Identifier: Apache-2.0 */
/* The part of io.h that has to do with files and directories. */
#include "base/io.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int
io_open_input(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;

	if (fd >= 0 && fstat(fd, &st) == 0 && S_ISDIR(st.st_mode)) {
		io_close(&fd);
		errno = EISDIR;
	}
	return fd;
}

/* Reads to the end of `fd`; the file may grow while it is read, so its size is not trusted. */
static enum av_err
read_to_end(int fd, size_t max, struct buf *out)
{
	size_t total = 0, n;
	uint8_t probe;
	ssize_t more;
	bool again;

	while (total < max && out->len < out->max) {
		size_t want = max - total < 65536 ? max - total : 65536;
		enum av_err e = io_read_some(fd, out, want, &n, &again);

		if (e != AV_OK || n == 0)
			return e;
		total += n;
	}
	do {
		more = read(fd, &probe, 1);
	} while (more < 0 && errno == EINTR);
	av_wipe(&probe, 1);
	if (more < 0)
		return AV_ESYS;
	return more == 0 ? AV_OK : AV_ELIMIT;
}

enum av_err
io_read_file(int dirfd, const char *path, size_t max, struct buf *out)
{
	size_t start = out->len;
	struct stat st;
	enum av_err e;
	/* O_NONBLOCK: a FIFO in the file's place must not hang us. */
	int fd = openat(dirfd, path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);

	if (fd < 0)
		return errno == ENOENT || errno == ENOTDIR ? AV_ENOTFOUND : AV_ESYS;
	e = AV_ESYS;
	if (fstat(fd, &st) < 0)
		goto out;
	if (!S_ISREG(st.st_mode)) {
		errno = EINVAL;
		goto out;
	}
	e = st.st_size > 0 && (uintmax_t)st.st_size > max ? AV_ELIMIT : read_to_end(fd, max, out);
	if (e != AV_OK && out->len > start) {
		av_wipe(out->data + start, out->len - start);
		out->len = start;
	}
out:
	io_close(&fd);
	return e;
}

/* The new name is on disk only when its directory is. */
static enum av_err
sync_parent(int dirfd, const char *path)
{
	char dir[PATH_MAX];
	const char *slash = strrchr(path, '/');
	size_t len = slash == NULL ? 1 : slash == path ? 1 : (size_t)(slash - path);
	enum av_err e;
	int fd;

	if (len >= sizeof dir)
		return AV_ELIMIT;
	memcpy(dir, slash == NULL ? "." : path, len);
	dir[len] = '\0';
	fd = openat(dirfd, dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return AV_ESYS;
	e = fsync(fd) < 0 ? AV_ESYS : AV_OK;
	io_close(&fd);
	return e;
}

enum av_err
io_create_file(int dirfd, const char *path, mode_t mode, const void *p, size_t len)
{
	enum av_err e = AV_ESYS;
	int fd =
	    openat(dirfd, path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode & 0600u);

	if (fd < 0)
		return errno == EEXIST ? AV_EEXISTS : AV_ESYS;
	/* Wider only once the content is whole, and free of the umask. */
	if (io_write_all(fd, p, len) == AV_OK && fchmod(fd, mode) == 0 && fsync(fd) == 0)
		e = sync_parent(dirfd, path);
	io_close(&fd);
	if (e != AV_OK)
		(void)unlinkat(dirfd, path, 0);
	return e;
}

static enum av_err
make_dir(const char *path, mode_t mode)
{
	if (mkdir(path, mode) == 0)
		return chmod(path, mode) < 0 ? AV_ESYS : AV_OK;
	return errno == EEXIST ? AV_OK : AV_ESYS;
}

enum av_err
io_make_dirs(const char *path, mode_t mode)
{
	char part[PATH_MAX];
	size_t len = strlen(path);
	struct stat st;
	enum av_err e;

	if (len == 0 || len >= sizeof part)
		return AV_ELIMIT;
	for (size_t i = 1; i <= len; i++) {
		if (i < len && (path[i] != '/' || path[i - 1] == '/'))
			continue;
		memcpy(part, path, i);
		part[i] = '\0';
		e = make_dir(part, mode);
		if (e == AV_OK)
			continue;
		/* A parent on a read-only or foreign file system is fine as long as it is there. */
		if (stat(part, &st) < 0 || !S_ISDIR(st.st_mode))
			return e;
	}
	if (stat(path, &st) < 0)
		return AV_ESYS;
	if (!S_ISDIR(st.st_mode) || st.st_uid != geteuid()) {
		errno = S_ISDIR(st.st_mode) ? EPERM : ENOTDIR;
		return AV_ESYS;
	}
	return AV_OK;
}
