/* SPDX-License-Identifier: Apache-2.0 */
#include "audit/checkpoint_log.h"

#include "base/io.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define NAME "checkpoints.log"
#define MARK "aivault-checkpoint-1 "

enum av_err
checkpoint_log_path(const char *database, char *out, size_t room)
{
	const char *slash = strrchr(database, '/');
	int dir = slash == NULL ? 0 : (int)(slash + 1 - database);
	int n = snprintf(out, room, "%.*s" NAME, dir, database);
	return n > 0 && (size_t)n < room ? AV_OK : AV_ELIMIT;
}

void
checkpoint_line_format(const struct checkpoint *c, char out[CHECKPOINT_LINE_MAX])
{
	char hash[2 * CHECKPOINT_HASH_LEN + 1], sig[2 * CHECKPOINT_SIG_LEN + 1];
	hex_encode(c->hash, sizeof(c->hash), hash);
	hex_encode(c->signature, sizeof(c->signature), sig);
	snprintf(out, CHECKPOINT_LINE_MAX,
	    MARK "id=%" PRId64 " row=%" PRId64 " ts=%" PRId64 " hash=%s sig=%s\n", c->id,
	    c->event_id, c->ts_ms, hash, sig);
}

static enum av_err
take_number(struct str *rest, const char *key, int64_t *out)
{
	struct str word, name, value;
	uint64_t n = 0;
	if (!str_cut(*rest, ' ', &word, rest) || !str_cut(word, '=', &name, &value) ||
	    !str_eq_cstr(name, key) || str_to_u64(value, 0, INT64_MAX, &n) != AV_OK)
		return AV_EFORMAT;
	*out = (int64_t)n;
	return AV_OK;
}

enum av_err
checkpoint_line_parse(struct str line, struct checkpoint *out)
{
	struct str word, name, value, rest = line;
	char again[CHECKPOINT_LINE_MAX];
	memset(out, 0, sizeof(*out));
	if (!str_starts(line, STR_LIT(MARK)))
		return AV_EFORMAT;
	rest.p += sizeof(MARK) - 1;
	rest.len -= sizeof(MARK) - 1;
	if (take_number(&rest, "id", &out->id) != AV_OK ||
	    take_number(&rest, "row", &out->event_id) != AV_OK ||
	    take_number(&rest, "ts", &out->ts_ms) != AV_OK || !str_cut(rest, ' ', &word, &rest) ||
	    !str_cut(word, '=', &name, &value) || !str_eq_cstr(name, "hash") ||
	    hex_decode(value, out->hash, sizeof(out->hash)) != AV_OK ||
	    !str_cut(rest, '=', &name, &value) || !str_eq_cstr(name, "sig") ||
	    hex_decode(value, out->signature, sizeof(out->signature)) != AV_OK)
		return AV_EFORMAT;
	/* One form only. */
	checkpoint_line_format(out, again);
	again[strlen(again) - 1] = '\0';
	return str_eq_cstr(line, again) ? AV_OK : AV_EFORMAT;
}

static enum av_err
open_log(const char *path, int flags, int *fd)
{
	struct stat st;
	/* Not to wait on a FIFO that stands in its place. */
	*fd = open(path, flags | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK, 0600);
	if (*fd < 0)
		return errno == ENOENT ? AV_ENOTFOUND : AV_ESYS;
	if (fstat(*fd, &st) == 0 && S_ISREG(st.st_mode))
		return AV_OK;
	io_close(fd);
	return AV_ESYS;
}

enum av_err
checkpoint_log_append(const char *path, const struct checkpoint *c, bool sync)
{
	char text[CHECKPOINT_LINE_MAX + 1] = "\n";
	char last = '\n';
	struct stat st;
	int fd = -1;
	enum av_err e = open_log(path, O_RDWR | O_APPEND | O_CREAT, &fd);
	if (e != AV_OK)
		return e;
	if (fstat(fd, &st) != 0 || (st.st_size > 0 && pread(fd, &last, 1, st.st_size - 1) != 1))
		e = AV_ESYS;
	checkpoint_line_format(c, text + 1);
	const char *from = last == '\n' ? text + 1 : text;
	if (e == AV_OK)
		e = io_write_all(fd, from, strlen(from));
	if (e == AV_OK && sync && fdatasync(fd) != 0)
		e = AV_ESYS;
	io_close(&fd);
	return e;
}

