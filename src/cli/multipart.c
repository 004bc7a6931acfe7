/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/multipart.h"

#include "base/io.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#ifdef __APPLE__
#include <sys/random.h>
#endif

#define MULTIPART_TEXT_MAX (16u * 1024u * 1024u)
#define MULTIPART_RANDOM 16u
#define FIELD "multipart-field"
#define FILE_ "multipart-file"

struct media_type {
	const char *ending;
	const char *type;
};

static const struct media_type media_types[] = {
    {"csv", "text/csv"},
    {"css", "text/css"},
    {"flac", "audio/flac"},
    {"gif", "image/gif"},
    {"gz", "application/gzip"},
    {"htm", "text/html"},
    {"html", "text/html"},
    {"jpeg", "image/jpeg"},
    {"jpg", "image/jpeg"},
    {"js", "text/javascript"},
    {"json", "application/json"},
    {"jsonl", "application/jsonl"},
    {"m4a", "audio/mp4"},
    {"md", "text/markdown"},
    {"mp3", "audio/mpeg"},
    {"mp4", "video/mp4"},
    {"mpeg", "video/mpeg"},
    {"mpga", "audio/mpeg"},
    {"oga", "audio/ogg"},
    {"ogg", "audio/ogg"},
    {"pdf", "application/pdf"},
    {"png", "image/png"},
    {"svg", "image/svg+xml"},
    {"tar", "application/x-tar"},
    {"txt", "text/plain"},
    {"wav", "audio/wav"},
    {"webm", "video/webm"},
    {"webp", "image/webp"},
    {"xml", "application/xml"},
    {"yaml", "application/yaml"},
    {"yml", "application/yaml"},
    {"zip", "application/zip"},
};

void
multipart_init(struct multipart *m)
{
	memset(m, 0, sizeof(*m));
	buf_init(&m->text, MULTIPART_TEXT_MAX);
}

void
multipart_clear(struct multipart *m)
{
	for (size_t i = 0; i < m->count; i++) {
		if (m->parts[i].fd >= 0)
			io_close(&m->parts[i].fd);
	}
	free(m->parts);
	buf_clear(&m->text);
	multipart_init(m);
}

static const char *
base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash == NULL ? path : slash + 1;
}

const char *
multipart_type_of(const char *path)
{
	const char *dot = strrchr(base_name(path), '.');

	for (size_t i = 0; dot != NULL && i < sizeof(media_types) / sizeof(media_types[0]); i++) {
		if (str_ieq_cstr(str_of(dot + 1), media_types[i].ending))
			return media_types[i].type;
	}
	return "application/octet-stream";
}

static enum av_err
make_boundary(struct multipart *m, struct fault *f)
{
	static const char prefix[] = "aivault-";
	uint8_t random[MULTIPART_RANDOM];

	_Static_assert(sizeof(prefix) + 2 * MULTIPART_RANDOM <= sizeof(m->boundary), "boundary");
	if (getentropy(random, sizeof(random)) != 0)
		return fault_set(f, AV_ESYS, "no_random", "", "the system gave no random bytes");
	memcpy(m->boundary, prefix, sizeof(prefix));
	hex_encode(random, sizeof(random), m->boundary + sizeof(prefix) - 1);
	return AV_OK;
}

/* RFC 7578 section 2 and the HTML standard: what would end the quoted text is percent-encoded. */
static void
put_quoted(struct buf *out, const char *key, struct str value)
{
	(void)buf_appendf(out, "; %s=\"", key);
	for (size_t i = 0; i < value.len; i++) {
		unsigned char c = (unsigned char)value.p[i];
		if (c == '"' || c == '\r' || c == '\n')
			(void)buf_appendf(out, "%%%02X", (unsigned)c);
		else
			(void)buf_append_byte(out, c);
	}
	(void)buf_append_byte(out, '"');
}

static void
put_part_head(struct multipart *m, struct str name)
{
	(void)buf_appendf(&m->text, "--%s\r\nContent-Disposition: form-data", m->boundary);
	put_quoted(&m->text, "name", name);
}

/* The text since the last file becomes a part; its place is told once all of it is there. */
static void
close_text(struct multipart *m, size_t *from)
{
	if (m->text.len > *from)
		m->parts[m->count++] = (struct body_part){.fd = -1, .size = m->text.len - *from};
	*from = m->text.len;
}

