/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fields.h - one secret that is a JSON object, read as several named ones.
 *
 * A credential made by hand has one secret, {{secret}}. Where its templates name others, or basic
 * auth has no user name, that secret is a JSON object: each member is a string under its own name,
 * or an object of such, whose names follow after a '.'. Basic auth takes exactly
 * {"username": "...", "password": "..."}. The values go to the pool of secrets; what they pass
 * through is wiped.
 */
#ifndef AV_AUTH_FIELDS_H
#define AV_AUTH_FIELDS_H

#include "auth/render.h"

#define AUTH_FIELDS_MAX 32u
#define AUTH_FIELD_NAME_MAX 128u /* with the dots */

struct auth_fields {
	struct auth_secret items[AUTH_FIELDS_MAX];
	char *names[AUTH_FIELDS_MAX];
	size_t count;
};

/* Does this auth need its one secret taken apart? */
bool auth_fields_wanted(const struct auth_input *in);
/* AV_EAUTH secret_not_user_password, secret_not_fields: it is no such object; AV_ELIMIT: the pool is
 * full. *out is empty then. */
enum av_err auth_fields_read(
    const struct auth_input *in, struct auth_fields *out, struct fault *f) AV_MUST_USE;
void auth_fields_clear(struct auth_fields *fields);

#endif
