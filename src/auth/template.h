/* SPDX-License-Identifier: Apache-2.0 */
/*
 * template.h - text with {{placeholders}} for secrets.
 *
 * "{{" opens, "}}" closes, blanks inside are dropped; anything else is text. At most
 * KEEPER_MAX_SPANS placeholders.
 */
#ifndef AV_AUTH_TEMPLATE_H
#define AV_AUTH_TEMPLATE_H

#include "auth/render.h"

enum template_use {
	TEMPLATE_HEADER, /* bytes that a field value may not hold are refused */
	TEMPLATE_QUERY, /* any bytes: the broker percent-encodes whatever enters a query */
	TEMPLATE_PATH /* only bytes that stand in one path segment unescaped are taken */
};

enum av_err template_render(const struct auth_input *in, struct str text, enum template_use use,
    struct secret **out, struct secret_span spans[KEEPER_MAX_SPANS], size_t *span_count,
    struct fault *f) AV_MUST_USE;

#endif
