/* SPDX-License-Identifier: Apache-2.0 */
/*
 * io.h - descriptors: whole reads and writes, sockets with passed descriptors, files opened with care.
 *
 * Every descriptor that these functions make or receive is close-on-exec.
 */
#ifndef AV_BASE_IO_H
#define AV_BASE_IO_H

#include "base/buf.h"
#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

enum av_err io_write_all(int fd, const void *p, size_t len) AV_MUST_USE; /* restarts on EINTR */
/* One read of at most `want` bytes appended to b. *n is 0 at the end of the stream; AV_OK with
 * *again set when the descriptor is non-blocking and has nothing. */
enum av_err io_read_some(int fd, struct buf *b, size_t want, size_t *n, bool *again) AV_MUST_USE;
enum av_err io_set_nonblock(int fd, bool on) AV_MUST_USE;
/* AF_UNIX stream pair, close-on-exec, blocking. */
enum av_err io_socketpair(int out[2]) AV_MUST_USE;
/* One byte `tag` with `n` (0 to 4) descriptors, by SCM_RIGHTS. The caller keeps its copies. */
enum av_err io_send_fds(int sock, unsigned char tag, const int *fds, size_t n) AV_MUST_USE;
/* *n: room in, count out. AV_ETRUNC: the peer closed. AV_EFORMAT: more descriptors came than there
 * is room for (all are closed). On a non-blocking socket with nothing to read: AV_ESYS, errno EAGAIN. */
enum av_err io_recv_fds(int sock, unsigned char *tag, int *fds, size_t *n) AV_MUST_USE;
void io_close(int *fd); /* closes and sets to -1; -1 is fine */

/* Opens what somebody named as input, of whatever kind; a directory is refused (errno EISDIR). -1. */
int io_open_input(const char *path);
/* Reads the regular file `path` relative to `dirfd` (AT_FDCWD too) with O_NOFOLLOW, at most `max`
 * bytes: AV_ELIMIT over it, AV_ENOTFOUND, AV_ESYS. */
enum av_err io_read_file(int dirfd, const char *path, size_t max, struct buf *out) AV_MUST_USE;
/* Creates `path` with `mode` (AV_EEXISTS where it exists), writes, fsyncs file and directory. */
enum av_err io_create_file(
    int dirfd, const char *path, mode_t mode, const void *p, size_t len) AV_MUST_USE;
/* mkdir -p with `mode` for what it makes; the last one must be a directory of this user. */
enum av_err io_make_dirs(const char *path, mode_t mode) AV_MUST_USE;

struct peer {
	uid_t uid;
	gid_t gid;
	pid_t pid;
};
enum av_err io_peer(int sock, struct peer *out) AV_MUST_USE; /* SO_PEERCRED; getpeereid on macOS */

#endif
