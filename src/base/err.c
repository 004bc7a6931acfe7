/* SPDX-License-Identifier: Apache-2.0 */
#include "base/err.h"

#include "base/str.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct err_row {
	const char *name;
	const char *code;
	const char *text;
	int http;
	int exit_code;
};

static const struct err_row rows[AV_ERR_COUNT] = {
#define X(name, code, http, ex, text) [name] = {#name, code, text, http, ex},
    AV_ERRORS(X)
#undef X
};

static const struct err_row *
row_of(enum av_err e)
{
	if ((unsigned)e >= AV_ERR_COUNT)
		return &rows[AV_ESYS];
	return &rows[e];
}

const char *
av_err_name(enum av_err e)
{
	return row_of(e)->name;
}

const char *
av_err_code(enum av_err e)
{
	return row_of(e)->code;
}

int
av_err_http(enum av_err e)
{
	return row_of(e)->http;
}

int
av_err_exit(enum av_err e)
{
	return row_of(e)->exit_code;
}

const char *
av_err_text(enum av_err e)
{
	return row_of(e)->text;
}

/* A cut in the middle of a UTF-8 sequence would make the whole message unprintable as JSON. */
static void
cut_utf8(char *s, size_t len)
{
	size_t back = 0;
	unsigned char lead;
	size_t need;

	while (back < len && back < 4 && ((unsigned char)s[len - 1 - back] & 0xc0u) == 0x80u)
		back++;
	if (back == len)
		return;
	lead = (unsigned char)s[len - 1 - back];
	need = lead >= 0xf0u ? 3 : lead >= 0xe0u ? 2 : lead >= 0xc0u ? 1 : 0;
	if (lead >= 0xc0u && back < need)
		s[len - 1 - back] = '\0';
}

static void
copy_cut(char *out, size_t room, const char *in)
{
	size_t len = in == NULL ? 0 : strlen(in);

	if (len < room) {
		if (len > 0)
			memcpy(out, in, len);
		out[len] = '\0';
		return;
	}
	memcpy(out, in, room - 1);
	out[room - 1] = '\0';
	cut_utf8(out, room - 1);
}

/* A path of other bytes than UTF-8 must not make the message one that no frame and no JSON can carry. */
static void
show_as_text(char *text)
{
	if (str_is_utf8(str_of(text)))
		return;
	for (; *text != '\0'; text++) {
		if ((unsigned char)*text >= 0x80)
			*text = '?';
	}
}

enum av_err
fault_set(
    struct fault *f, enum av_err err, const char *reason, const char *remedy, const char *fmt, ...)
{
	struct fault made; /* the arguments may point into *f */
	va_list ap;
	int n;

	if (f == NULL)
		return err;
	memset(&made, 0, sizeof made);
	made.err = err;
	copy_cut(made.reason, sizeof made.reason, reason);
	copy_cut(made.remedy, sizeof made.remedy, remedy);
	va_start(ap, fmt);
	n = vsnprintf(made.message, sizeof made.message, fmt, ap);
	va_end(ap);
	if (n < 0)
		copy_cut(made.message, sizeof made.message, av_err_text(err));
	else if ((size_t)n >= sizeof made.message)
		cut_utf8(made.message, sizeof made.message - 1);
	show_as_text(made.message);
	show_as_text(made.remedy);
	*f = made;
	return err;
}
