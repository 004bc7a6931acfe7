/* SPDX-License-Identifier: Apache-2.0 */
/* whole.h - what every message promises: it is read whole or not at all. Include after cmocka.h. */
#ifndef AV_TEST_WHOLE_H
#define AV_TEST_WHOLE_H

#include "base/frame.h"
#include "wire/caller.h"

#include <stdlib.h>
#include <string.h>

/* Decodes and clears again. */
typedef enum av_err (*decode_fn)(const struct frame *f);

static struct frame
whole_frame(const struct buf *b)
{
	struct frame f = {0};
	size_t used = 0;

	assert_int_equal(frame_parse(b->data, b->len, &f, &used), AV_OK);
	assert_int_equal(used, b->len);
	return f;
}

static inline void
assert_same_caller(const struct caller *a, const struct caller *b)
{
	assert_int_equal(a->uid, b->uid);
	assert_int_equal(a->gid, b->gid);
	assert_int_equal(a->pid, b->pid);
	assert_string_equal(a->name, b->name);
	assert_string_equal(a->program, b->program);
	assert_string_equal(a->workspace, b->workspace);
	assert_string_equal(a->group, b->group);
}

/* The payload stands in a block of exactly its size, so that a read beyond it is seen by ASan. */
static void
assert_read_whole(const struct buf *b, decode_fn decode)
{
	struct frame f = whole_frame(b), part = f;
	uint8_t *copy;

	assert_int_equal(decode(&f), AV_OK);
	for (size_t n = 0; n < f.len; n++) {
		copy = malloc(n == 0 ? 1 : n);
		assert_non_null(copy);
		memcpy(copy, f.payload, n);
		part.payload = copy;
		part.len = n;
		assert_int_not_equal(decode(&part), AV_OK);
		free(copy);
	}
	copy = malloc(f.len + 1);
	assert_non_null(copy);
	memcpy(copy, f.payload, f.len);
	copy[f.len] = 0;
	part.payload = copy;
	part.len = f.len + 1;
	assert_int_equal(decode(&part), AV_EFORMAT);
	part.len = f.len;
	assert_int_equal(decode(&part), AV_OK);
	part.type = (uint16_t)(f.type + 1);
	assert_int_equal(decode(&part), AV_EFORMAT);
	/* Whatever one changed byte does, it must not be worse than an error. */
	part.type = f.type;
	for (size_t n = 0; n < f.len; n++) {
		copy[n] ^= 0xff;
		(void)(decode(&part) == AV_OK);
		copy[n] ^= 0xff;
	}
	free(copy);
}

#endif
