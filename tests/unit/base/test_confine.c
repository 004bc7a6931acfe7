/* SPDX-License-Identifier: Apache-2.0 */
/* Every test confines a child of its own and looks at how it ends: a filter never leaves. */
#include "base/confine.h"
#include "base/io.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <asm/sockios.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* What a child tells when the kernel has no such confinement: the test is then skipped, visibly. */
#define EXIT_ABSENT 77

static int
status_of(void (*child)(void))
{
	int status = 0;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		child();
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

static void
expect_exit_0(void (*child)(void))
{
	int status = status_of(child);

	if (WIFEXITED(status) && WEXITSTATUS(status) == EXIT_ABSENT)
		skip();
	if (WIFSIGNALED(status))
		fail_msg("the child ended by signal %d", WTERMSIG(status));
	/* A failing child exits with 1 + the line that failed modulo 75. */
	assert_int_equal(WEXITSTATUS(status), 0);
}

static void
expect_sigsys(void (*child)(void))
{
	int status = status_of(child);

	if (WIFEXITED(status) && WEXITSTATUS(status) == EXIT_ABSENT)
		skip();
	if (WIFEXITED(status))
		fail_msg("the child went on to exit %d", WEXITSTATUS(status));
	assert_int_equal(WTERMSIG(status), SIGSYS);
}

/* In a child cmocka's asserts must not run on; __LINE__ is the clue. */
#define MUST(x)                                   \
	do {                                      \
		if (!(x))                         \
			_exit(__LINE__ % 75 + 1); \
	} while (0)
#define MUST_BE_REFUSED(call)                         \
	do {                                          \
		errno = 0;                            \
		MUST((call) == -1 && errno == EPERM); \
	} while (0)

/* ---- basic ---------------------------------------------------------------------------------- */

static void
basic_child(void)
{
	struct confine_state st = {0};
	struct rlimit core;

	MUST(confine_basic(&st) == AV_OK);
	MUST(st.no_new_privs && st.no_dump && !st.seccomp && !st.landlock);
	MUST(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1);
	MUST(prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 0);
	MUST(getrlimit(RLIMIT_CORE, &core) == 0 && core.rlim_cur == 0 && core.rlim_max == 0);
}

static void
test_basic_rules_out_dumps_and_new_privileges(void **state)
{
	(void)state;
	expect_exit_0(basic_child);
}

/* ---- the judge: raw calls only once the filter stands, so that no sanitizer's call is in between */

static void
become_judge(void)
{
	struct confine_state st = {0};

	MUST(confine_judge_filter(&st) == AV_OK);
	if (!st.seccomp)
		syscall(SYS_exit_group, EXIT_ABSENT);
}

static void
judge_works_child(void)
{
	int pair[2];
	char byte = 'x';
	struct pollfd p;
	void *page;

	MUST(io_socketpair(pair) == AV_OK);
	p = (struct pollfd){.fd = pair[1], .events = POLLIN};
	become_judge();
	if (syscall(SYS_write, pair[0], &byte, 1) != 1 ||
	    syscall(SYS_ppoll, &p, 1, NULL, NULL, 0) != 1 ||
	    syscall(SYS_read, pair[1], &byte, 1) != 1 ||
	    syscall(SYS_fcntl, pair[1], F_SETFL, O_NONBLOCK) != 0 ||
	    (syscall(SYS_fcntl, pair[1], F_GETFL) & O_NONBLOCK) == 0)
		syscall(SYS_exit_group, 1);
	page = (void *)syscall(
	    SYS_mmap, NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (page == MAP_FAILED || syscall(SYS_mprotect, page, 4096, PROT_READ) != 0 ||
	    syscall(SYS_munmap, page, 4096) != 0)
		syscall(SYS_exit_group, 2);
	syscall(SYS_exit_group, 0);
}

static void
judge_socket_child(void)
{
	become_judge();
	syscall(SYS_socket, AF_INET, SOCK_STREAM, 0);
	syscall(SYS_exit_group, 0);
}

static void
judge_openat_child(void)
{
	become_judge();
	syscall(SYS_openat, AT_FDCWD, "/etc/passwd", O_RDONLY, 0);
	syscall(SYS_exit_group, 0);
}

static void
judge_exec_child(void)
{
	static char *const argv[] = {(char *)(uintptr_t) "/bin/true", NULL};

	become_judge();
	syscall(SYS_execve, argv[0], argv, NULL);
	syscall(SYS_exit_group, 0);
}

static void
judge_mmap_exec_child(void)
{
	become_judge();
	syscall(SYS_mmap, NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	syscall(SYS_exit_group, 0);
}

static void
judge_mprotect_exec_child(void)
{
	long page;

	become_judge();
	page = syscall(
	    SYS_mmap, NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	syscall(SYS_mprotect, page, 4096, PROT_READ | PROT_EXEC);
	syscall(SYS_exit_group, 0);
}

static void
judge_fork_child(void)
{
	become_judge();
	syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
	syscall(SYS_exit_group, 0);
}

static void
judge_kill_child(void)
{
	long self = syscall(SYS_getpid);

	become_judge();
	syscall(SYS_kill, self, 0);
	syscall(SYS_exit_group, 0);
}

static void
judge_owner_child(void)
{
	long self = syscall(SYS_getpid);

	become_judge();
	syscall(SYS_fcntl, STDIN_FILENO, F_SETOWN, self);
	syscall(SYS_exit_group, 0);
}

static void
judge_signal_child(void)
{
	become_judge();
	syscall(SYS_fcntl, STDIN_FILENO, F_SETSIG, SIGKILL);
	syscall(SYS_exit_group, 0);
}

static void
test_judge_can_do_its_work(void **state)
{
	(void)state;
	expect_exit_0(judge_works_child);
}

static void
test_judge_dies_of_anything_else(void **state)
{
	(void)state;
	expect_sigsys(judge_socket_child);
	expect_sigsys(judge_openat_child);
	expect_sigsys(judge_exec_child);
	expect_sigsys(judge_fork_child);
	expect_sigsys(judge_kill_child);
	expect_sigsys(judge_owner_child);
	expect_sigsys(judge_signal_child);
}

static void
test_judge_gets_no_executable_memory(void **state)
{
	(void)state;
	expect_sigsys(judge_mmap_exec_child);
	expect_sigsys(judge_mprotect_exec_child);
}

#ifdef AV_SANITIZED
static void
judge_sanitized_child(void)
{
	struct confine_state st = {0};

	MUST(confine_judge(&st) == AV_OK && !st.seccomp);
	MUST(strcmp(confine_seccomp_word(&st), "off (sanitizer build)") == 0);
}
#else
static void
judge_sanitized_child(void)
{
	struct confine_state st = {0};

	MUST(confine_judge(&st) == AV_OK);
	if (!st.seccomp)
		syscall(SYS_exit_group, EXIT_ABSENT);
	MUST(strcmp(confine_seccomp_word(&st), "on") == 0);
	syscall(SYS_exit_group, 0);
}
#endif

static void
test_judge_says_whether_it_is_confined(void **state)
{
	(void)state;
	expect_exit_0(judge_sanitized_child);
}

/* ---- broker and keeper ---------------------------------------------------------------------- */

static char secret_dir[] = "/tmp/av-confine-XXXXXX";

static void
become_broker(const char *ca_path, struct confine_state *st)
{
	MUST(confine_broker(ca_path, st) == AV_OK);
	if (!st->seccomp)
		_exit(EXIT_ABSENT);
}

static void
become_keeper(void)
{
	struct confine_state st = {0};

	MUST(confine_keeper(&st) == AV_OK);
	if (!st.seccomp)
		_exit(EXIT_ABSENT);
	MUST(!st.landlock);
}

/* Above set_mempolicy_home_node, which Linux 6.1 knows as the last. */
#define BEYOND_KNOWN 451
#define FUTURE_CALL 100000

static void
denied_to_both(void)
{
	static char *const argv[] = {(char *)(uintptr_t) "/bin/true", NULL};
	struct iovec iov = {.iov_base = &iov, .iov_len = 1};
	struct f_owner_ex owner = {F_OWNER_PID, getppid()};
	struct rlimit one = {1, 1};
	int mine = getppid(), pair[2];

	MUST_BE_REFUSED(execve(argv[0], argv, NULL));
	MUST_BE_REFUSED(kill(getppid(), 0));
	MUST_BE_REFUSED(syscall(SYS_tgkill, getppid(), getppid(), 0));
	MUST_BE_REFUSED(syscall(SYS_pidfd_open, getppid(), 0));
	MUST_BE_REFUSED(process_vm_readv(getppid(), &iov, 1, &iov, 1, 0));
	MUST_BE_REFUSED(unshare(CLONE_NEWUSER));
	MUST_BE_REFUSED(mount("none", "/mnt", "tmpfs", 0, NULL));
	MUST_BE_REFUSED(syscall(SYS_bpf, 0, NULL, 0));
	MUST_BE_REFUSED(syscall(SYS_keyctl, 0, 0, 0, 0, 0));
	MUST_BE_REFUSED(syscall(SYS_io_uring_setup, 1, NULL));
	MUST_BE_REFUSED(syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0));
	MUST_BE_REFUSED(ioctl(STDIN_FILENO, TIOCSTI, "x"));
	/* The kernel would signal for it. */
	MUST_BE_REFUSED(fcntl(STDIN_FILENO, F_SETOWN, getppid()));
	MUST_BE_REFUSED(fcntl(STDIN_FILENO, F_SETOWN_EX, &owner));
	MUST_BE_REFUSED(fcntl(STDIN_FILENO, F_SETSIG, SIGKILL));
	MUST_BE_REFUSED(ioctl(STDIN_FILENO, FIOSETOWN, &mine));
	MUST_BE_REFUSED(ioctl(STDIN_FILENO, SIOCSPGRP, &mine));
	MUST(fcntl(STDIN_FILENO, F_GETFL) != -1);
	MUST_BE_REFUSED(prlimit(getppid(), RLIMIT_CPU, &one, NULL));
	MUST(prlimit(0, RLIMIT_CPU, NULL, &one) == 0);
	MUST_BE_REFUSED(setpriority(PRIO_PROCESS, (id_t)getppid(), 19));
	MUST_BE_REFUSED(socketpair(AF_UNIX, SOCK_DGRAM, 0, pair));
	MUST_BE_REFUSED(socketpair(AF_UNIX, SOCK_RAW | SOCK_CLOEXEC, 0, pair));
	MUST_BE_REFUSED(syscall(SYS_shmget, 1, 4096, 0));
	/* Named nowhere: what no one needs is refused, and what is not known is not there. */
	MUST_BE_REFUSED(syscall(SYS_memfd_create, "x", 0));
	MUST_BE_REFUSED(syscall(SYS_setxattr, "/none", "user.x", "x", 1, 0));
	MUST_BE_REFUSED(syscall(SYS_linkat, AT_FDCWD, "/none", AT_FDCWD, "/nor", 0));
	MUST_BE_REFUSED(syscall(SYS_renameat2, AT_FDCWD, "/none", AT_FDCWD, "/nor", 0));
	MUST_BE_REFUSED(syscall(SYS_utimensat, AT_FDCWD, "/none", NULL, 0));
	MUST_BE_REFUSED(syscall(SYS_truncate, "/none", 0));
	MUST_BE_REFUSED(syscall(SYS_personality, 0));
	MUST_BE_REFUSED(syscall(SYS_listen, -1, 1));
	MUST(syscall(BEYOND_KNOWN) == -1 && errno == ENOSYS);
	MUST(syscall(FUTURE_CALL) == -1 && errno == ENOSYS);
	/* Arguments that are not listed. */
	MUST_BE_REFUSED(fcntl(STDIN_FILENO, F_NOTIFY, 0));
	MUST_BE_REFUSED(ioctl(STDIN_FILENO, TCGETS, NULL));
	MUST_BE_REFUSED(socketpair(AF_INET, SOCK_STREAM, 0, pair));
	MUST_BE_REFUSED(syscall(SYS_mprotect, NULL, 4096, PROT_READ | PROT_EXEC));
	MUST_BE_REFUSED(syscall(SYS_mmap, NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
	MUST(ioctl(STDIN_FILENO, FIONREAD, NULL) != -1 || errno != EPERM);
	MUST(syscall(SYS_clone3, NULL, 0) == -1 && errno == ENOSYS);
#ifndef AV_SANITIZED
	MUST_BE_REFUSED(syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0));
	MUST_BE_REFUSED(syscall(SYS_clone, CLONE_VM | SIGCHLD, 0, 0, 0, 0));
	MUST_BE_REFUSED(prctl(PR_SET_DUMPABLE, 1, 0, 0, 0));
	MUST_BE_REFUSED(syscall(SYS_ptrace, 0, 0, 0, 0));
#endif
}

static void
broker_denied_child(void)
{
	struct confine_state st = {0};

	become_broker(NULL, &st);
	denied_to_both();
	MUST_BE_REFUSED(socket(AF_UNIX, SOCK_STREAM, 0));
	MUST_BE_REFUSED(socket(AF_PACKET, SOCK_RAW, 0));
	MUST_BE_REFUSED(socket(AF_ALG, SOCK_SEQPACKET, 0));
	MUST_BE_REFUSED(chmod("/none", 0700));
	MUST_BE_REFUSED(fchmod(-1, 0700));
	MUST_BE_REFUSED(ftruncate(-1, 0));
	MUST_BE_REFUSED(open("/dev/null", O_WRONLY | O_CLOEXEC));
	MUST_BE_REFUSED(open("/dev/null", O_RDWR | O_CLOEXEC));
	/* The upper half of the argument must not be a way round. */
	MUST_BE_REFUSED(syscall(SYS_socket, (1l << 32) | AF_UNIX, SOCK_STREAM, 0));
}

static void *
thread_body(void *arg)
{
	*(int *)arg = 1;
	return NULL;
}

static void
broker_works_child(void)
{
	struct confine_state st = {0};
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *found = NULL;
	int ran = 0, pair[2];
	pthread_t t;

	become_broker(NULL, &st);
	/* What a module of the resolver is loaded with. */
	MUST(mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE,
	         open("/etc/passwd", O_RDONLY | O_CLOEXEC), 0) != MAP_FAILED);
	MUST(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0) >= 0);
	MUST(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0) >= 0);
	MUST(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, 0) >= 0);
	MUST(io_socketpair(pair) == AV_OK); /* libcurl wakes itself with one */
	MUST(pthread_create(&t, NULL, thread_body, &ran) == 0);
	MUST(pthread_join(t, NULL) == 0 && ran == 1);
	MUST(getaddrinfo("localhost", "443", &hints, &found) == 0 && found != NULL);
	freeaddrinfo(found);
}

