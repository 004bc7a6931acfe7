/* SPDX-License-Identifier: Apache-2.0 */
#include "base/confine.h"

#ifdef __linux__

#include "base/landlock.h"
#include "base/seccomp.h"

#include <asm/sockios.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/sockios.h>
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

/* Broker and keeper may make the calls named below and no other. What Linux 6.1 knows and is not named
 * answers EPERM. What is younger answers ENOSYS, so that a younger libc takes the way that it keeps for
 * older kernels. Numbers this high are the same on every architecture. */
#define LAST_KNOWN_CALL 450u /* set_mempolicy_home_node */

/* Since Linux 5.11 the kernel remembers which numbers are let through whatever their arguments, and does not
 * run the filter for them; so the rules on arguments are tried first, the locks of SQLite before all.
 * For older kernels the frequent ones stand first here. */
static const int both_allowed[] = {
    SYS_read,
    SYS_write,
    SYS_recvmsg,
    SYS_sendmsg,
    SYS_recvfrom,
    SYS_sendto,
    SYS_ppoll,
    SYS_futex,
    SYS_clock_gettime,
    SYS_close,
    SYS_getpid,
    SYS_getppid,
    SYS_newfstatat,
    SYS_openat,
    SYS_pread64,
    SYS_readv,
    SYS_writev,
    SYS_lseek,
    SYS_fstat,
    SYS_statx,
#ifdef SYS_poll
    /* The younger architectures have only the general form of these. */
    SYS_poll,
    SYS_open,
    SYS_stat,
    SYS_lstat,
    SYS_access,
    SYS_readlink,
    SYS_time,
#endif
    SYS_faccessat,
    SYS_readlinkat,
    SYS_getdents64,
    SYS_getcwd,
#ifdef SYS_faccessat2
    SYS_faccessat2,
#endif
    /* memory */
    SYS_brk,
    SYS_munmap,
    SYS_mremap,
    SYS_madvise,
    SYS_getrandom,
    /* connections that it holds or takes */
    SYS_accept4,
    SYS_getsockopt,
    SYS_setsockopt,
    SYS_getsockname,
    SYS_getpeername,
    SYS_shutdown,
    /* time */
    SYS_clock_getres,
    SYS_gettimeofday,
    SYS_clock_nanosleep,
    SYS_nanosleep,
    /* its own threads and signal handlers */
    SYS_rt_sigaction,
    SYS_rt_sigprocmask,
    SYS_rt_sigreturn,
    SYS_sigaltstack,
    SYS_sched_yield,
    SYS_sched_getaffinity,
    SYS_set_robust_list,
    SYS_rseq,
    SYS_restart_syscall,
    SYS_exit,
    SYS_exit_group,
    /* who and where it is */
    SYS_gettid,
    SYS_getuid,
    SYS_geteuid,
    SYS_getgid,
    SYS_getegid,
    SYS_uname,
    SYS_sysinfo,
#ifdef AV_SANITIZED
    /* The leak checker stops its own threads. */
    SYS_ptrace,
    SYS_wait4,
#ifdef SYS_getdents
    SYS_getdents,
#endif
    SYS_prctl,
    SYS_mincore,
    SYS_pipe2,
    SYS_dup,
    SYS_dup3,
#endif
};

static const int broker_allowed[] = {SYS_epoll_pwait, SYS_epoll_ctl, SYS_connect,
#ifdef SYS_epoll_wait
    SYS_epoll_wait,
#endif
    SYS_epoll_create1, SYS_eventfd2, SYS_pipe2,
    /* the resolver: netlink wants a name, two questions go out at once */
    SYS_bind, SYS_sendmmsg, SYS_recvmmsg};

/* Its database, with the journal, and memory that is not to reach a disk. */
static const int keeper_allowed[] = {SYS_pwrite64, SYS_fdatasync, SYS_fsync, SYS_ftruncate,
    SYS_fallocate, SYS_flock, SYS_unlinkat, SYS_mkdirat, SYS_fchmod, SYS_fchmodat, SYS_fchown,
#ifdef SYS_unlink
    SYS_unlink, SYS_mkdir, SYS_rmdir, SYS_chmod,
#endif
    SYS_umask, SYS_mlock, SYS_munlock};

/* Without those that make the kernel signal for it: F_SETOWN, F_SETOWN_EX, F_SETSIG. */
static const uint32_t both_fcntl[] = {F_GETFD, F_SETFD, F_GETFL, F_SETFL, F_DUPFD_CLOEXEC};
static const uint32_t keeper_fcntl[] = {F_SETLK, F_SETLKW, F_GETLK};
/* Nothing for a terminal: on standard error it would take what is pushed as typed by the operator. */
static const uint32_t both_ioctl[] = {FIONREAD, FIONBIO, FIOCLEX};
/* An interface's number, for a name server that is told with one (fe80::1%eth0). */
static const uint32_t broker_ioctl[] = {SIOCGIFINDEX};
/* The resolver asks the kernel for its addresses by netlink. AF_UNIX sockets would reach others' daemons. */
static const uint32_t broker_families[] = {AF_INET, AF_INET6, AF_NETLINK};

/* What a thread is started with; CLONE_THREAD alone rules out a new process, because the kernel
 * takes it only with CLONE_SIGHAND and CLONE_VM. */
#define THREAD_FLAGS                                                                         \
	(CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM |  \
	    CLONE_SETTLS | CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID | CLONE_CHILD_SETTID | \
	    CLONE_DETACHED)
#define OPEN_TO_WRITE (O_WRONLY | O_RDWR | O_CREAT | O_TRUNC)

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

