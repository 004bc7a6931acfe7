/* SPDX-License-Identifier: Apache-2.0 */
/*
 * landlock.h - file system reach of a process (linux: Documentation/userspace-api/landlock.rst).
 * Linux only; used by confine_linux.c. The calls are made by number: no library has them yet.
 */
#ifndef AV_BASE_LANDLOCK_H
#define AV_BASE_LANDLOCK_H

#ifdef __linux__

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>

/* From now on this thread and those that it starts may open only what is at or below `paths`, and
 * that only to read. A path that does not exist is left out; NULL entries are too. Descriptors
 * that are open already stay usable. *on is false where the kernel has no Landlock. */
enum av_err landlock_read_only(const char *const *paths, size_t count, bool *on) AV_MUST_USE;

#endif
#endif
