/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/print.h"

#include "base/io.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LINE_MAX_BYTES 2048u

/* Length without the full stop that some texts bring along. */
static int
bare_length(const char *s)
{
	size_t n = strlen(s);

	while (n > 0 && (s[n - 1] == '.' || s[n - 1] == '\n' || s[n - 1] == ' '))
		n--;
	return (int)n;
}

int
print_failure(const char *code, const char *message, const char *remedy)
{
	struct buf raw, safe;

	buf_init(&raw, LINE_MAX_BYTES);
	buf_init(&safe, 4 * LINE_MAX_BYTES);
	(void)buf_appendf(&raw, "aivault: %s: %.*s.", code, bare_length(message), message);
	if (bare_length(remedy) > 0) {
		char last = remedy[bare_length(remedy) - 1];
		char first = remedy[0];
		/* A sentence begins with a capital, a command that stands alone does not. */
		if (first >= 'a' && first <= 'z' && strncmp(remedy, "aivault ", 8) != 0)
			first = (char)(first - 'a' + 'A');
		(void)buf_appendf(&raw, " %c%.*s%s", first, bare_length(remedy) - 1, remedy + 1,
		    last == '?' || last == '!' ? "" : ".");
	}
	if (escape_text(&safe, (struct str){(const char *)raw.data, raw.len}, raw.len) == AV_OK &&
	    buf_append_byte(&safe, '\n') == AV_OK)
		(void)!write(STDERR_FILENO, safe.data, safe.len);
	buf_clear(&raw);
	buf_clear(&safe);
	return 1;
}

int
print_fault(const struct fault *f)
{
	const char *code = f->err == AV_ENOTSUP ? "not_supported" : av_err_code(f->err);

	(void)print_failure(
	    code, f->message[0] == '\0' ? av_err_text(f->err) : f->message, f->remedy);
	return av_err_exit(f->err) == 0 ? 1 : av_err_exit(f->err);
}

void
print_note(struct str text)
{
	struct buf safe;

	buf_init(&safe, 4 * LINE_MAX_BYTES);
	(void)buf_append_str(&safe, "aivault: ");
	(void)escape_text(&safe, text, LINE_MAX_BYTES);
	if (buf_append_byte(&safe, '\n') == AV_OK)
		(void)!write(STDERR_FILENO, safe.data, safe.len);
	buf_clear(&safe);
}

bool
print_has_colour(FILE *to)
{
	const char *no = getenv("NO_COLOR");
	const char *term = getenv("TERM");

	if (no != NULL && no[0] != '\0')
		return false;
	if (term != NULL && strcmp(term, "dumb") == 0)
		return false;
	return isatty(fileno(to)) == 1;
}

void
print_heading(const char *text)
{
	bool colour = print_has_colour(stdout);

	(void)printf("%s%s%s\n", colour ? "\033[1m" : "", text, colour ? "\033[0m" : "");
}

void
print_field(const char *label, int width, const char *value)
{
	struct buf safe;

	buf_init(&safe, 4 * LINE_MAX_BYTES);
	if (escape_text(&safe, str_of(value), LINE_MAX_BYTES) == AV_OK)
		(void)printf("  %-*s %.*s\n", width, label, (int)safe.len,
		    safe.len == 0 ? "" : (const char *)safe.data);
	buf_clear(&safe);
}

/* Bytes of the UTF-8 character at s, 0 where there is none; *cp is its number. */
static size_t
utf8_at(struct str s, uint32_t *cp)
{
	unsigned char c = (unsigned char)s.p[0];
	size_t n = c < 0x80 ? 1 : (c & 0xe0) == 0xc0 ? 2 : (c & 0xf0) == 0xe0 ? 3 : 4;

	if (n > s.len || !str_is_utf8((struct str){s.p, n}))
		return 0;
	*cp = n == 1 ? c : c & (0x7fu >> n);
	for (size_t i = 1; i < n; i++)
		*cp = *cp << 6 | ((unsigned char)s.p[i] & 0x3fu);
	return n;
}

