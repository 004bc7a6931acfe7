/* SPDX-License-Identifier: Apache-2.0 */
#include "base/io.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char dir[] = "/tmp/av-io-XXXXXX";

static const char *
in_dir(char *out, size_t room, const char *name)
{
	(void)snprintf(out, room, "%s/%s", dir, name);
	return out;
}

static bool
is_cloexec(int fd)
{
	return (fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0;
}

static void
test_a_pair_is_connected_and_close_on_exec(void **state)
{
	struct buf b;
	int pair[2];
	bool again;
	size_t n;

	(void)state;
	buf_init(&b, 100);
	assert_int_equal(io_socketpair(pair), AV_OK);
	assert_true(is_cloexec(pair[0]) && is_cloexec(pair[1]));
	assert_int_equal(io_write_all(pair[0], "hello", 5), AV_OK);
	assert_int_equal(io_read_some(pair[1], &b, 3, &n, &again), AV_OK);
	assert_int_equal(n, 3);
	assert_false(again);
	assert_int_equal(io_read_some(pair[1], &b, 100, &n, &again), AV_OK);
	assert_int_equal(n, 2);
	assert_memory_equal(b.data, "hello", 5);
	assert_int_equal(io_set_nonblock(pair[1], true), AV_OK);
	assert_int_equal(io_read_some(pair[1], &b, 10, &n, &again), AV_OK);
	assert_true(again && n == 0);
	io_close(&pair[0]);
	assert_int_equal(pair[0], -1);
	io_close(&pair[0]);
	assert_int_equal(io_read_some(pair[1], &b, 10, &n, &again), AV_OK);
	assert_true(!again && n == 0);
	io_close(&pair[1]);
	buf_clear(&b);
}

static void
test_a_read_keeps_to_the_buffers_maximum(void **state)
{
	struct buf b;
	int pair[2];
	bool again;
	size_t n;

	(void)state;
	buf_init(&b, 4);
	assert_int_equal(io_socketpair(pair), AV_OK);
	assert_int_equal(io_write_all(pair[0], "abcdef", 6), AV_OK);
	assert_int_equal(io_read_some(pair[1], &b, 100, &n, &again), AV_OK);
	assert_int_equal(n, 4);
	assert_int_equal(io_read_some(pair[1], &b, 100, &n, &again), AV_ELIMIT);
	buf_consume(&b, 4);
	assert_int_equal(io_read_some(pair[1], &b, 100, &n, &again), AV_OK);
	assert_memory_equal(b.data, "ef", 2);
	io_close(&pair[0]);
	io_close(&pair[1]);
	buf_clear(&b);
}

static void
test_a_large_write_to_a_nonblocking_socket_is_whole(void **state)
{
	static char big[1u << 20];
	size_t total = 0, n;
	struct buf b;
	int pair[2];
	bool again;
	pid_t pid;

	(void)state;
	memset(big, 'w', sizeof big);
	assert_int_equal(io_socketpair(pair), AV_OK);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		io_close(&pair[1]);
		_exit(io_set_nonblock(pair[0], true) != AV_OK ||
		    io_write_all(pair[0], big, sizeof big) != AV_OK);
	}
	io_close(&pair[0]);
	buf_init(&b, 65536);
	do {
		assert_int_equal(io_read_some(pair[1], &b, 65536, &n, &again), AV_OK);
		total += n;
		buf_reset(&b);
	} while (n > 0);
	assert_int_equal(total, sizeof big);
	assert_int_equal(waitpid(pid, &(int){0}, 0), pid);
	io_close(&pair[1]);
	buf_clear(&b);
}

static void
test_descriptors_travel_with_a_tag(void **state)
{
	int pair[2], pipe_fds[2], got[4];
	unsigned char tag = 0;
	size_t n = 4;
	char c = 0;

	(void)state;
	assert_int_equal(io_socketpair(pair), AV_OK);
	assert_int_equal(pipe(pipe_fds), 0);
	assert_int_equal(io_send_fds(pair[0], 'k', pipe_fds, 2), AV_OK);
	assert_int_equal(io_send_fds(pair[0], 's', NULL, 0), AV_OK);
	assert_int_equal(io_recv_fds(pair[1], &tag, got, &n), AV_OK);
	assert_int_equal(tag, 'k');
	assert_int_equal(n, 2);
	assert_true(is_cloexec(got[0]) && is_cloexec(got[1]));
	assert_int_equal(io_write_all(got[1], "!", 1), AV_OK);
	assert_int_equal(read(pipe_fds[0], &c, 1), 1);
	assert_int_equal(c, '!');
	n = 4;
	assert_int_equal(io_recv_fds(pair[1], &tag, got + 2, &n), AV_OK);
	assert_int_equal(tag, 's');
	assert_int_equal(n, 0);
	io_close(&pair[0]);
	n = 4;
	assert_int_equal(io_recv_fds(pair[1], &tag, got + 2, &n), AV_ETRUNC);
	assert_int_equal(n, 0);
	for (size_t i = 0; i < 2; i++) {
		io_close(&got[i]);
		io_close(&pipe_fds[i]);
	}
	io_close(&pair[1]);
}

