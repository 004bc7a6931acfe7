/* SPDX-License-Identifier: Apache-2.0 */
#include "base/confine.h"

#ifdef __linux__

#include "base/landlock.h"
#include "base/seccomp.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static const int judge_allowed[] = {SYS_read, SYS_readv, SYS_write, SYS_writev, SYS_ppoll,
    SYS_recvmsg, SYS_sendmsg,
#ifdef SYS_poll
    SYS_poll,
#endif
    SYS_clock_gettime, SYS_brk, SYS_munmap, SYS_mremap, SYS_futex, SYS_exit, SYS_exit_group,
    SYS_rt_sigreturn, SYS_close, SYS_madvise, SYS_getrandom, SYS_restart_syscall};

/* A descriptor's owner gets signals, by F_SETSIG any: with the rest of fcntl() the judge could kill. */
static const uint32_t judge_fcntl[] = {F_GETFD, F_SETFD, F_GETFL, F_SETFL};

/* From here on all architectures have the same numbers. What libc tries there first it can do without. */
#define FIRST_NEW_CALL 424

/* Of broker and keeper: memory, time, threads, what a descriptor at hand is good for. Some calls are here
 * for another libc, or another architecture, than those we have seen. */
static const int shared_calls[] = {SYS_read, SYS_write, SYS_readv, SYS_writev, SYS_recvmsg,
    SYS_sendmsg, SYS_recvfrom, SYS_sendto, SYS_ppoll, SYS_futex, SYS_close, SYS_clock_gettime,
#ifdef SYS_poll
    SYS_poll,
#endif
    SYS_lseek, SYS_fstat, SYS_newfstatat, SYS_statx, SYS_faccessat, SYS_readlinkat,
#ifdef SYS_stat
    SYS_stat, SYS_lstat, SYS_access, SYS_readlink,
#endif
    SYS_munmap, SYS_mremap, SYS_madvise, SYS_brk, SYS_rt_sigaction, SYS_rt_sigprocmask,
    SYS_rt_sigreturn, SYS_sigaltstack, SYS_clock_getres, SYS_clock_nanosleep, SYS_nanosleep,
    SYS_gettimeofday,
#ifdef SYS_time
    SYS_time,
#endif
    SYS_getrandom, SYS_getpid, SYS_getppid, SYS_gettid, SYS_getuid, SYS_geteuid, SYS_getgid,
    SYS_getegid, SYS_uname, SYS_sysinfo, SYS_sched_yield, SYS_sched_getaffinity, SYS_getcpu,
    SYS_set_robust_list, SYS_rseq, SYS_restart_syscall, SYS_exit, SYS_exit_group, SYS_getsockopt,
    SYS_getsockname, SYS_getpeername, SYS_accept4, SYS_shutdown};

/* Names, connections, the loop. bind() is for the resolver's netlink socket; without listen() nobody is
 * served by it. */
static const int broker_calls[] = {SYS_epoll_ctl, SYS_epoll_pwait,
#ifdef SYS_epoll_wait
    SYS_epoll_wait,
#endif
    SYS_connect, SYS_bind, SYS_setsockopt, SYS_sendmmsg, SYS_recvmmsg, SYS_eventfd2, SYS_pipe2,
    /* libc may still load a module for the resolver */
    SYS_mmap, SYS_mprotect};

/* SQLite, the key file, locked memory. */
static const int keeper_calls[] = {
    SYS_pread64,
    SYS_pwrite64,
    SYS_fdatasync,
    SYS_fsync,
    SYS_openat,
    SYS_ftruncate,
    SYS_fallocate,
    SYS_unlinkat,
    SYS_mkdirat,
    SYS_renameat,
    SYS_renameat2,
    SYS_fchmod,
    SYS_fchmodat,
    SYS_fchown,
    SYS_flock,
    SYS_getcwd,
    SYS_mlock,
    SYS_munlock,
#ifdef SYS_open
    SYS_open,
    SYS_unlink,
    SYS_mkdir,
    SYS_rename,
    SYS_chmod,
#endif
};

