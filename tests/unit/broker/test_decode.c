/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/buf.h"
#include "broker/decode.h"

#include <string.h>

static const char hello[] = "hello hello hello hello";
/* `printf 'hello hello hello hello' | gzip -n`, and zlib's own wrapper of the same. */
static const uint8_t hello_gzip[] = {0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x03,
    0xcb, 0x48, 0xcd, 0xc9, 0xc9, 0x57, 0xc8, 0x40, 0x27, 0x01, 0xe3, 0x51, 0x3d, 0x8d, 0x17, 0x00,
    0x00, 0x00};
static const uint8_t hello_zlib[] = {
    0x78, 0x9c, 0xcb, 0x48, 0xcd, 0xc9, 0xc9, 0x57, 0xc8, 0x40, 0x27, 0x01, 0x68, 0x03, 0x08, 0xb1};

static enum av_err
decode(struct decoder *d, const uint8_t *p, size_t len, size_t in_piece, size_t out_piece,
    struct buf *out)
{
	uint8_t room[4096];
	enum av_err e = AV_OK;

	while (e == AV_OK && (len > 0 || decoder_has_more(d))) {
		struct str in = {(const char *)p, len < in_piece ? len : in_piece};
		size_t used, made;

		e = decoder_feed(d, in, &used, room, out_piece, &made);
		p += used;
		len -= used;
		assert_true(made <= out_piece);
		assert_int_equal(buf_append(out, room, made), AV_OK);
	}
	return e;
}

static void
check(const char *coding, const uint8_t *p, size_t len, size_t in_piece, size_t out_piece,
    const char *want)
{
	struct decoder *d = NULL;
	struct buf out;

	buf_init(&out, 4096);
	assert_int_equal(decoder_new(str_of(coding), &d), AV_OK);
	assert_true(decoder_is_whole(d));
	assert_int_equal(decode(d, p, len, in_piece, out_piece, &out), AV_OK);
	assert_true(decoder_is_whole(d));
	assert_int_equal(out.len, strlen(want));
	assert_memory_equal(out.data, want, out.len);
	buf_clear(&out);
	decoder_free(d);
}

static void
test_pieces_of_any_size_give_the_same(void **state)
{
	size_t in, out;

	(void)state;
	for (in = 1; in <= sizeof(hello_gzip); in++) {
		for (out = 1; out <= sizeof(hello) + 1; out++) {
			check("gzip", hello_gzip, sizeof(hello_gzip), in, out, hello);
			check("deflate", hello_zlib, sizeof(hello_zlib), in, out, hello);
		}
	}
}

static void
test_members_follow_each_other(void **state)
{
	uint8_t twice[2 * sizeof(hello_gzip)];
	char want[2 * sizeof(hello)];
	size_t in;

	(void)state;
	memcpy(twice, hello_gzip, sizeof(hello_gzip));
	memcpy(twice + sizeof(hello_gzip), hello_gzip, sizeof(hello_gzip));
	memcpy(want, hello, sizeof(hello) - 1);
	memcpy(want + sizeof(hello) - 1, hello, sizeof(hello));
	for (in = 1; in <= sizeof(twice); in++)
		check("x-gzip", twice, sizeof(twice), in, 4096, want);
}

static void
test_every_cut_is_seen(void **state)
{
	size_t len;

	(void)state;
	for (len = 1; len < sizeof(hello_gzip); len++) {
		struct decoder *d = NULL;
		struct buf out;

		buf_init(&out, 4096);
		assert_int_equal(decoder_new(STR_LIT("gzip"), &d), AV_OK);
		assert_int_equal(decode(d, hello_gzip, len, len, 4096, &out), AV_OK);
		assert_false(decoder_is_whole(d));
		buf_clear(&out);
		decoder_free(d);
	}
}

static void
test_every_changed_byte_of_the_sum_is_seen(void **state)
{
	size_t i;

	(void)state;
	for (i = sizeof(hello_gzip) - 8; i < sizeof(hello_gzip); i++) {
		uint8_t changed[sizeof(hello_gzip)];
		struct decoder *d = NULL;
		struct buf out;

		memcpy(changed, hello_gzip, sizeof(changed));
		changed[i] ^= 1;
		buf_init(&out, 4096);
		assert_int_equal(decoder_new(STR_LIT("gzip"), &d), AV_OK);
		assert_int_equal(
		    decode(d, changed, sizeof(changed), sizeof(changed), 4096, &out), AV_EFORMAT);
		buf_clear(&out);
		decoder_free(d);
	}
}

static void
test_only_known_codings(void **state)
{
	static const char *const refused[] = {
	    "br", "zstd", "compress", "gzip, gzip", "gzip,", " gzip", "gzi", "gzipp", "\xff"};
	struct decoder *d = NULL;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		assert_true(decode_is_needed(str_of(refused[i])));
		assert_int_equal(decoder_new(str_of(refused[i]), &d), AV_ENOTSUP);
		assert_null(d);
	}
	assert_false(decode_is_needed(STR_LIT("")));
	assert_false(decode_is_needed(STR_LIT("Identity")));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_pieces_of_any_size_give_the_same),
	    cmocka_unit_test(test_members_follow_each_other),
	    cmocka_unit_test(test_every_cut_is_seen),
	    cmocka_unit_test(test_every_changed_byte_of_the_sum_is_seen),
	    cmocka_unit_test(test_only_known_codings),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
