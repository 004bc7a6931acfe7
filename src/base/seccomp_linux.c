/* SPDX-License-Identifier: Apache-2.0 */
#include "base/seccomp.h"

#ifdef __linux__

#include <errno.h>
#include <linux/audit.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined(__x86_64__)
#define ARCH_HERE AUDIT_ARCH_X86_64
#define X32_BIT 0x40000000u
#elif defined(__aarch64__)
#define ARCH_HERE AUDIT_ARCH_AARCH64
#else
#define ARCH_HERE 0u /* a filter that was not thought through here must not claim to be one */
#endif

#define AT(field) ((uint32_t)offsetof(struct seccomp_data, field))
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define ARG_LOW(arg) (AT(args) + 8u * (arg))
#else
#define ARG_LOW(arg) (AT(args) + 8u * (arg) + 4u)
#endif

static void
emit(struct seccomp_filter *f, uint16_t code, uint32_t k, uint8_t if_true, uint8_t if_false)
{
	if (f->len == SECCOMP_MAX_RULES) {
		f->full = true;
		return;
	}
	f->code[f->len++] = (struct sock_filter){code, if_true, if_false, k};
}

static void
load(struct seccomp_filter *f, uint32_t offset)
{
	emit(f, BPF_LD | BPF_W | BPF_ABS, offset, 0, 0);
}

static void
answer(struct seccomp_filter *f, uint32_t verdict)
{
	emit(f, BPF_RET | BPF_K, verdict, 0, 0);
}

void
seccomp_begin(struct seccomp_filter *f)
{
	memset(f, 0, sizeof *f);
	load(f, AT(arch));
	emit(f, BPF_JMP | BPF_JEQ | BPF_K, ARCH_HERE, 1, 0);
	answer(f, SECCOMP_RET_KILL_PROCESS);
	load(f, AT(nr));
#ifdef X32_BIT
	/* x32 shares the architecture's mark but has a table of its own. */
	emit(f, BPF_JMP | BPF_JGE | BPF_K, X32_BIT, 0, 1);
	answer(f, SECCOMP_RET_KILL_PROCESS);
#endif
}

void
seccomp_rule(struct seccomp_filter *f, int nr, uint32_t verdict)
{
	emit(f, BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)nr, 0, 1);
	answer(f, verdict);
}

void
seccomp_rules(struct seccomp_filter *f, const int *nrs, size_t count, uint32_t verdict)
{
	for (size_t i = 0; i < count; i++)
		seccomp_rule(f, nrs[i], verdict);
}

void
seccomp_rule_above(struct seccomp_filter *f, uint32_t nr, uint32_t verdict)
{
	emit(f, BPF_JMP | BPF_JGT | BPF_K, nr, 0, 1);
	answer(f, verdict);
}

/* The kernel takes the arguments in question as 32 bits, so the upper half decides nothing. */
static void
rule_on_arg(struct seccomp_filter *f, int nr, unsigned arg, uint16_t test, uint32_t k, bool match,
    uint32_t verdict)
{
	emit(f, BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)nr, 0, 4);
	load(f, ARG_LOW(arg));
	emit(f, (uint16_t)(BPF_JMP | test | BPF_K), k, match ? 0 : 1, match ? 1 : 0);
	answer(f, verdict);
	load(f, AT(nr)); /* the next rule looks at the number again */
}

void
seccomp_rule_bits(struct seccomp_filter *f, int nr, unsigned arg, uint32_t bits, uint32_t verdict)
{
	rule_on_arg(f, nr, arg, BPF_JSET, bits, true, verdict);
}

void
seccomp_rule_arg(
    struct seccomp_filter *f, int nr, unsigned arg, uint32_t value, bool same, uint32_t verdict)
{
	rule_on_arg(f, nr, arg, BPF_JEQ, value, same, verdict);
}

enum av_err
seccomp_install(struct seccomp_filter *f, uint32_t otherwise, bool *on)
{
	struct sock_fprog prog;
	long rc;

	*on = false;
	if (ARCH_HERE == 0)
		return AV_OK;
	answer(f, otherwise);
	if (f->full)
		return AV_ELIMIT;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return errno == EINVAL ? AV_OK : AV_ESYS;
	prog = (struct sock_fprog){(unsigned short)f->len, f->code};
	rc = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &prog);
	if (rc == 0) {
		*on = true;
		return AV_OK;
	}
	/* Above zero: a thread that could not be brought along. */
	return rc < 0 && (errno == ENOSYS || errno == EINVAL) ? AV_OK : AV_ESYS;
}

#else
typedef int seccomp_linux_is_for_linux; /* a translation unit may not be empty */
#endif