static void
broker_files_child(void)
{
	struct confine_state st = {0};
	char secret[64], ca[64];

	(void)snprintf(secret, sizeof secret, "%s/vault.db", secret_dir);
	(void)snprintf(ca, sizeof ca, "%s/ca.pem", secret_dir);
	become_broker(ca, &st);
	if (!st.landlock)
		_exit(EXIT_ABSENT);
	MUST(open(secret, O_RDONLY | O_CLOEXEC) == -1 && errno == EACCES);
	MUST_BE_REFUSED(open(secret, O_WRONLY | O_CLOEXEC));
	MUST(open(secret_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC) == -1 && errno == EACCES);
	MUST_BE_REFUSED(unlink(secret));
	MUST(open(ca, O_RDONLY | O_CLOEXEC) >= 0);
	MUST_BE_REFUSED(open(ca, O_WRONLY | O_CLOEXEC));
	MUST(open("/etc/passwd", O_RDONLY | O_CLOEXEC) >= 0);
	MUST_BE_REFUSED(open("/etc/av-new", O_RDONLY | O_CREAT | O_CLOEXEC, 0600));
}

/* The names of the callers' programs may be read, not what is private to another process. */
static void
broker_proc_child(void)
{
	static const char *const private[] = {
	    "mem", "environ", "maps", "auxv", "exe", "cwd", "root", "fd/0"};
	struct confine_state st = {0};
	char path[64], target[64];
	pid_t other = getppid();

	become_broker(NULL, &st);
	if (!st.landlock)
		_exit(EXIT_ABSENT);
	(void)snprintf(path, sizeof path, "/proc/%ld/comm", (long)other);
	MUST(open(path, O_RDONLY | O_CLOEXEC) >= 0);
	for (size_t i = 0; i < sizeof private / sizeof private[0]; i++) {
		(void)snprintf(path, sizeof path, "/proc/%ld/%s", (long)other, private[i]);
		MUST(open(path, O_RDONLY | O_CLOEXEC) == -1 && (errno == EACCES || errno == EPERM));
		MUST(readlink(path, target, sizeof target) == -1);
	}
}

