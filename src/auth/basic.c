/* SPDX-License-Identifier: Apache-2.0 */
/*
 * RFC 7617. User name: a fixed one (pairs[0] = "username"), or the secret {{username}}. Password:
 * the secret {{password}}, else {{secret}}. With neither user name, {{secret}} is "user:password", or
 * JSON that fields.c has taken apart.
 */
#include "auth/render.h"

#include "vault/secret.h"

#include <sodium.h>
#include <string.h>

#define SCHEME "Basic "
#define SCHEME_LEN (sizeof(SCHEME) - 1)

/* RFC 7617 section 2: neither part has control characters. */
static bool
has_control(const uint8_t *p, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (p[i] < 0x20 || p[i] == 0x7f)
			return true;
	return false;
}

static enum av_err
join_user(const struct auth_input *in, struct secret **out, struct fault *f)
{
	const struct secret *user = auth_find_secret(in, STR_LIT("username"));
	const struct secret *password = auth_find_secret(in, STR_LIT("password"));
	struct str fixed = {NULL, 0};
	if (password == NULL)
		password = auth_find_secret(in, STR_LIT("secret"));
	if (in->auth->pairs.count > 0)
		fixed = str_of(in->auth->pairs.items[0].value);
	if (password == NULL)
		return fault_set(f, AV_EAUTH, "secret_missing", "", "basic auth has no password");
	const uint8_t *head = fixed.p != NULL ? (const uint8_t *)fixed.p
	    : user != NULL                    ? secret_view(user)
	                                      : NULL;
	size_t head_len = fixed.p != NULL ? fixed.len : user != NULL ? secret_len(user) : 0;
	/* The user name ends at the first colon, so it cannot hold one. */
	if (head != NULL && memchr(head, ':', head_len) != NULL)
		return fault_set(f, AV_EAUTH, "user_name_invalid", "", "a user name has no ':'");
	if (head == NULL && memchr(secret_view(password), ':', secret_len(password)) == NULL)
		return fault_set(f, AV_EAUTH, "secret_not_user_password",
		    "Store it as user:password", "basic auth needs a user name and a password");
	if ((head != NULL && has_control(head, head_len)) ||
	    has_control(secret_view(password), secret_len(password)))
		return fault_set(f, AV_EAUTH, "secret_not_user_password",
		    "Store the secret again, without line breaks",
		    "basic auth takes no control characters");
	size_t len = (head != NULL ? head_len + 1 : 0) + secret_len(password);
	enum av_err e = secret_new(in->pool, len, out);
	if (e != AV_OK)
		return fault_set(f, e, "secret_memory", "", "the memory for secrets is used up");
	uint8_t *to = secret_bytes(*out);
	if (head != NULL) {
		memcpy(to, head, head_len);
		to[head_len] = ':';
		to += head_len + 1;
	}
	memcpy(to, secret_view(password), secret_len(password));
	return AV_OK;
}

enum av_err
auth_render_basic(const struct auth_input *in, struct auth_output *out, struct fault *f)
{
	struct secret *plain = NULL, *coded = NULL, *value = NULL;
	enum av_err e = join_user(in, &plain, f);
	if (e != AV_OK)
		return e;
	/* One byte more for the NUL that sodium writes. */
	size_t room = sodium_base64_encoded_len(secret_len(plain), sodium_base64_VARIANT_ORIGINAL);
	e = secret_new(in->pool, room, &coded);
	if (e == AV_OK)
		e = secret_new(in->pool, SCHEME_LEN + room - 1, &value);
	if (e == AV_OK) {
		sodium_bin2base64((char *)secret_bytes(coded), room, secret_view(plain),
		    secret_len(plain), sodium_base64_VARIANT_ORIGINAL);
		memcpy(secret_bytes(value), SCHEME, SCHEME_LEN);
		memcpy(secret_bytes(value) + SCHEME_LEN, secret_view(coded), room - 1);
		struct secret_span span = {SCHEME_LEN, (uint32_t)(room - 1)};
		e = auth_add_part(
		    out, AUTH_PLACE_HEADER, STR_LIT("authorization"), value, &span, 1);
	}
	secret_free(coded);
	secret_free(plain);
	return e == AV_OK ? AV_OK : fault_set(f, e, "secret_memory", "", "%s", av_err_text(e));
}
