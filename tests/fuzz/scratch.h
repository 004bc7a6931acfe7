/* SPDX-License-Identifier: Apache-2.0 */
/*
 * scratch.h - one file of the fuzzer's own, for readers that take a path.
 */
#ifndef AV_FUZZ_SCRATCH_H
#define AV_FUZZ_SCRATCH_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static char scratch_path[512];

static inline void
scratch_remove(void)
{
	(void)unlink(scratch_path);
}

/* The file's path; it holds exactly these bytes until the next call. Mode 0600. */
static inline const char *
scratch_file(const uint8_t *bytes, size_t len)
{
	static int fd = -1;
	const char *dir = getenv("TMPDIR");

	if (fd < 0) {
		(void)snprintf(scratch_path, sizeof(scratch_path), "%s/aivault-fuzz-XXXXXX",
		    dir == NULL ? "/tmp" : dir);
		fd = mkstemp(scratch_path);
		if (fd < 0 || atexit(scratch_remove) != 0)
			abort();
	}
	if (ftruncate(fd, 0) != 0 || pwrite(fd, bytes, len, 0) != (ssize_t)len)
		abort();
	return scratch_path;
}

#endif
