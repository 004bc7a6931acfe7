/* SPDX-License-Identifier: Apache-2.0 */
/*
 * render.h - from a description of an auth and its secrets to the parts of one request.
 *
 * One file a strategy (header.c, query.c, ...), each with one function of the type auth_render_fn
 * and one row in render.c. What is rendered lives in the secret pool; every byte that came from a
 * secret is marked as a span, which is also what the broker scrubs from the answer. A strategy never
 * puts secret bytes into a fault.
 */
#ifndef AV_AUTH_RENDER_H
#define AV_AUTH_RENDER_H

#include "reach/manifest.h"
#include "wire/keeper.h"

struct secret;
struct secret_pool;

struct auth_secret {
	struct str placeholder; /* "secret", "username", ... */
	const struct secret *value;
};

struct auth_input {
	const struct auth_desc *auth; /* borrows all */
	const struct auth_secret *secrets;
	size_t secret_count;
	struct secret_pool *pool;
};

/* Parts for keeper_released; owns names and values until auth_output_clear. */
struct auth_output {
	struct auth_part parts[KEEPER_MAX_PARTS];
	struct secret *values[KEEPER_MAX_PARTS];
	char *names[KEEPER_MAX_PARTS];
	size_t part_count;
};

typedef enum av_err (*auth_render_fn)(
    const struct auth_input *in, struct auth_output *out, struct fault *f);

/* AV_EAUTH with a reason: secret_missing (a template names one that the credential has not),
 * secret_not_a_header_value, secret_not_a_path_value, secret_not_user_password, secret_not_fields,
 * user_name_invalid, template_invalid; AV_ENOTSUP: the strategy is not in this version. *out is cleared on failure. */
enum av_err auth_render(
    const struct auth_input *in, struct auth_output *out, struct fault *f) AV_MUST_USE;
void auth_output_clear(struct auth_output *out);

/* Names that the strategy sets itself, so that no caller may: headers in lower case. */
enum av_err auth_managed(
    const struct auth_desc *a, struct string_list *headers, struct string_list *query) AV_MUST_USE;
bool auth_is_supported(enum auth_kind k);

/* For the strategies: adds one part and takes `value` (also on failure). Name is copied. */
enum av_err auth_add_part(struct auth_output *out, enum auth_place place, struct str name,
    struct secret *value, const struct secret_span *spans, size_t span_count) AV_MUST_USE;
const struct secret *auth_find_secret(const struct auth_input *in, struct str placeholder);

auth_render_fn auth_strategy(enum auth_kind k); /* NULL: not in this version */
enum av_err auth_render_header(
    const struct auth_input *in, struct auth_output *out, struct fault *f);
enum av_err auth_render_multi_header(
    const struct auth_input *in, struct auth_output *out, struct fault *f);
enum av_err auth_render_query(
    const struct auth_input *in, struct auth_output *out, struct fault *f);
enum av_err auth_render_multi_query(
    const struct auth_input *in, struct auth_output *out, struct fault *f);
enum av_err auth_render_path(const struct auth_input *in, struct auth_output *out, struct fault *f);
enum av_err auth_render_basic(
    const struct auth_input *in, struct auth_output *out, struct fault *f);

#endif