/* Nobody is signalled for a descriptor: F_SETOWN and F_SETSIG are not among them. */
static const uint32_t broker_fcntl[] = {F_GETFD, F_SETFD, F_GETFL, F_SETFL, F_DUPFD_CLOEXEC};
static const uint32_t keeper_fcntl[] = {
    F_GETFD, F_SETFD, F_GETFL, F_SETFL, F_DUPFD_CLOEXEC, F_GETLK, F_SETLK, F_SETLKW};

enum av_err
confine_basic(struct confine_state *st)
{
	struct rlimit none = {0, 0};

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0)
		st->no_new_privs = true;
	else if (errno != EINVAL)
		return AV_ESYS;
	/* Both: a core_pattern that is a pipe does not heed the limit. */
	if (setrlimit(RLIMIT_CORE, &none) < 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		return AV_ESYS;
	st->no_dump = true;
	return AV_OK;
}

enum av_err
confine_judge_filter(struct confine_state *st)
{
	struct seccomp_filter f;

	seccomp_begin(&f);
	seccomp_rules(&f, judge_allowed, COUNT(judge_allowed), SECCOMP_RET_ALLOW);
	for (size_t i = 0; i < COUNT(judge_fcntl); i++)
		seccomp_rule_arg(&f, SYS_fcntl, 1, judge_fcntl[i], true, SECCOMP_RET_ALLOW);
	seccomp_rule_bits(&f, SYS_mmap, 2, PROT_EXEC, SECCOMP_RET_KILL_PROCESS);
	seccomp_rule(&f, SYS_mmap, SECCOMP_RET_ALLOW);
	seccomp_rule_bits(&f, SYS_mprotect, 2, PROT_EXEC, SECCOMP_RET_KILL_PROCESS);
	seccomp_rule(&f, SYS_mprotect, SECCOMP_RET_ALLOW);
	return seccomp_install(&f, SECCOMP_RET_KILL_PROCESS, &st->seccomp);
}

enum av_err
confine_judge(struct confine_state *st)
{
#ifdef AV_SANITIZED
	(void)st;
	return AV_OK;
#else
	return confine_judge_filter(st);
#endif
}

/* A thread, and no process: glibc's flags, and musl's. */
#define THREAD_FLAGS                                                                        \
	(CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM | \
	    CLONE_SETTLS | CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID)

static void
allow_shared(struct seccomp_filter *f, const uint32_t *fcntls, size_t fcntl_count)
{
	seccomp_begin(f);
	seccomp_rules(f, shared_calls, COUNT(shared_calls), SECCOMP_RET_ALLOW);
	for (size_t i = 0; i < fcntl_count; i++)
		seccomp_rule_arg(f, SYS_fcntl, 1, fcntls[i], true, SECCOMP_RET_ALLOW);
	seccomp_rule_arg(f, SYS_clone, 0, THREAD_FLAGS, true, SECCOMP_RET_ALLOW);
	seccomp_rule_arg(f, SYS_clone, 0, THREAD_FLAGS | CLONE_DETACHED, true, SECCOMP_RET_ALLOW);
	/* Limits of its own only. */
	seccomp_rule_arg(f, SYS_prlimit64, 0, 0, true, SECCOMP_RET_ALLOW);
	/* One end of a pair of datagram sockets reaches every datagram socket that has a name. The bit
	 * tells SOCK_DGRAM and SOCK_RAW from SOCK_STREAM and SOCK_SEQPACKET. */
	seccomp_rule_bits(f, SYS_socketpair, 1, SOCK_DGRAM, SECCOMP_DENY(EPERM));
	seccomp_rule(f, SYS_socketpair, SECCOMP_RET_ALLOW);
}

static enum av_err
install(struct seccomp_filter *f, struct confine_state *st)
{
	seccomp_rule_from(f, FIRST_NEW_CALL, SECCOMP_DENY(ENOSYS));
	return seccomp_install(f, SECCOMP_DENY(EPERM), &st->seccomp);
}

/* Landlock alone is not enough below /proc: since Linux 6.13 CAP_PERFMON, so root, may read another
 * process's environment without leave to trace it, and the keeper's may hold the vault's key. */
static enum av_err
drop_capabilities(struct confine_state *st)
{
	struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {{0}};

	if (syscall(SYS_capset, &head, none) < 0)
		return AV_ESYS;
	st->no_caps = true;
	return AV_OK;
}

