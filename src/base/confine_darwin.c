/* SPDX-License-Identifier: Apache-2.0 */
/*
 * macOS has neither seccomp nor Landlock; what is left is no core files and no debugger. This file
 * was written against the manual pages and has not run on a Mac (docs/KNOWN-GAPS.md).
 */
#include "base/confine.h"

#ifdef __APPLE__

#include <sys/types.h>

#include <sys/ptrace.h>
#include <sys/resource.h>

enum av_err
confine_basic(struct confine_state *st)
{
	struct rlimit none = {0, 0};

	if (setrlimit(RLIMIT_CORE, &none) < 0)
		return AV_ESYS;
	/* Fails under a debugger: then the process is readable, and says so. */
	st->no_dump = ptrace(PT_DENY_ATTACH, 0, 0, 0) == 0;
	return AV_OK;
}

enum av_err
confine_judge(struct confine_state *st)
{
	(void)st;
	return AV_OK;
}

enum av_err
confine_judge_filter(struct confine_state *st)
{
	return confine_judge(st);
}

bool
confine_broker_could_read(const char *path)
{
	(void)path;
	return false;
}

enum av_err
confine_broker(const char *ca_path, struct confine_state *st)
{
	(void)ca_path;
	return confine_judge(st);
}

enum av_err
confine_keeper(struct confine_state *st)
{
	return confine_judge(st);
}

const char *
confine_seccomp_word(const struct confine_state *st)
{
	(void)st;
	return "off";
}

#else
typedef int confine_darwin_is_for_macos; /* a translation unit may not be empty */
#endif
