/* SPDX-License-Identifier: Apache-2.0 */
/* Input: a byte (the strategy), a byte (length of the secret), the secret, a template. The secret
 * may be a JSON object of several. What is rendered is the template with marked secrets in it; what is
 * refused leaves nothing. */
#include "auth/fields.h"
#include "auth/render.h"

#include "vault/secret.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#define MUST(x)                  \
	do {                     \
		if (!(x))        \
			abort(); \
	} while (0)

static const enum auth_kind kinds[] = {
    AUTH_HEADER, AUTH_MULTI_HEADER, AUTH_QUERY, AUTH_MULTI_QUERY, AUTH_PATH, AUTH_BASIC};

/* `whole`: what stands in for a placeholder is the secret as it is. */
static void
check_part(const struct auth_part *p, bool whole, struct str secret)
{
	uint32_t end = 0;

	for (size_t i = 0; i < p->span_count; i++) {
		MUST(p->spans[i].offset >= end && p->spans[i].len <= p->value.len);
		end = p->spans[i].offset + p->spans[i].len;
		MUST(end <= p->value.len);
		struct str span = {p->value.p + p->spans[i].offset, p->spans[i].len};
		MUST(!whole || str_eq(span, secret));
		for (size_t k = 0; p->place == AUTH_PLACE_HEADER && k < span.len; k++)
			MUST(span.p[k] != '\r' && span.p[k] != '\n' && span.p[k] != '\0');
	}
}

static void
render(enum auth_kind kind, struct str secret, struct str template, struct secret_pool *pool)
{
	struct auth_desc auth = {.kind = kind};
	struct auth_secret known = {STR_LIT("secret"), NULL};
	struct auth_input in = {&auth, &known, 1, pool};
	struct auth_output out;
	struct secret *value = NULL;
	struct fault f = {0};

	MUST(secret_copy(pool, secret.p, secret.len, &value) == AV_OK);
	known.value = value;
	if (kind == AUTH_BASIC ||
	    pair_list_add(&auth.pairs, STR_LIT("authorization"), template) == AV_OK) {
		if (auth_render(&in, &out, &f) == AV_OK) {
			MUST(out.part_count >= 1);
			for (size_t i = 0; i < out.part_count; i++)
				check_part(&out.parts[i],
				    kind != AUTH_BASIC && !auth_fields_wanted(&in), secret);
			auth_output_clear(&out);
		} else {
			MUST(f.err != AV_OK && f.reason[0] != '\0' && out.part_count == 0);
		}
	}
	auth_desc_clear(&auth);
	secret_free(value);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct secret_pool *pool;
	const char *text = (const char *)data + 2;
	size_t len;

	if (size < 3 || size > 16384)
		return 0;
	if (pool == NULL)
		MUST(sodium_init() >= 0 && secret_pool_new(SECRET_POOL_BYTES, &pool) == AV_OK);
	len = data[1] < size - 2 ? data[1] : size - 2;
	if (len == 0)
		return 0;
	render(kinds[data[0] % (sizeof(kinds) / sizeof(kinds[0]))], (struct str){text, len},
	    (struct str){text + len, size - 2 - len}, pool);
	return 0;
}