static void
test_more_descriptors_than_expected_are_closed_and_refused(void **state)
{
	int pair[2], three[3], got[4] = {-1, -1, -1, -1}, before, after;
	unsigned char tag;
	size_t n = 1;

	(void)state;
	assert_int_equal(io_socketpair(pair), AV_OK);
	for (size_t i = 0; i < 3; i++)
		three[i] = STDERR_FILENO;
	before = dup(STDERR_FILENO); /* the lowest free number, then free again */
	io_close(&(int){before});
	assert_int_equal(io_send_fds(pair[0], 'a', three, 3), AV_OK);
	assert_int_equal(io_recv_fds(pair[1], &tag, got, &n), AV_EFORMAT);
	assert_int_equal(n, 0);
	after = dup(STDERR_FILENO);
	assert_int_equal(after, before);
	io_close(&after);
	assert_int_equal(io_send_fds(pair[0], 'a', three, 5), AV_ELIMIT);
	io_close(&pair[0]);
	io_close(&pair[1]);
}

static void
test_sending_to_a_closed_peer_is_an_error_and_no_signal(void **state)
{
	int pair[2];

	(void)state;
	assert_int_equal(io_socketpair(pair), AV_OK);
	io_close(&pair[1]);
	assert_int_equal(io_send_fds(pair[0], 'R', NULL, 0), AV_ESYS);
	io_close(&pair[0]);
}

static void
test_the_peer_is_who_the_kernel_says(void **state)
{
	struct peer p = {0};
	int pair[2];

	(void)state;
	assert_int_equal(io_socketpair(pair), AV_OK);
	assert_int_equal(io_peer(pair[0], &p), AV_OK);
	assert_int_equal(p.uid, geteuid());
	assert_int_equal(p.gid, getegid());
	assert_int_equal(p.pid, getpid());
	io_close(&pair[0]);
	io_close(&pair[1]);
	assert_int_equal(io_peer(-1, &p), AV_ESYS);
}

static void
test_a_file_is_created_once_with_its_mode(void **state)
{
	char path[64];
	struct stat st;
	struct buf b;
	mode_t mask = umask(077);

	(void)state;
	in_dir(path, sizeof path, "key");
	assert_int_equal(io_create_file(AT_FDCWD, path, 0640, "content", 7), AV_OK);
	(void)umask(mask);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0640);
	assert_int_equal(io_create_file(AT_FDCWD, path, 0600, "other", 5), AV_EEXISTS);
	buf_init(&b, 100);
	assert_int_equal(io_read_file(AT_FDCWD, path, 7, &b), AV_OK);
	assert_int_equal(b.len, 7);
	assert_memory_equal(b.data, "content", 7);
	buf_clear(&b);
	assert_int_equal(unlink(path), 0);
}

static void
test_names_are_taken_below_the_directory_descriptor(void **state)
{
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct buf b;

	(void)state;
	buf_init(&b, 100);
	assert_true(fd >= 0);
	assert_int_equal(io_create_file(fd, "rel", 0600, "r", 1), AV_OK);
	assert_int_equal(io_read_file(fd, "rel", 10, &b), AV_OK);
	assert_memory_equal(b.data, "r", 1);
	assert_int_equal(unlinkat(fd, "rel", 0), 0);
	io_close(&fd);
	buf_clear(&b);
}

static void
test_reading_refuses_long_absent_linked_and_special_files(void **state)
{
	char path[64], link_path[64], fifo[64];
	struct buf b;

	(void)state;
	in_dir(path, sizeof path, "file");
	in_dir(link_path, sizeof link_path, "link");
	in_dir(fifo, sizeof fifo, "fifo");
	buf_init(&b, 100);
	assert_int_equal(buf_append_str(&b, "kept"), AV_OK);
	assert_int_equal(io_create_file(AT_FDCWD, path, 0600, "0123456789", 10), AV_OK);
	assert_int_equal(symlink(path, link_path), 0);
	assert_int_equal(mkfifo(fifo, 0600), 0);
	assert_int_equal(io_read_file(AT_FDCWD, path, 9, &b), AV_ELIMIT);
	assert_int_equal(io_read_file(AT_FDCWD, link_path, 100, &b), AV_ESYS);
	assert_int_equal(io_read_file(AT_FDCWD, fifo, 100, &b), AV_ESYS);
	assert_int_equal(io_read_file(AT_FDCWD, dir, 100, &b), AV_ESYS);
	assert_int_equal(io_read_file(AT_FDCWD, "/nonexistent/x", 100, &b), AV_ENOTFOUND);
	assert_int_equal(b.len, 4);
	assert_int_equal(buf_err(&b), AV_OK);
	buf_clear(&b);
	buf_init(&b, 6);
	assert_int_equal(io_read_file(AT_FDCWD, path, 100, &b), AV_ELIMIT);
	assert_int_equal(b.len, 0);
	buf_clear(&b);
	assert_int_equal(unlink(path) | unlink(link_path) | unlink(fifo), 0);
}

