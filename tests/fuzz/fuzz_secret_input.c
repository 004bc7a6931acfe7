/* SPDX-License-Identifier: Apache-2.0 */
/* Input: a byte (bit 0: a passphrase, else a secret; bit 1: on standard input), then what is typed,
 * piped or in a file. Nothing is changed but one newline at the end, where that is promised. */
#include "cli/secret_input.h"

#include "base/str.h"

#include "scratch.h"

#include <fcntl.h>
#include <string.h>

#define MUST(x)                  \
	do {                     \
		if (!(x))        \
			abort(); \
	} while (0)

static const struct option options[] = {
    {"value", "SECRET", false, ""},
    {"value-file", "FILE", false, ""},
    {"passphrase", "TEXT", false, ""},
    {"passphrase-file", "FILE", false, ""},
    {NULL, NULL, false, NULL},
};

static struct str
without_newline(struct str s)
{
	if (s.len > 0 && s.p[s.len - 1] == '\n') {
		s.len--;
		if (s.len > 0 && s.p[s.len - 1] == '\r')
			s.len--;
	}
	return s;
}

static void
put_on_stdin(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	MUST(fd >= 0 && dup2(fd, STDIN_FILENO) == STDIN_FILENO);
	(void)close(fd);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char name[] = "--value-file", name2[] = "--passphrase-file", path[512];
	char *argv[] = {name, path, NULL};
	struct str want, given;
	struct args a;
	struct buf out;
	struct fault f = {0};
	bool passphrase, piped;
	enum av_err e;

	if (size == 0)
		return 0;
	passphrase = (data[0] & 1) != 0;
	piped = (data[0] & 2) != 0;
	given = want = (struct str){(const char *)data + 1, size - 1};
	(void)snprintf(path, sizeof(path), "%s", scratch_file(data + 1, size - 1));
	if (passphrase)
		argv[0] = name2;
	if (piped)
		put_on_stdin(path);
	MUST(args_parse(&a, options, piped ? 0 : 2, argv, &f) == AV_OK);
	buf_init(&out, SECRET_INPUT_MAX + 4096);
	e = passphrase ? passphrase_input(&a, "Passphrase", false, &out, &f)
	               : secret_input(&a, "Value", &out, &f);
	if (passphrase || piped)
		want = without_newline(given);
	if (e == AV_OK) {
		MUST(out.len == want.len && memcmp(out.data, want.p, want.len) == 0);
		MUST(out.len > 0 && out.len <= SECRET_INPUT_MAX);
	} else {
		MUST(f.err == e && (want.len == 0 || given.len > SECRET_INPUT_MAX));
	}
	buf_clear(&out);
	return 0;
}