/* `nr` is let through where argument `arg` is one of `values`. */
static void
allow_values(struct seccomp_filter *f, int nr, unsigned arg, const uint32_t *values, size_t count)
{
	for (size_t i = 0; i < count; i++)
		seccomp_rule_arg(f, nr, arg, values[i], true, SECCOMP_RET_ALLOW);
}

enum av_err
confine_judge_filter(struct confine_state *st)
{
	struct seccomp_filter f;

	seccomp_begin(&f);
	seccomp_rules(&f, judge_allowed, COUNT(judge_allowed), SECCOMP_RET_ALLOW);
	allow_values(&f, SYS_fcntl, 1, judge_fcntl, COUNT(judge_fcntl));
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

static void
allow_common(struct seccomp_filter *f)
{
	const uint32_t no = SECCOMP_DENY(EPERM);

	allow_values(f, SYS_fcntl, 1, both_fcntl, COUNT(both_fcntl));
	allow_values(f, SYS_ioctl, 1, both_ioctl, COUNT(both_ioctl));
	seccomp_rule_bits(f, SYS_mprotect, 2, PROT_EXEC, no);
	seccomp_rule(f, SYS_mprotect, SECCOMP_RET_ALLOW);
#ifdef AV_SANITIZED
	/* The leak checker's helper is a process. */
	seccomp_rule_bits(f, SYS_clone, 0, CLONE_VM, SECCOMP_RET_ALLOW);
#else
	seccomp_rule_bits(f, SYS_clone, 0, ~(uint32_t)THREAD_FLAGS, no);
	seccomp_rule_bits(f, SYS_clone, 0, CLONE_THREAD, SECCOMP_RET_ALLOW);
#endif
	/* Its flags stand in memory that a filter cannot read; libc then falls back to clone. */
	seccomp_rule(f, SYS_clone3, SECCOMP_DENY(ENOSYS));
	/* Limits of its own only; a thread's name. */
	seccomp_rule_arg(f, SYS_prlimit64, 0, 0, true, SECCOMP_RET_ALLOW);
	seccomp_rule_arg(f, SYS_prctl, 0, PR_SET_NAME, true, SECCOMP_RET_ALLOW);
	/* One end of a pair of datagram sockets reaches every datagram socket that has a name. The bit
	 * tells SOCK_DGRAM and SOCK_RAW from SOCK_STREAM and SOCK_SEQPACKET. */
	seccomp_rule_bits(f, SYS_socketpair, 1, SOCK_DGRAM, no);
	seccomp_rule_arg(f, SYS_socketpair, 0, AF_UNIX, true, SECCOMP_RET_ALLOW);
	seccomp_rules(f, both_allowed, COUNT(both_allowed), SECCOMP_RET_ALLOW);
}

static enum av_err
install_answering(struct seccomp_filter *f, bool *on)
{
	seccomp_rule_above(f, LAST_KNOWN_CALL, SECCOMP_DENY(ENOSYS));
	return seccomp_install(f, SECCOMP_DENY(EPERM), on);
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
confine_broker(const char *ca_path, struct confine_state *st)
{
	const char *readable[COUNT(broker_trees) + 4] = {
	    "/run/NetworkManager/resolv.conf", "/dev/null", "/dev/urandom", ca_path};
	struct seccomp_filter f;
	enum av_err e;

	memcpy(readable + 4, broker_trees, sizeof(broker_trees));
	e = landlock_read_only(readable, COUNT(readable), &st->landlock);
	if (e == AV_OK)
		e = drop_capabilities(st);
	if (e != AV_OK)
		return e;
	seccomp_begin(&f);
	/* Landlock refuses it too, where the kernel has it. */
	seccomp_rule_bits(&f, SYS_openat, 2, OPEN_TO_WRITE, SECCOMP_DENY(EPERM));
#ifdef SYS_open
	seccomp_rule_bits(&f, SYS_open, 1, OPEN_TO_WRITE, SECCOMP_DENY(EPERM));
#endif
	allow_common(&f);
	allow_values(&f, SYS_socket, 0, broker_families, COUNT(broker_families));
	allow_values(&f, SYS_ioctl, 1, broker_ioctl, COUNT(broker_ioctl));
	/* The resolver loads the modules that nsswitch.conf names when it first needs them. Code comes from
	 * files, then, of which the broker can write none; never from memory that it can write. */
	seccomp_rule_arg(&f, SYS_mmap, 2, PROT_READ | PROT_EXEC, true, SECCOMP_RET_ALLOW);
	seccomp_rule_bits(&f, SYS_mmap, 2, PROT_EXEC, SECCOMP_DENY(EPERM));
	seccomp_rule(&f, SYS_mmap, SECCOMP_RET_ALLOW);
	seccomp_rules(&f, broker_allowed, COUNT(broker_allowed), SECCOMP_RET_ALLOW);
	return install_answering(&f, &st->seccomp);
}

enum av_err
confine_keeper(struct confine_state *st)
{
	struct seccomp_filter f;

	seccomp_begin(&f);
	allow_values(&f, SYS_fcntl, 1, keeper_fcntl, COUNT(keeper_fcntl));
	allow_common(&f);
	/* It loads no code once it stands. */
	seccomp_rule_bits(&f, SYS_mmap, 2, PROT_EXEC, SECCOMP_DENY(EPERM));
	seccomp_rule(&f, SYS_mmap, SECCOMP_RET_ALLOW);
	/* No socket(): what it speaks by it is given. */
	seccomp_rules(&f, keeper_allowed, COUNT(keeper_allowed), SECCOMP_RET_ALLOW);
	return install_answering(&f, &st->seccomp);
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