/* For resolving names and for TLS. resolv.conf is often a link to where a resolver's daemon writes it. */
static const char *const broker_trees[] = {"/etc", "/usr", "/lib", "/lib32", "/lib64",
    "/run/systemd/resolve", "/run/resolvconf",
    /* For the callers' program names. What is private there (memory, environment, descriptors) needs
     * leave to trace the process, which Landlock refuses. */
    "/proc"};

bool
confine_broker_could_read(const char *path)
{
	for (size_t i = 0; i < COUNT(broker_trees); i++) {
		size_t n = strlen(broker_trees[i]);

		if (strncmp(path, broker_trees[i], n) == 0 && (path[n] == '/' || path[n] == '\0'))
			return true;
	}
	return false;
}

enum av_err
confine_broker_filter(struct confine_state *st)
{
	static const uint32_t families[] = {AF_INET, AF_INET6, AF_NETLINK};
	static const uint32_t requests[] = {FIONBIO, FIONREAD};
	struct seccomp_filter f;

	allow_shared(&f, broker_fcntl, COUNT(broker_fcntl));
	seccomp_rules(&f, broker_calls, COUNT(broker_calls), SECCOMP_RET_ALLOW);
	for (size_t i = 0; i < COUNT(families); i++)
		seccomp_rule_arg(&f, SYS_socket, 0, families[i], true, SECCOMP_RET_ALLOW);
	for (size_t i = 0; i < COUNT(requests); i++)
		seccomp_rule_arg(&f, SYS_ioctl, 1, requests[i], true, SECCOMP_RET_ALLOW);
	/* Landlock refuses it too, where the kernel has that. */
	seccomp_rule_bits(&f, SYS_openat, 2, O_WRONLY | O_RDWR | O_CREAT | O_TRUNC | O_APPEND,
	    SECCOMP_DENY(EPERM));
	seccomp_rule(&f, SYS_openat, SECCOMP_RET_ALLOW);
#ifdef SYS_open
	seccomp_rule_bits(
	    &f, SYS_open, 1, O_WRONLY | O_RDWR | O_CREAT | O_TRUNC | O_APPEND, SECCOMP_DENY(EPERM));
	seccomp_rule(&f, SYS_open, SECCOMP_RET_ALLOW);
#endif
	return install(&f, st);
}

enum av_err
confine_broker(const char *ca_path, struct confine_state *st)
{
	const char *readable[COUNT(broker_trees) + 4] = {
	    "/run/NetworkManager/resolv.conf", "/dev/null", "/dev/urandom", ca_path};
	enum av_err e;

	memcpy(readable + 4, broker_trees, sizeof(broker_trees));
	e = landlock_read_only(readable, COUNT(readable), &st->landlock);
	if (e == AV_OK)
		e = drop_capabilities(st);
#ifndef AV_SANITIZED
	if (e == AV_OK)
		e = confine_broker_filter(st);
#endif
	return e;
}

enum av_err
confine_keeper_filter(struct confine_state *st)
{
	struct seccomp_filter f;

	allow_shared(&f, keeper_fcntl, COUNT(keeper_fcntl));
	seccomp_rules(&f, keeper_calls, COUNT(keeper_calls), SECCOMP_RET_ALLOW);
	seccomp_rule_bits(&f, SYS_mmap, 2, PROT_EXEC, SECCOMP_DENY(EPERM));
	seccomp_rule(&f, SYS_mmap, SECCOMP_RET_ALLOW);
	seccomp_rule_bits(&f, SYS_mprotect, 2, PROT_EXEC, SECCOMP_DENY(EPERM));
	seccomp_rule(&f, SYS_mprotect, SECCOMP_RET_ALLOW);
	return install(&f, st);
}

enum av_err
confine_keeper(struct confine_state *st)
{
#ifdef AV_SANITIZED
	(void)st;
	return AV_OK;
#else
	return confine_keeper_filter(st);
#endif
}

const char *
confine_seccomp_word(const struct confine_state *st)
{
#ifdef AV_SANITIZED
	return st->seccomp ? "on" : "off (sanitizer build)";
#else
	return st->seccomp ? "on" : "off";
#endif
}

#else
typedef int confine_linux_is_for_linux; /* a translation unit may not be empty */
#endif
