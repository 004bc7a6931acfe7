/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/limits.h"

#include "base/io.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct rule {
	const char *flag;
	enum role role; /* whose */
	bool seconds;
	uint64_t min;
	uint64_t max;
	uint64_t otherwise;
};

static const struct rule rules[LIMITS_COUNT] = {
    {"--max-connections", ROLE_BROKER, false, 1, 65536, 1024},
    {"--max-per-caller", ROLE_BROKER, false, 1, 65536, 64},
    {"--first-byte-timeout", ROLE_BROKER, true, 1, 86400, 600},
    {"--idle-timeout", ROLE_BROKER, true, 1, 86400, 300},
    /* Well below the broker's deadline, after which it has the judge replaced: to look through all of
     * that memory once takes a part of it too. */
    {"--check-ms", ROLE_JUDGE, false, 1, 100, 5},
    {"--check-memory-bytes", ROLE_JUDGE, false, 1048576, 67108864, 8388608},
};

void
limits_init(struct limits *l)
{
	memset(l, 0, sizeof(*l));
	for (size_t i = 0; i < LIMITS_COUNT; i++)
		l->values[i] = rules[i].otherwise;
}

const char *
limits_flag(size_t i)
{
	return i < LIMITS_COUNT ? rules[i].flag : NULL;
}

static bool
read_value(const struct rule *r, struct str text, uint64_t *out)
{
	enum av_err e =
	    r->seconds ? str_to_seconds(text, r->max, out) : str_to_u64(text, r->min, r->max, out);

	return e == AV_OK && *out >= r->min;
}

enum av_err
limits_give(struct limits *l, size_t i, const char *text, struct fault *f)
{
	if (!read_value(&rules[i], str_of(text), &l->values[i]))
		return fault_set(f, AV_EUSAGE, "usage", "See aivaultd --help",
		    "%s takes a number from %llu to %llu", rules[i].flag,
		    (unsigned long long)rules[i].min, (unsigned long long)rules[i].max);
	l->by_flag[i] = true;
	return AV_OK;
}

static enum av_err
open_file(const char *path, int *fd, struct fault *f)
{
	struct stat st;

	/* Not to wait on a FIFO that stands in its place. */
	*fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
	if (*fd < 0 && errno == ENOENT)
		return AV_OK;
	if (*fd < 0 || fstat(*fd, &st) != 0 || !S_ISREG(st.st_mode))
		return fault_set(f, AV_EINVAL, "limits_file", "Make it a file that you can read",
		    "%.300s cannot be read", path);
	if ((st.st_uid != geteuid() && st.st_uid != 0) || (st.st_mode & 022) != 0)
		return fault_set(f, AV_EINVAL, "limits_file", "Own it, and chmod go-w it",
		    "%.300s can be written by others", path);
	return AV_OK;
}

static enum av_err
read_text(const char *path, struct buf *text, struct fault *f)
{
	size_t n = 1;
	bool again = false;
	int fd = -1;
	enum av_err e = open_file(path, &fd, f);

	if (e != AV_OK || fd < 0)
		goto out;
	while (e == AV_OK && n > 0 && text->len <= LIMITS_FILE_MAX)
		e = io_read_some(fd, text, LIMITS_FILE_MAX, &n, &again);
	if (e != AV_OK || text->len > LIMITS_FILE_MAX)
		e = fault_set(f, AV_EINVAL, "limits_file", "Shorten it",
		    "%.300s cannot be read, or has more than %u bytes", path, LIMITS_FILE_MAX);
out:
	io_close(&fd);
	return e;
}

static enum av_err
line_fault(const char *path, size_t number, struct fault *f, const char *what, const char *more)
{
	return fault_set(f, AV_EINVAL, "limits_file",
	    "Correct the line; then start aivaultd, or send it SIGHUP", "%.200s, line %zu: %.60s%s",
	    path, number, what, more);
}

