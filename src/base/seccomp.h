/* SPDX-License-Identifier: Apache-2.0 */
/*
 * seccomp.h - builds and installs a system call filter, rule by rule, in classic BPF
 * (linux: Documentation/userspace-api/seccomp_filter.rst). Linux only; used by confine_linux.c.
 *
 * Every filter begins with the same guard: a call by another architecture's table ends the process.
 * Rules are tried in order; the last word is seccomp_install()'s.
 */
#ifndef AV_BASE_SECCOMP_H
#define AV_BASE_SECCOMP_H

#ifdef __linux__

#include "base/err.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SECCOMP_MAX_RULES 512u
#define SECCOMP_DENY(err) (SECCOMP_RET_ERRNO | (uint32_t)(err))

struct seccomp_filter {
	struct sock_filter code[SECCOMP_MAX_RULES];
	size_t len;
	bool full; /* a rule found no room: install fails */
};

void seccomp_begin(struct seccomp_filter *f);
/* System call `nr` gets `verdict` (SECCOMP_RET_*). */
void seccomp_rule(struct seccomp_filter *f, int nr, uint32_t verdict);
void seccomp_rules(struct seccomp_filter *f, const int *nrs, size_t count, uint32_t verdict);
/* Every call with a number above `nr` gets `verdict`. */
void seccomp_rule_above(struct seccomp_filter *f, uint32_t nr, uint32_t verdict);
/* `nr` gets `verdict` where the low 32 bits of argument `arg` have one of `bits`. */
void seccomp_rule_bits(
    struct seccomp_filter *f, int nr, unsigned arg, uint32_t bits, uint32_t verdict);
/* ... where they are equal (`same`) or unequal to `value`. */
void seccomp_rule_arg(
    struct seccomp_filter *f, int nr, unsigned arg, uint32_t value, bool same, uint32_t verdict);
/* For every thread of the process. *on is false where the kernel has no seccomp. */
enum av_err seccomp_install(struct seccomp_filter *f, uint32_t otherwise, bool *on) AV_MUST_USE;

#endif
#endif
