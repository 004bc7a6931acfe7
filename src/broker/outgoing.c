/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/outgoing.h"

#include "broker/needle_forms.h"

#include <string.h>

#define REDACTED "REDACTED"

static bool
in_span(const struct auth_part *p, size_t at, bool *starts)
{
	size_t i;

	for (i = 0; i < p->span_count; i++) {
		if (at >= p->spans[i].offset && at - p->spans[i].offset < p->spans[i].len) {
			*starts = at == p->spans[i].offset;
			return true;
		}
	}
	return false;
}

/* RFC 3986 pchar, without '%'. */
static bool
is_path_byte(unsigned char c)
{
	if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'))
		return true;
	return c != '\0' && strchr("-._~!$&'()*+,;=:@", c) != NULL;
}

/* The template's bytes go as they are, the secret's encoded where a path needs it. */
static enum av_err
put_path_part(const struct auth_part *p, struct buf *target, struct buf *shown, struct fault *f)
{
	size_t i;

	for (i = 0; i < p->value.len; i++) {
		unsigned char c = (unsigned char)p->value.p[i];
		bool starts = false;

		if (!in_span(p, i, &starts)) {
			(void)buf_append_byte(target, c);
			(void)buf_append_byte(shown, c);
			continue;
		}
		if (starts)
			(void)buf_append_str(shown, REDACTED);
		if (c == '/' || c == '?' || c == '#' || c < 0x20 || c == 0x7f)
			return fault_set(f, AV_EAUTH, "auth_path_invalid", "Store another secret.",
			    "The secret holds invalid characters for a path.");
		if (is_path_byte(c))
			(void)buf_append_byte(target, c);
		else
			(void)buf_appendf(target, "%%%02X", c);
	}
	return AV_OK;
}

static enum av_err
put_query_part(const struct auth_part *p, bool first, struct buf *target, struct buf *shown)
{
	struct buf *outs[2] = {target, shown};
	enum av_err e = AV_OK;
	size_t i;

	for (i = 0; i < 2 && e == AV_OK; i++) {
		(void)buf_append_byte(outs[i], first ? '?' : '&');
		e = percent_encode(outs[i], p->name);
		(void)buf_append_byte(outs[i], '=');
	}
	if (e == AV_OK)
		e = percent_encode(target, p->value);
	(void)buf_append_str(shown, REDACTED);
	return e;
}

enum av_err
outgoing_build(const struct keeper_resolved *r, const struct target *t,
    const struct keeper_released *released, struct buf *target, struct buf *shown, struct fault *f)
{
	bool first = !t->has_query;
	enum av_err e = AV_OK;
	size_t i;

	(void)buf_append_str(shown, "https://");
	(void)buf_append_str(shown, r->host);
	(void)buf_append_str(target, r->path_prefix);
	(void)buf_append_str(shown, r->path_prefix);
	for (i = 0; i < released->part_count && e == AV_OK; i++) {
		if (released->parts[i].place == AUTH_PLACE_PATH)
			e = put_path_part(&released->parts[i], target, shown, f);
	}
	if (e != AV_OK)
		return e;
	(void)buf_append(target, t->path.data, t->path.len);
	(void)buf_append(shown, t->path.data, t->path.len);
	if (t->has_query) {
		(void)buf_append_byte(target, '?');
		(void)buf_append(target, t->query.data, t->query.len);
		(void)buf_append_byte(shown, '?');
		(void)buf_append(shown, t->query.data, t->query.len);
	}
	for (i = 0; i < released->part_count && e == AV_OK; i++) {
		if (released->parts[i].place != AUTH_PLACE_QUERY)
			continue;
		e = put_query_part(&released->parts[i], first, target, shown);
		first = false;
	}
	if (e == AV_OK)
		e = buf_err(target);
	if (e == AV_OK)
		e = buf_err(shown);
	return e == AV_OK ? AV_OK
	                  : fault_set(f, AV_EAUTH, "auth_too_long", "Send a shorter path or query.",
	                        "Path, query and credential together are too long.");
}

/* The span of basic auth covers base64 of user:password; the password may come back by itself. */
static enum av_err
add_basic(struct scrub *s, struct str coded)
{
	struct buf plain;
	uint8_t *to = NULL;
	const uint8_t *colon;
	size_t len = coded.len;
	enum av_err e;

	buf_init(&plain, SCRUB_MAX_NEEDLE);
	e = buf_reserve(&plain, len, &to);
	if (e != AV_OK || b64_decode(coded, to, &len) != AV_OK) {
		buf_clear(&plain);
		return e;
	}
	buf_commit(&plain, len);
	e = needle_forms_add(s, (struct str){(const char *)plain.data, len});
	colon = memchr(plain.data, ':', len);
	if (e == AV_OK && colon != NULL)
		e = needle_forms_add(s,
		    (struct str){(const char *)colon + 1, (size_t)(plain.data + len - colon) - 1});
	buf_clear(&plain);
	return e;
}

enum av_err
outgoing_needles(const struct keeper_released *released, struct scrub *s)
{
	enum av_err e = AV_OK;
	size_t i, j;

	for (i = 0; i < released->part_count; i++) {
		const struct auth_part *p = &released->parts[i];
		bool basic =
		    p->place == AUTH_PLACE_HEADER && str_starts(p->value, STR_LIT("Basic "));

		for (j = 0; j < p->span_count && e == AV_OK; j++) {
			struct str secret = {p->value.p + p->spans[j].offset, p->spans[j].len};

			e = needle_forms_add(s, secret);
			if (e == AV_OK && basic)
				e = add_basic(s, secret);
		}
	}
	return e;
}
