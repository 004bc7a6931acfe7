/* SPDX-License-Identifier: Apache-2.0 */
#include "base/confine.h"

#ifdef __linux__

#include "base/landlock.h"
#include "base/seccomp.h"

#include <asm/sockios.h>
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

/* Younger than some headers; the numbers are the same on every architecture. */
#ifndef SYS_process_mrelease
#define SYS_process_mrelease 448
#endif

static const int judge_allowed[] = {SYS_read, SYS_readv, SYS_write, SYS_writev, SYS_ppoll,
    SYS_recvmsg, SYS_sendmsg,
#ifdef SYS_poll
    SYS_poll,
#endif
    SYS_clock_gettime, SYS_brk, SYS_munmap, SYS_mremap, SYS_futex, SYS_exit, SYS_exit_group,
    SYS_rt_sigreturn, SYS_close, SYS_madvise, SYS_getrandom, SYS_restart_syscall};

/* A descriptor's owner gets signals, by F_SETSIG any: with the rest of fcntl() the judge could kill. */
static const uint32_t judge_fcntl[] = {F_GETFD, F_SETFD, F_GETFL, F_SETFL};

/* Neither broker nor keeper ever needs these; each would widen what a taken-over one can do. */
static const int denied_to_both[] = {
    /* run something else */
    SYS_execve, SYS_execveat,
    /* signal */
    SYS_kill, SYS_tkill, SYS_tgkill, SYS_rt_sigqueueinfo, SYS_rt_tgsigqueueinfo,
    SYS_pidfd_send_signal, SYS_mq_open, SYS_mq_notify,
    /* weigh other processes of this user down */
    SYS_setpriority, SYS_ioprio_set, SYS_sched_setscheduler, SYS_sched_setparam, SYS_sched_setattr,
    SYS_sched_setaffinity, SYS_migrate_pages, SYS_move_pages,
    /* meet them where no descriptor leads */
    SYS_shmget, SYS_shmat, SYS_shmctl, SYS_semget, SYS_semctl, SYS_msgget, SYS_msgsnd, SYS_msgrcv,
    SYS_msgctl,
    /* look into or steer another process */
    SYS_process_vm_readv, SYS_process_vm_writev, SYS_pidfd_open, SYS_pidfd_getfd,
    SYS_process_madvise, SYS_process_mrelease, SYS_kcmp,
    /* mounts and namespaces */
    SYS_mount, SYS_umount2, SYS_pivot_root, SYS_chroot, SYS_open_tree, SYS_move_mount, SYS_fsopen,
    SYS_fsconfig, SYS_fsmount, SYS_fspick, SYS_mount_setattr, SYS_unshare, SYS_setns,
    /* ways round the file system's rules */
    SYS_open_by_handle_at, SYS_name_to_handle_at,
    /* kernel interfaces with a wide surface */
    SYS_bpf, SYS_perf_event_open, SYS_userfaultfd, SYS_keyctl, SYS_add_key, SYS_request_key,
    SYS_io_uring_setup, SYS_io_uring_enter, SYS_io_uring_register, SYS_init_module,
    SYS_finit_module, SYS_delete_module, SYS_kexec_load,
#ifndef AV_SANITIZED
    SYS_ptrace, /* the leak checker stops its own threads with it */
#endif
};

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

static void
deny_common(struct seccomp_filter *f)
{
	const uint32_t no = SECCOMP_DENY(EPERM);

	seccomp_begin(f);
	seccomp_rules(f, denied_to_both, COUNT(denied_to_both), no);
	seccomp_rule_bits(f, SYS_clone, 0,
	    CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER |
	        CLONE_NEWPID | CLONE_NEWNET,
	    no);
	/* Its flags stand in memory that a filter cannot read; libc then falls back to clone. */
	seccomp_rule(f, SYS_clone3, SECCOMP_DENY(ENOSYS));
	/* Who owns a descriptor is sent signals by the kernel, and F_SETSIG chooses which. */
	seccomp_rule_arg(f, SYS_fcntl, 1, F_SETOWN, true, no);
	seccomp_rule_arg(f, SYS_fcntl, 1, F_SETOWN_EX, true, no);
	seccomp_rule_arg(f, SYS_fcntl, 1, F_SETSIG, true, no);
	seccomp_rule_arg(f, SYS_ioctl, 1, FIOSETOWN, true, no);
	seccomp_rule_arg(f, SYS_ioctl, 1, SIOCSPGRP, true, no);
	/* Limits of its own only. */
	seccomp_rule_arg(f, SYS_prlimit64, 0, 0, false, no);
	/* One end of a pair of datagram sockets reaches every datagram socket that has a name. The bit
	 * tells SOCK_DGRAM and SOCK_RAW from SOCK_STREAM and SOCK_SEQPACKET. */
	seccomp_rule_bits(f, SYS_socketpair, 1, SOCK_DGRAM, no);
	/* A terminal on standard error would take what is pushed as typed by the operator. */
	seccomp_rule_arg(f, SYS_ioctl, 1, TIOCSTI, true, no);
	seccomp_rule_arg(f, SYS_ioctl, 1, TIOCLINUX, true, no);
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
	deny_common(&f);
	seccomp_rule_arg(&f, SYS_socket, 0, AF_UNIX, true, SECCOMP_DENY(EPERM));
	return seccomp_install(&f, SECCOMP_RET_ALLOW, &st->seccomp);
}

enum av_err
confine_keeper(struct confine_state *st)
{
	struct seccomp_filter f;

	deny_common(&f);
	/* What it speaks by it is given. */
	seccomp_rule(&f, SYS_socket, SECCOMP_DENY(EPERM));
	return seccomp_install(&f, SECCOMP_RET_ALLOW, &st->seccomp);
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
