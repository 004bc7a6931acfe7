/* SPDX-License-Identifier: Apache-2.0 */
/*
 * room.h - one auth, its secrets and a pool for what is rendered, for the tests of this layer.
 */
#ifndef AV_TEST_AUTH_ROOM_H
#define AV_TEST_AUTH_ROOM_H

#include "auth/render.h"
#include "vault/box.h"
#include "vault/secret.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

struct room {
	struct secret_pool *pool;
	struct auth_desc auth;
	struct auth_secret secrets[3];
	size_t count;
};

static inline void
room_open(struct room *r, enum auth_kind kind, const char *name, const char *value)
{
	memset(r, 0, sizeof(*r));
	assert_int_equal(secret_pool_new(64 * 1024, &r->pool), AV_OK);
	r->auth.kind = kind;
	if (name != NULL)
		assert_int_equal(pair_list_add(&r->auth.pairs, str_of(name), str_of(value)), AV_OK);
}

static inline void
room_secret_bytes(struct room *r, const char *placeholder, const char *value, size_t len)
{
	struct secret *s = NULL;
	assert_int_equal(secret_copy(r->pool, value, len, &s), AV_OK);
	r->secrets[r->count++] = (struct auth_secret){str_of(placeholder), s};
}

static inline void
room_secret(struct room *r, const char *placeholder, const char *value)
{
	room_secret_bytes(r, placeholder, value, strlen(value));
}

static inline void
room_close(struct room *r)
{
	for (size_t i = 0; i < r->count; i++)
		secret_free((struct secret *)(uintptr_t)r->secrets[i].value);
	auth_desc_clear(&r->auth);
	secret_pool_free(r->pool);
}

static inline enum av_err
room_render(struct room *r, struct auth_output *out, struct fault *f)
{
	struct auth_input in = {&r->auth, r->secrets, r->count, r->pool};
	memset(f, 0, sizeof(*f));
	return auth_render(&in, out, f);
}

static inline void
assert_value(const struct auth_part *p, const char *want)
{
	assert_int_equal(p->value.len, strlen(want));
	assert_memory_equal(p->value.p, want, p->value.len);
}

static inline void
room_pair(struct room *r, const char *name, const char *value)
{
	assert_int_equal(pair_list_add(&r->auth.pairs, str_of(name), str_of(value)), AV_OK);
}

/* Part `i` of what was rendered is exactly this. */
static inline void
assert_part(const struct auth_output *out, size_t i, enum auth_place place, const char *name,
    const char *value)
{
	assert_true(i < out->part_count);
	assert_int_equal(out->parts[i].place, place);
	assert_true(str_eq_cstr(out->parts[i].name, name));
	assert_value(&out->parts[i], value);
}

/* What is secret of a part: one span. */
static inline void
assert_span(const struct auth_output *out, size_t i, size_t offset, size_t len)
{
	assert_int_equal(out->parts[i].span_count, 1);
	assert_int_equal(out->parts[i].spans[0].offset, offset);
	assert_int_equal(out->parts[i].spans[0].len, len);
}

/* It is refused with `reason`, and nothing of it is left or shown. */
static inline void
assert_refused(struct room *r, const char *reason, const char *never_shown)
{
	struct auth_output out;
	struct fault f;
	assert_int_equal(room_render(r, &out, &f), AV_EAUTH);
	assert_string_equal(f.reason, reason);
	assert_null(strstr(f.message, never_shown));
	assert_null(strstr(f.remedy, never_shown));
	assert_int_equal(out.part_count, 0);
}

#endif