/* A bundle of certificates that the broker put together for itself. */
static void
broker_memory_file_child(void)
{
	struct confine_state basic = {0}, st = {0};
	int fd = memfd_create("bundle", MFD_CLOEXEC);
	char path[64];

	MUST(fd >= 0);
	(void)snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	MUST(confine_basic(&basic) == AV_OK);
	become_broker(path, &st);
	MUST(open(path, O_RDONLY | O_CLOEXEC) >= 0);
}

static void
keeper_denied_child(void)
{
	become_keeper();
	denied_to_both();
	MUST_BE_REFUSED(socket(AF_UNIX, SOCK_STREAM, 0));
	MUST_BE_REFUSED(socket(AF_UNIX, SOCK_DGRAM, 0));
	MUST_BE_REFUSED(socket(AF_INET, SOCK_STREAM, 0));
	MUST_BE_REFUSED(socket(AF_INET6, SOCK_DGRAM, 0));
	MUST_BE_REFUSED(socket(AF_NETLINK, SOCK_RAW, 0));
	MUST_BE_REFUSED(socket(AF_PACKET, SOCK_RAW, 0));
	MUST_BE_REFUSED(connect(-1, NULL, 0));
	MUST_BE_REFUSED(syscall(
	    SYS_mmap, NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
}

static void
keeper_works_child(void)
{
	int ran = 0;
	pthread_t t;

	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	char path[64];
	int fd;

	(void)snprintf(path, sizeof path, "%s/new", secret_dir);
	become_keeper();
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	MUST(fd >= 0 && fcntl(fd, F_SETLK, &lock) == 0 && fcntl(fd, F_GETLK, &lock) == 0);
	MUST(pwrite(fd, "x", 1, 0) == 1 && fdatasync(fd) == 0 && fchmod(fd, 0600) == 0);
	MUST(mmap(NULL, 1, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) != MAP_FAILED);
	MUST(ftruncate(fd, 0) == 0 && fsync(fd) == 0 && unlink(path) == 0);
	MUST(pthread_create(&t, NULL, thread_body, &ran) == 0);
	MUST(pthread_join(t, NULL) == 0 && ran == 1);
}

static void
test_broker_may_not_exec_signal_or_reach_unix_sockets(void **state)
{
	(void)state;
	expect_exit_0(broker_denied_child);
}

static void
test_broker_can_resolve_connect_and_start_threads(void **state)
{
	(void)state;
	expect_exit_0(broker_works_child);
}

static void
test_broker_cannot_open_vault_or_key(void **state)
{
	(void)state;
	expect_exit_0(broker_files_child);
}

static void
test_broker_can_read_a_memory_file_of_its_own(void **state)
{
	(void)state;
	expect_exit_0(broker_memory_file_child);
}

static void
test_broker_cannot_look_into_another_process(void **state)
{
	(void)state;
	expect_exit_0(broker_proc_child);
}

static void
test_keeper_may_not_exec_signal_or_reach_the_network(void **state)
{
	(void)state;
	expect_exit_0(keeper_denied_child);
}

static void
test_keeper_can_do_its_work(void **state)
{
	(void)state;
	expect_exit_0(keeper_works_child);
}

static int
make_files(void **state)
{
	char path[64];

	(void)state;
	if (mkdtemp(secret_dir) == NULL)
		return -1;
	(void)snprintf(path, sizeof path, "%s/vault.db", secret_dir);
	if (io_create_file(AT_FDCWD, path, 0600, "x", 1) != AV_OK)
		return -1;
	(void)snprintf(path, sizeof path, "%s/ca.pem", secret_dir);
	return io_create_file(AT_FDCWD, path, 0600, "x", 1) == AV_OK ? 0 : -1;
}

static int
remove_files(void **state)
{
	char path[64];

	(void)state;
	(void)snprintf(path, sizeof path, "%s/vault.db", secret_dir);
	(void)unlink(path);
	(void)snprintf(path, sizeof path, "%s/ca.pem", secret_dir);
	(void)unlink(path);
	return rmdir(secret_dir);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_basic_rules_out_dumps_and_new_privileges),
	    cmocka_unit_test(test_judge_can_do_its_work),
	    cmocka_unit_test(test_judge_dies_of_anything_else),
	    cmocka_unit_test(test_judge_gets_no_executable_memory),
	    cmocka_unit_test(test_judge_says_whether_it_is_confined),
	    cmocka_unit_test(test_broker_may_not_exec_signal_or_reach_unix_sockets),
	    cmocka_unit_test(test_broker_can_resolve_connect_and_start_threads),
	    cmocka_unit_test(test_broker_cannot_open_vault_or_key),
	    cmocka_unit_test(test_broker_can_read_a_memory_file_of_its_own),
	    cmocka_unit_test(test_broker_cannot_look_into_another_process),
	    cmocka_unit_test(test_keeper_may_not_exec_signal_or_reach_the_network),
	    cmocka_unit_test(test_keeper_can_do_its_work),
	};

	return cmocka_run_group_tests(tests, make_files, remove_files);
}
