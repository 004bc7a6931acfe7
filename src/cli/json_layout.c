/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/print.h"

#include "base/io.h"

#include <string.h>
#include <unistd.h>

#define LAYOUT_MAX (256u * 1024u * 1024u)

static void
newline(struct buf *out, unsigned depth)
{
	(void)buf_append_byte(out, '\n');
	for (unsigned i = 0; i < depth; i++)
		(void)buf_append_str(out, "  ");
}

/* Length of the string token that begins at s.p[0] == '"'. */
static size_t
string_length(struct str s)
{
	for (size_t i = 1; i < s.len; i++) {
		if (s.p[i] == '\\')
			i++;
		else if (s.p[i] == '"')
			return i + 1;
	}
	return s.len;
}

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static struct str
skip_blanks(struct str s)
{
	while (s.len > 0 && is_blank(s.p[0])) {
		s.p++;
		s.len--;
	}
	return s;
}

static struct str
skip(struct str s, size_t n)
{
	return (struct str){s.p + n, s.len - n};
}

enum av_err
json_layout(struct buf *out, struct str s, unsigned depth)
{
	for (s = skip_blanks(s); s.len > 0; s = skip_blanks(s)) {
		char c = s.p[0];
		size_t n = 1;

		if (c == '{' || c == '[') {
			struct str next = skip_blanks(skip(s, 1));
			(void)buf_append_byte(out, (uint8_t)c);
			if (next.len > 0 && (next.p[0] == '}' || next.p[0] == ']')) {
				(void)buf_append_byte(out, (uint8_t)next.p[0]);
				s = skip(next, 1);
				continue;
			}
			newline(out, ++depth);
		} else if (c == '}' || c == ']') {
			newline(out, depth == 0 ? 0 : --depth);
			(void)buf_append_byte(out, (uint8_t)c);
		} else if (c == ',') {
			(void)buf_append_byte(out, ',');
			newline(out, depth);
		} else if (c == ':') {
			(void)buf_append_str(out, ": ");
		} else {
			if (c == '"') {
				n = string_length(s);
			} else {
				while (n < s.len && strchr("{}[],:\"", s.p[n]) == NULL &&
				    !is_blank(s.p[n]))
					n++;
			}
			(void)buf_append(out, s.p, n);
		}
		s = skip(s, n);
	}
	return buf_err(out);
}

int
print_json_of(struct str text, const char *done)
{
	struct buf laid, out;
	int rc = 0;

	buf_init(&laid, LAYOUT_MAX);
	buf_init(&out, LAYOUT_MAX);
	if (json_layout(&laid, text, 0) != AV_OK || buf_append_byte(&laid, '\n') != AV_OK ||
	    json_escape(&out, (struct str){(const char *)laid.data, laid.len}) != AV_OK)
		rc = print_failure("vault_unavailable", "out of memory", "");
	else if (fflush(stdout) != 0 || io_write_all(STDOUT_FILENO, out.data, out.len) != AV_OK)
		rc = print_lost(done);
	buf_clear(&laid);
	buf_clear(&out);
	return rc;
}

int
print_json(struct str text)
{
	return print_json_of(text, "");
}
