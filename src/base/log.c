/* SPDX-License-Identifier: Apache-2.0 */
#include "base/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define LOG_LINE_MAX 1024u

static struct {
	char program[32];
	enum log_level max;
	long pid; /* kept: the confined judge may not ask for it */
} log_state = {"aivault", LOG_LEVEL_INFO, 0};

static const char *const level_names[] = {"error", "warning", "info", "debug"};

void
log_open(const char *program, enum log_level max)
{
	(void)snprintf(log_state.program, sizeof log_state.program, "%s", program);
	log_state.max = max;
	log_state.pid = (long)getpid();
}

/* What callers name may come from an agent: a raw ESC or newline would let it forge lines. */
static size_t
log_escape(char *out, size_t room, const char *text)
{
	static const char hex[] = "0123456789abcdef";
	size_t n = 0;

	for (; *text != '\0'; text++) {
		unsigned char c = (unsigned char)*text;

		if (c >= 0x20 && c <= 0x7e) {
			if (n + 1 > room)
				break;
			out[n++] = (char)c;
			continue;
		}
		if (n + 4 > room)
			break;
		out[n++] = '\\';
		out[n++] = 'x';
		out[n++] = hex[c >> 4];
		out[n++] = hex[c & 0x0f];
	}
	return n;
}

void
log_msg(enum log_level level, const char *fmt, ...)
{
	char text[LOG_LINE_MAX];
	char line[LOG_LINE_MAX];
	int saved = errno;
	va_list ap;
	int head;
	size_t len;
	ssize_t n;

	if (level > log_state.max)
		return;
	va_start(ap, fmt);
	if (vsnprintf(text, sizeof text, fmt, ap) < 0)
		text[0] = '\0';
	va_end(ap);
	head = snprintf(line, sizeof line, "%s[%ld]: %s: ", log_state.program,
	    log_state.pid != 0 ? log_state.pid : (long)getpid(), level_names[level]);
	len = head < 0 ? 0 : (size_t)head;
	len += log_escape(line + len, sizeof line - 1 - len, text);
	line[len++] = '\n';
	/* One write a line, so that the lines of several processes do not mix. */
	do {
		n = write(STDERR_FILENO, line, len);
	} while (n < 0 && errno == EINTR);
	errno = saved;
}
