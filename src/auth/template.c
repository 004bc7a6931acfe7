/* SPDX-License-Identifier: Apache-2.0 */
#include "auth/template.h"

#include "vault/secret.h"
#include "wire/limits.h"

#include <string.h>

struct piece {
	struct str text; /* literal, or the placeholder's name */
	bool is_secret;
};

/* Takes the next piece off `rest`. AV_EFORMAT: braces that do not close. */
static enum av_err
next_piece(struct str *rest, struct piece *out)
{
	size_t i = 0;
	while (i + 1 < rest->len && !(rest->p[i] == '{' && rest->p[i + 1] == '{'))
		i++;
	if (i + 1 >= rest->len)
		i = rest->len;
	if (i > 0) {
		*out = (struct piece){{rest->p, i}, false};
		*rest = (struct str){rest->p + i, rest->len - i};
		return AV_OK;
	}
	size_t end = 2;
	while (end + 1 < rest->len && !(rest->p[end] == '}' && rest->p[end + 1] == '}'))
		end++;
	if (end + 1 >= rest->len)
		return AV_EFORMAT;
	*out = (struct piece){str_trim((struct str){rest->p + 2, end - 2}), true};
	*rest = (struct str){rest->p + end + 2, rest->len - end - 2};
	return AV_OK;
}

static bool
is_unreserved(uint8_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	    c == '-' || c == '.' || c == '_' || c == '~';
}

/* RFC 9110 5.5: visible ASCII, blanks inside, bytes above 0x7f. */
static bool
fits_header(const struct secret *s)
{
	const uint8_t *p = secret_view(s);
	for (size_t i = 0; i < secret_len(s); i++)
		if ((p[i] < 0x20 && p[i] != '\t') || p[i] == 0x7f)
			return false;
	return true;
}

/* RFC 3986 3.3, pchar without '%'. */
static bool
fits_path(const struct secret *s)
{
	const uint8_t *p = secret_view(s);
	bool only_dots = true;
	for (size_t i = 0; i < secret_len(s); i++) {
		if (!is_unreserved(p[i]) && (p[i] == '\0' || strchr("!$&'()*+,;=:@", p[i]) == NULL))
			return false;
		only_dots = only_dots && p[i] == '.';
	}
	return !only_dots;
}

static enum av_err
check_secret(const struct secret *s, enum template_use use, struct fault *f)
{
	if (use == TEMPLATE_HEADER && !fits_header(s))
		return fault_set(f, AV_EAUTH, "secret_not_a_header_value",
		    "Store the secret again, without line breaks",
		    "the secret has bytes that cannot stand in a header");
	if (use == TEMPLATE_PATH && !fits_path(s))
		return fault_set(f, AV_EAUTH, "secret_not_a_path_value", "Store the secret again",
		    "the secret has bytes that cannot stand in a path");
	return AV_OK;
}

/* First walk: everything is there, fits and is short enough. */
static enum av_err
measure(const struct auth_input *in, struct str text, enum template_use use, size_t *len,
    struct fault *f)
{
	struct piece p;
	size_t spans = 0;
	*len = 0;
	while (text.len > 0) {
		if (next_piece(&text, &p) != AV_OK)
			return fault_set(f, AV_EAUTH, "template_invalid", "",
			    "a template's braces do not close");
		if (!p.is_secret) {
			*len += p.text.len;
			continue;
		}
		const struct secret *s = auth_find_secret(in, p.text);
		if (s == NULL || ++spans > KEEPER_MAX_SPANS)
			return fault_set(f, AV_EAUTH,
			    s == NULL ? "secret_missing" : "template_invalid", "",
			    s == NULL
			        ? "the template names a secret that the credential does not have"
			        : "the template names too many secrets");
		enum av_err e = check_secret(s, use, f);
		if (e != AV_OK)
			return e;
		*len += secret_len(s);
		if (*len > WIRE_RENDERED_MAX)
			return fault_set(f, AV_EAUTH, "secret_too_long", "",
			    "the rendered auth is over 128 KiB");
	}
	return AV_OK;
}

enum av_err
template_render(const struct auth_input *in, struct str text, enum template_use use,
    struct secret **out, struct secret_span spans[KEEPER_MAX_SPANS], size_t *span_count,
    struct fault *f)
{
	size_t len = 0, at = 0;
	struct secret *s = NULL;
	struct piece p;
	*span_count = 0;
	enum av_err e = measure(in, text, use, &len, f);
	if (e != AV_OK)
		return e;
	e = secret_new(in->pool, len, &s);
	if (e != AV_OK)
		return fault_set(f, e, "secret_memory", "", "the memory for secrets is used up");
	while (text.len > 0 && next_piece(&text, &p) == AV_OK) {
		if (!p.is_secret) {
			memcpy(secret_bytes(s) + at, p.text.p, p.text.len);
			at += p.text.len;
			continue;
		}
		const struct secret *from = auth_find_secret(in, p.text);
		size_t n = secret_len(from);
		memcpy(secret_bytes(s) + at, secret_view(from), n);
		spans[(*span_count)++] = (struct secret_span){(uint32_t)at, (uint32_t)n};
		at += n;
	}
	*out = s;
	return AV_OK;
}
