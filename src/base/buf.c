/* SPDX-License-Identifier: Apache-2.0 */
#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BUF_FIRST_CAP 256u

void
av_wipe(void *p, size_t len)
{
	if (len == 0)
		return;
#ifdef __APPLE__
	memset_s(p, len, 0, len);
#else
	explicit_bzero(p, len);
#endif
}

void
buf_init(struct buf *b, size_t max)
{
	memset(b, 0, sizeof *b);
	b->max = max;
}

void
buf_clear(struct buf *b)
{
	av_wipe(b->data, b->cap);
	free(b->data);
	buf_init(b, b->max);
}

void
buf_reset(struct buf *b)
{
	av_wipe(b->data, b->cap);
	b->len = 0;
	b->err = AV_OK;
}

static enum av_err
buf_fail(struct buf *b, enum av_err e)
{
	b->err = e;
	return e;
}

/* realloc() is of no use here: it may leave the old block behind unwiped. `slack` is room beyond
 * the maximum, for a NUL that does not count. */
static enum av_err
buf_grow(struct buf *b, size_t len, size_t slack)
{
	size_t need, cap;
	uint8_t *fresh;

	if (b->err != AV_OK)
		return b->err;
	if (len > b->max || b->len > b->max - len)
		return buf_fail(b, AV_ELIMIT);
	if (b->max > SIZE_MAX / 2 && b->len + len > SIZE_MAX / 2)
		return buf_fail(b, AV_ENOMEM);
	need = b->len + len + slack;
	if (need <= b->cap)
		return AV_OK;
	cap = b->cap < BUF_FIRST_CAP ? BUF_FIRST_CAP : b->cap;
	while (cap < need)
		cap *= 2;
	fresh = malloc(cap);
	if (fresh == NULL)
		return buf_fail(b, AV_ENOMEM);
	if (b->len > 0)
		memcpy(fresh, b->data, b->len);
	av_wipe(b->data, b->cap);
	free(b->data);
	b->data = fresh;
	b->cap = cap;
	return AV_OK;
}

enum av_err
buf_reserve(struct buf *b, size_t len, uint8_t **out)
{
	enum av_err e = buf_grow(b, len, 0);

	*out = e == AV_OK && b->data != NULL ? b->data + b->len : NULL;
	return e;
}

void
buf_commit(struct buf *b, size_t len)
{
	b->len += len;
}

enum av_err
buf_append(struct buf *b, const void *p, size_t len)
{
	enum av_err e = buf_grow(b, len, 0);

	if (e != AV_OK || len == 0)
		return e;
	memcpy(b->data + b->len, p, len);
	b->len += len;
	return AV_OK;
}

enum av_err
buf_append_str(struct buf *b, const char *s)
{
	return buf_append(b, s, s == NULL ? 0 : strlen(s));
}

enum av_err
buf_append_u64(struct buf *b, uint64_t n)
{
	char digits[20];
	size_t at = sizeof(digits);

	do {
		digits[--at] = (char)('0' + n % 10);
		n /= 10;
	} while (n > 0);
	return buf_append(b, digits + at, sizeof(digits) - at);
}

enum av_err
buf_append_byte(struct buf *b, uint8_t c)
{
	return buf_append(b, &c, 1);
}

enum av_err
buf_appendf(struct buf *b, const char *fmt, ...)
{
	va_list ap;
	int n;
	enum av_err e;

	va_start(ap, fmt);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (n < 0)
		return b->err != AV_OK ? b->err : buf_fail(b, AV_ESYS);
	/* The slack takes the NUL that vsnprintf insists on. */
	e = buf_grow(b, (size_t)n, 1);
	if (e != AV_OK)
		return e;
	va_start(ap, fmt);
	(void)vsnprintf((char *)b->data + b->len, (size_t)n + 1, fmt, ap);
	va_end(ap);
	b->len += (size_t)n;
	return AV_OK;
}

void
buf_consume(struct buf *b, size_t len)
{
	size_t left;

	if (len == 0)
		return;
	if (len > b->len)
		len = b->len;
	left = b->len - len;
	if (left > 0)
		memmove(b->data, b->data + len, left);
	av_wipe(b->data + left, len);
	b->len = left;
}

const char *
buf_cstr(struct buf *b)
{
	if (buf_grow(b, 0, 1) != AV_OK)
		return NULL;
	b->data[b->len] = '\0';
	return (const char *)b->data;
}

enum av_err
buf_err(const struct buf *b)
{
	return b->err;
}
