/* SPDX-License-Identifier: Apache-2.0 */
/*
 * confine.h - what a process gives up for good once it is set up (architecture.md, "Hardening").
 *
 * Each function is called once, when the process holds what it needs, before its first message and
 * before it starts a thread (Landlock binds the calling thread and those that it starts; seccomp
 * binds all). What the kernel does not offer is left out and reads false in *st: AV_OK then all the
 * same, because whether that is enough is the supervisor's decision. AV_ESYS: the kernel offers
 * it and failed; the process must end. `st` is added to, never reset; zero it first.
 *
 * Each filter names what is let through. Any other call ends the judge (SIGSYS). In broker and keeper it
 * answers EPERM, or ENOSYS where it is younger than Linux 6.1: a library that tries something out must
 * not end the daemon, and falls back.
 */
#ifndef AV_BASE_CONFINE_H
#define AV_BASE_CONFINE_H

#include "base/err.h"

#include <stdbool.h>

struct confine_state {
	bool no_new_privs;
	bool no_dump; /* no core file, not dumpable: nor readable by others of the same user */
	bool seccomp;
	bool landlock;
	bool no_caps; /* the broker's: no capabilities, also as root */
};

/* All processes: no core dumps, not dumpable, no new privileges. */
enum av_err confine_basic(struct confine_state *st) AV_MUST_USE;

/* The judge may read, write, poll, send and receive on what it holds, manage memory that is not
 * executable, ask for time and random bytes, and exit. In sanitizer builds, whose run time needs
 * more, this does nothing; confine_judge_filter() is the same without that exception. */
enum av_err confine_judge(struct confine_state *st) AV_MUST_USE;
enum av_err confine_judge_filter(struct confine_state *st) AV_MUST_USE;

/* The broker may use its descriptors, connect by IP, ask netlink, manage memory (never both written
 * and executed) and start threads. So it may not execute, signal, look into other processes, make
 * AF_UNIX sockets (but for connected pairs) or change files; it may read files below /etc, /usr, /lib,
 * /proc (no other process's memory, environment or descriptors: Landlock sees to it), where the
 * resolver's state is, and `ca_path` (a file; NULL for none), and write none. It keeps no
 * capabilities: run by root, it reads what root owns, not what others keep to themselves. */
enum av_err confine_broker(const char *ca_path, struct confine_state *st) AV_MUST_USE;

/* Whether `path` (absolute, without links) stands where a confined broker may read: no place for a key. */
bool confine_broker_could_read(const char *path);

/* The keeper may use its descriptors, work on files as its database needs, lock memory and start
 * threads. So it may not execute, signal, look into other processes, make any socket (but for
 * connected pairs) or map code. In sanitizer builds both may do what the run time needs besides. */
enum av_err confine_keeper(struct confine_state *st) AV_MUST_USE;

/* For status: "on", "off" or "off (sanitizer build)". */
const char *confine_seccomp_word(const struct confine_state *st);

#endif