static void
test_a_file_without_a_size_is_limited_as_well(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 1u << 20);
	assert_int_equal(io_read_file(AT_FDCWD, "/proc/self/status", 1u << 20, &b), AV_OK);
	assert_true(b.len > 100);
	buf_reset(&b);
	assert_int_equal(io_read_file(AT_FDCWD, "/proc/self/status", 100, &b), AV_ELIMIT);
	assert_int_equal(b.len, 0);
	buf_clear(&b);
}

static void
test_an_empty_file_is_fine(void **state)
{
	char path[64];
	struct buf b;

	(void)state;
	in_dir(path, sizeof path, "empty");
	buf_init(&b, 10);
	assert_int_equal(io_create_file(AT_FDCWD, path, 0600, NULL, 0), AV_OK);
	assert_int_equal(io_read_file(AT_FDCWD, path, 0, &b), AV_OK);
	assert_int_equal(b.len, 0);
	assert_int_equal(unlink(path), 0);
	buf_clear(&b);
}

static void
test_directories_are_made_with_their_mode(void **state)
{
	char path[96], file[96];
	struct stat st;
	mode_t mask = umask(077);

	(void)state;
	in_dir(path, sizeof path, "a//b/c/");
	assert_int_equal(io_make_dirs(path, 0750), AV_OK);
	assert_int_equal(io_make_dirs(path, 0700), AV_OK);
	(void)umask(mask);
	in_dir(path, sizeof path, "a/b");
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0750);
	in_dir(file, sizeof file, "a/file");
	assert_int_equal(io_create_file(AT_FDCWD, file, 0600, "x", 1), AV_OK);
	assert_int_equal(io_make_dirs(file, 0700), AV_ESYS);
	in_dir(path, sizeof path, "a/file/x");
	assert_int_equal(io_make_dirs(path, 0700), AV_ESYS);
	assert_int_equal(io_make_dirs("", 0700), AV_ELIMIT);
	assert_int_equal(unlink(file), 0);
	assert_int_equal(rmdir(in_dir(path, sizeof path, "a/b/c")), 0);
	assert_int_equal(rmdir(in_dir(path, sizeof path, "a/b")), 0);
	assert_int_equal(rmdir(in_dir(path, sizeof path, "a")), 0);
}

static void
test_a_directory_of_another_user_is_refused(void **state)
{
	char path[64];

	(void)state;
	if (geteuid() != 0) {
		assert_int_equal(io_make_dirs("/", 0700), AV_ESYS);
		return;
	}
	in_dir(path, sizeof path, "foreign");
	assert_int_equal(mkdir(path, 0700), 0);
	assert_int_equal(chown(path, 12345, 12345), 0);
	assert_int_equal(io_make_dirs(path, 0700), AV_ESYS);
	assert_int_equal(rmdir(path), 0);
}

static int
make_dir(void **state)
{
	(void)state;
	return mkdtemp(dir) == NULL ? -1 : 0;
}

static int
remove_dir(void **state)
{
	(void)state;
	return rmdir(dir);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_a_pair_is_connected_and_close_on_exec),
	    cmocka_unit_test(test_a_read_keeps_to_the_buffers_maximum),
	    cmocka_unit_test(test_a_large_write_to_a_nonblocking_socket_is_whole),
	    cmocka_unit_test(test_descriptors_travel_with_a_tag),
	    cmocka_unit_test(test_more_descriptors_than_expected_are_closed_and_refused),
	    cmocka_unit_test(test_sending_to_a_closed_peer_is_an_error_and_no_signal),
	    cmocka_unit_test(test_the_peer_is_who_the_kernel_says),
	    cmocka_unit_test(test_a_file_is_created_once_with_its_mode),
	    cmocka_unit_test(test_names_are_taken_below_the_directory_descriptor),
	    cmocka_unit_test(test_reading_refuses_long_absent_linked_and_special_files),
	    cmocka_unit_test(test_a_file_without_a_size_is_limited_as_well),
	    cmocka_unit_test(test_an_empty_file_is_fine),
	    cmocka_unit_test(test_directories_are_made_with_their_mode),
	    cmocka_unit_test(test_a_directory_of_another_user_is_refused),
	};

	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