/* Where the last whole line ends; 0: there is none. What a crash left behind it, of a line or as zeroes,
 * may be long. */
static enum av_err
find_end(int fd, off_t *end)
{
	char part[4096];
	struct stat st;
	if (fstat(fd, &st) != 0)
		return AV_ESYS;
	*end = st.st_size;
	while (*end > 0) {
		size_t len = *end < (off_t)sizeof(part) ? (size_t)*end : sizeof(part);
		*end -= (off_t)len;
		if (pread(fd, part, len, *end) != (ssize_t)len)
			return AV_ESYS;
		while (len > 0 && part[len - 1] != '\n')
			len--;
		if (len > 0) {
			*end += (off_t)len;
			break;
		}
	}
	return AV_OK;
}

enum av_err
checkpoint_log_last(const char *path, int64_t *id)
{
	char tail[CHECKPOINT_LINE_MAX + 1];
	struct checkpoint c;
	off_t end = 0;
	int fd = -1;
	*id = 0;
	enum av_err e = open_log(path, O_RDONLY, &fd);
	if (e == AV_OK)
		e = find_end(fd, &end);
	size_t n = end < (off_t)sizeof(tail) ? (size_t)end : sizeof(tail);
	if (e == AV_OK && pread(fd, tail, n, end - (off_t)n) != (ssize_t)n)
		e = AV_ESYS;
	io_close(&fd);
	if (e != AV_OK || n == 0)
		return e;
	size_t start = --n;
	while (start > 0 && tail[start - 1] != '\n')
		start--;
	/* A line that begins earlier still is none. */
	e = checkpoint_line_parse((struct str){tail + start, n - start}, &c);
	if (e == AV_OK)
		*id = c.id;
	return e;
}

enum av_err
checkpoint_reader_open(struct checkpoint_reader *r, const char *path)
{
	struct stat st;
	int fd = -1;
	*r = (struct checkpoint_reader){0};
	enum av_err e = open_log(path, O_RDONLY, &fd);
	if (e != AV_OK)
		return e;
	e = fstat(fd, &st) == 0 ? AV_OK : AV_ESYS;
	if (e == AV_OK && (r->f = fdopen(fd, "r")) == NULL)
		e = AV_ENOMEM;
	if (e != AV_OK)
		io_close(&fd);
	else
		r->left = st.st_size;
	return e;
}

/* By bytes: a crash may leave zeroes, which end no line. */
enum av_err
checkpoint_reader_next(
    struct checkpoint_reader *r, struct checkpoint *out, enum checkpoint_line *what)
{
	char line[CHECKPOINT_LINE_MAX];
	size_t n = 0; /* what is over the room is counted only */
	int byte = EOF;
	while (r->left > 0 && (byte = getc(r->f)) != EOF) {
		r->left--;
		if (byte == '\n')
			break;
		if (n < sizeof(line))
			line[n] = (char)byte;
		n++;
	}
	if (r->f != NULL && ferror(r->f))
		return AV_ESYS;
	if (byte != '\n')
		*what = n > 0 ? CHECKPOINT_TORN : CHECKPOINT_END;
	else if (n <= sizeof(line) && checkpoint_line_parse((struct str){line, n}, out) == AV_OK)
		*what = CHECKPOINT_LINE;
	else
		*what = CHECKPOINT_TORN;
	return AV_OK;
}

void
checkpoint_reader_close(struct checkpoint_reader *r)
{
	if (r->f != NULL)
		fclose(r->f);
	*r = (struct checkpoint_reader){0};
}