static enum av_err
split(const char *option, const char *text, struct str *name, const char **value, struct fault *f)
{
	size_t n = strcspn(text, "=");

	if (n == 0 || text[n] == '\0' || !str_is_utf8((struct str){text, n}))
		return fault_set(f, AV_EINVAL, "multipart_syntax", "", "--%s takes %s", option,
		    strcmp(option, FIELD) == 0 ? "K=V" : "FIELD=PATH");
	*name = (struct str){text, n};
	*value = text + n + 1;
	return AV_OK;
}

static enum av_err
refuse_duplicates(const struct args *a, struct fault *f)
{
	static const char *const options[] = {FIELD, FILE_};
	struct str seen[ARGS_MAX_ITEMS];
	size_t count = 0;

	for (size_t o = 0; o < 2; o++) {
		const char *text, *unused;
		size_t pos = 0;
		while ((text = args_next(a, options[o], &pos)) != NULL) {
			struct str name;
			enum av_err e = split(options[o], text, &name, &unused, f);
			if (e != AV_OK)
				return e;
			for (size_t i = 0; i < count; i++) {
				if (str_eq(seen[i], name))
					return fault_set(f, AV_EINVAL, "multipart_duplicate",
					    "Give each field once",
					    "duplicate multipart field %.*s",
					    name.len > 60 ? 60 : (int)name.len, name.p);
			}
			seen[count++] = name;
		}
	}
	return AV_OK;
}

static enum av_err
add_file(struct multipart *m, const char *path, struct fault *f)
{
	struct body_part *part = &m->parts[m->count];
	struct stat st;

	part->fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (part->fd < 0)
		return fault_set(f, AV_EINVAL, "multipart_file", "",
		    "the file %.300s is not accessible: %s", path, strerror(errno));
	m->count++;
	if (fstat(part->fd, &st) != 0 || !S_ISREG(st.st_mode))
		return fault_set(f, AV_EINVAL, "multipart_file", "Write it to a file first",
		    "%.300s is no regular file", path);
	part->size = (uint64_t)st.st_size;
	return AV_OK;
}

static enum av_err
add_all(struct multipart *m, const struct args *a, struct fault *f)
{
	const char *text, *value = "";
	struct str name = {"", 0};
	size_t pos = 0, from = 0;
	enum av_err e;

	while ((text = args_next(a, FIELD, &pos)) != NULL) {
		e = split(FIELD, text, &name, &value, f);
		if (e != AV_OK)
			return e;
		put_part_head(m, name);
		(void)buf_appendf(&m->text, "\r\n\r\n");
		(void)buf_append_str(&m->text, value);
		(void)buf_append_str(&m->text, "\r\n");
	}
	for (pos = 0; (text = args_next(a, FILE_, &pos)) != NULL;) {
		e = split(FILE_, text, &name, &value, f);
		if (e != AV_OK)
			return e;
		put_part_head(m, name);
		put_quoted(&m->text, "filename", str_of(base_name(value)));
		(void)buf_appendf(
		    &m->text, "\r\nContent-Type: %s\r\n\r\n", multipart_type_of(value));
		close_text(m, &from);
		e = add_file(m, value, f);
		if (e != AV_OK)
			return e;
		(void)buf_append_str(&m->text, "\r\n");
	}
	(void)buf_appendf(&m->text, "--%s--\r\n", m->boundary);
	close_text(m, &from);
	if (buf_err(&m->text) != AV_OK)
		return fault_set(f, buf_err(&m->text), "multipart_size", "Use --multipart-file",
		    "multipart fields may have %u bytes together", MULTIPART_TEXT_MAX);
	return AV_OK;
}

enum av_err
multipart_build(struct multipart *m, const struct args *a, struct fault *f)
{
	size_t at = 0;
	enum av_err e;

	if (!args_has(a, FIELD) && !args_has(a, FILE_))
		return AV_OK;
	e = refuse_duplicates(a, f);
	if (e == AV_OK)
		e = make_boundary(m, f);
	if (e != AV_OK)
		return e;
	m->parts = calloc(2 * ARGS_MAX_ITEMS + 1, sizeof(*m->parts));
	if (m->parts == NULL)
		return fault_set(f, AV_ENOMEM, "no_memory", "", "out of memory");
	e = add_all(m, a, f);
	for (size_t i = 0; e == AV_OK && i < m->count; i++) {
		if (m->parts[i].fd >= 0)
			continue;
		m->parts[i].text = (const char *)m->text.data + at;
		at += (size_t)m->parts[i].size;
	}
	return e;
}