/* Would it change how the rest of a line looks, or hide in it? */
static bool
is_tricky(uint32_t cp)
{
	return cp < 0x20 || (cp >= 0x7f && cp < 0xa0) || cp == 0x061c ||
	    (cp >= 0x200b && cp <= 0x200f) || (cp >= 0x2028 && cp <= 0x202e) ||
	    (cp >= 0x2060 && cp <= 0x206f) || cp == 0xfeff || (cp >= 0xfff9 && cp <= 0xfffb) ||
	    (cp >= 0xe0000 && cp <= 0xe007f);
}

enum av_err
json_escape(struct buf *out, struct str s)
{
	size_t kept = 0;

	for (size_t i = 0; i < s.len;) {
		uint32_t cp = 0;
		size_t n = (unsigned char)s.p[i] < 0x7f
		    ? 1
		    : utf8_at((struct str){s.p + i, s.len - i}, &cp);
		/* Below 0x7f: blanks between tokens, since no string has them bare. */
		if (n > 0 && cp >= 0x7f && is_tricky(cp)) {
			(void)buf_append(out, s.p + kept, i - kept);
			if (cp > 0xffff)
				(void)buf_appendf(out, "\\u%04x\\u%04x",
				    (unsigned)(0xd800 + ((cp - 0x10000) >> 10)),
				    (unsigned)(0xdc00 + ((cp - 0x10000) & 0x3ff)));
			else
				(void)buf_appendf(out, "\\u%04x", (unsigned)cp);
			kept = i + n;
		}
		i += n == 0 ? 1 : n;
	}
	return s.len == kept ? buf_err(out) : buf_append(out, s.p + kept, s.len - kept);
}

enum av_err
escape_text(struct buf *out, struct str s, size_t max)
{
	bool cut = s.len > max;

	if (cut)
		s.len = max;
	while (s.len > 0) {
		uint32_t cp = 0;
		size_t n = utf8_at(s, &cp);
		if (n > 0 && !is_tricky(cp)) {
			(void)buf_append(out, s.p, n);
		} else {
			n = n == 0 ? 1 : n;
			for (size_t i = 0; i < n; i++)
				(void)buf_appendf(out, "\\x%02x", (unsigned)(unsigned char)s.p[i]);
		}
		s.p += n;
		s.len -= n;
	}
	if (cut)
		(void)buf_append_str(out, "...");
	return buf_err(out);
}

void
plural(char *out, size_t out_len, uint64_t n, const char *one, const char *many)
{
	(void)snprintf(out, out_len, "%llu %s", (unsigned long long)n, n == 1 ? one : many);
}

/* stdio forgets why it failed in the middle of things; a pipe without a reader still shows it. */
static bool
reader_is_gone(void)
{
	struct pollfd out = {.fd = STDOUT_FILENO, .events = POLLOUT};

	return poll(&out, 1, 0) == 1 && (out.revents & (POLLERR | POLLHUP)) != 0;
}

int
print_lost(const char *done)
{
	int why = errno;
	char message[256];

	if (why != EPIPE && !reader_is_gone()) {
		(void)snprintf(message, sizeof(message), "%s%s%s%s", done,
		    done[0] == '\0' ? "standard output cannot be written"
		                    : ", but the answer cannot be written to standard output",
		    why == 0 ? "" : ": ", why == 0 ? "" : strerror(why));
		(void)print_failure(av_err_code(AV_ESYS), message, "");
	}
	if (freopen("/dev/null", "w", stdout) == NULL)
		return 1;
	return 1;
}

int
print_finish(int rc)
{
	errno = 0;
	if (fflush(stdout) == 0 && ferror(stdout) == 0)
		return rc;
	/* Whoever ended with an error has said so. */
	return rc == 0 ? print_lost("") : rc;
}

int
print_bytes(struct str bytes)
{
	if (fflush(stdout) != 0 || io_write_all(STDOUT_FILENO, bytes.p, bytes.len) != AV_OK)
		return print_lost("");
	return 0;
}