/* *seen: a bit a rule. */
static enum av_err
take_line(struct limits *l, struct str line, unsigned *seen, const char *path, size_t number,
    struct fault *f)
{
	struct str name, value;
	char more[64];
	uint64_t n = 0;

	(void)str_cut(line, '#', &line, &value);
	line = str_trim(line);
	if (line.len == 0)
		return AV_OK;
	if (!str_cut(line, '=', &name, &value))
		return line_fault(path, number, f, "not `name = number`", "");
	name = str_trim(name);
	for (size_t i = 0; i < LIMITS_COUNT; i++) {
		if (!str_eq_cstr(name, rules[i].flag + 2))
			continue;
		if ((*seen & (1u << i)) != 0)
			return line_fault(path, number, f, rules[i].flag + 2, " is there twice");
		*seen |= 1u << i;
		(void)snprintf(more, sizeof(more), " takes a number from %llu to %llu",
		    (unsigned long long)rules[i].min, (unsigned long long)rules[i].max);
		if (!read_value(&rules[i], str_trim(value), &n))
			return line_fault(path, number, f, rules[i].flag + 2, more);
		if (!l->by_flag[i])
			l->values[i] = n;
		return AV_OK;
	}
	return line_fault(path, number, f, "there is no limit of that name", "");
}

enum av_err
limits_read(struct limits *l, const char *path, struct fault *f)
{
	struct limits fresh = *l;
	struct str rest, line;
	struct buf text;
	unsigned seen = 0;
	size_t number = 1;
	enum av_err e;

	buf_init(&text, 2 * LIMITS_FILE_MAX);
	e = read_text(path, &text, f);
	for (size_t i = 0; i < LIMITS_COUNT; i++) {
		if (!fresh.by_flag[i])
			fresh.values[i] = rules[i].otherwise;
	}
	rest = (struct str){(const char *)text.data, text.len};
	for (; e == AV_OK && rest.len > 0; number++) {
		if (!str_cut(rest, '\n', &line, &rest)) {
			line = rest;
			rest.len = 0;
		}
		e = take_line(&fresh, line, &seen, path, number, f);
	}
	buf_clear(&text);
	if (e == AV_OK)
		*l = fresh;
	return e;
}

const char *const *
limits_args(struct limits *l, enum role role)
{
	size_t n = 0;

	for (size_t i = 0; i < LIMITS_COUNT; i++) {
		if (rules[i].role != role)
			continue;
		(void)snprintf(
		    l->texts[i], sizeof(l->texts[i]), "%llu", (unsigned long long)l->values[i]);
		l->args[n++] = rules[i].flag;
		l->args[n++] = l->texts[i];
	}
	l->args[n] = NULL;
	return l->args;
}

bool
limits_same(const struct limits *a, const struct limits *b, enum role role)
{
	for (size_t i = 0; i < LIMITS_COUNT; i++) {
		if (rules[i].role == role && a->values[i] != b->values[i])
			return false;
	}
	return true;
}

enum av_err
limits_pipe(struct limits *l, int *fd)
{
	const char *const *args = limits_args(l, ROLE_BROKER);
	char text[LIMITS_COUNT * 64];
	int ends[2], n = 0;
	enum av_err e = AV_OK;

	*fd = -1;
	for (; args[0] != NULL; args += 2)
		n += snprintf(text + n, sizeof(text) - (size_t)n, "%s %s\n", args[0], args[1]);
	if (pipe(ends) != 0)
		return AV_ESYS;
	if (fcntl(ends[0], F_SETFD, FD_CLOEXEC) != 0 || fcntl(ends[1], F_SETFD, FD_CLOEXEC) != 0)
		e = AV_ESYS;
	/* Far less than a pipe holds: nobody has to read for this to end. */
	if (e == AV_OK)
		e = io_write_all(ends[1], text, (size_t)n);
	io_close(&ends[1]);
	if (e == AV_OK)
		*fd = ends[0];
	else
		io_close(&ends[0]);
	return e;
}
