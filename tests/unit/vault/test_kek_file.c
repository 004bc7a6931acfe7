/* SPDX-License-Identifier: Apache-2.0 */
/* The key file: made once, never overwritten, read only when it is nobody else's. */
#include "base/io.h"
#include "vault/box.h"
#include "vault/kek.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

struct room {
	char dir[64];
	char key[128];
};

static int
setup(void **state)
{
	static struct room r;
	snprintf(r.dir, sizeof(r.dir), "/tmp/aivault-kek-XXXXXX");
	if (mkdtemp(r.dir) == NULL)
		return -1;
	snprintf(r.key, sizeof(r.key), "%s/kek.key", r.dir);
	*state = &r;
	return 0;
}

static int
teardown(void **state)
{
	struct room *r = *state;
	unlink(r->key);
	return rmdir(r->dir);
}

static void
test_made_key_loads_again_with_the_same_id(void **state)
{
	struct room *r = *state;
	struct kek *a = NULL, *b = NULL;
	struct fault f = {0};
	struct stat st;
	assert_int_equal(kek_file_create(r->key, &a, &f), AV_OK);
	assert_int_equal(stat(r->key, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(st.st_size, 44);
	assert_int_equal(kek_file_load(r->key, &b, &f), AV_OK);
	assert_string_equal(kek_id(a), kek_id(b));
	assert_int_equal(strlen(kek_id(a)), 64);
	kek_free(a);
	kek_free(b);
}

static void
test_existing_key_file_is_never_overwritten(void **state)
{
	struct room *r = *state;
	struct kek *k = NULL;
	struct fault f = {0};
	struct buf b;
	assert_int_equal(io_create_file(AT_FDCWD, r->key, 0600, "not a key", 9), AV_OK);
	assert_int_equal(kek_file_create(r->key, &k, &f), AV_EEXISTS);
	assert_null(k);
	buf_init(&b, 64);
	assert_int_equal(io_read_file(AT_FDCWD, r->key, 64, &b), AV_OK);
	assert_memory_equal(b.data, "not a key", 9);
	buf_clear(&b);
	assert_int_equal(kek_file_load(r->key, &k, &f), AV_EKEY);
	assert_string_equal(f.reason, "key_malformed");
	assert_non_null(strstr(f.message, r->key));
	assert_null(strstr(f.message, "not a key"));
}

static void
test_key_file_that_others_can_read_is_refused(void **state)
{
	struct room *r = *state;
	struct kek *k = NULL;
	struct fault f = {0};
	assert_int_equal(kek_file_create(r->key, &k, &f), AV_OK);
	kek_free(k);
	k = NULL;
	assert_int_equal(chmod(r->key, 0640), 0);
	assert_int_equal(kek_file_load(r->key, &k, &f), AV_EKEY);
	assert_string_equal(f.reason, "key_mode");
	assert_null(k);
}

static void
test_link_in_place_of_the_key_is_refused(void **state)
{
	struct room *r = *state;
	struct kek *k = NULL;
	struct fault f = {0};
	assert_int_equal(symlink("/etc/hostname", r->key), 0);
	assert_int_equal(kek_file_load(r->key, &k, &f), AV_EKEY);
	assert_int_equal(kek_file_create(r->key, &k, &f), AV_EEXISTS);
	assert_null(k);
}

static void
test_key_in_hex_or_with_a_line_end_is_read(void **state)
{
	struct room *r = *state;
	struct kek *a = NULL, *b = NULL;
	struct fault f = {0};
	const char hex[] = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\n";
	const char b64[] = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n";
	assert_int_equal(io_create_file(AT_FDCWD, r->key, 0600, hex, sizeof(hex) - 1), AV_OK);
	assert_int_equal(kek_file_load(r->key, &a, &f), AV_OK);
	/* sha256 of the bytes 0 to 31 */
	assert_string_equal(
	    kek_id(a), "630dcd2966c4336691125448bbb25b4ff412a49c732db2c8abc1b8581bd710dd");
	unlink(r->key);
	assert_int_equal(io_create_file(AT_FDCWD, r->key, 0600, b64, sizeof(b64) - 1), AV_OK);
	assert_int_equal(kek_file_load(r->key, &b, &f), AV_OK);
	assert_string_equal(kek_id(a), kek_id(b));
	kek_free(a);
	kek_free(b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(
	        test_made_key_loads_again_with_the_same_id, setup, teardown),
	    cmocka_unit_test_setup_teardown(
	        test_existing_key_file_is_never_overwritten, setup, teardown),
	    cmocka_unit_test_setup_teardown(
	        test_key_file_that_others_can_read_is_refused, setup, teardown),
	    cmocka_unit_test_setup_teardown(
	        test_link_in_place_of_the_key_is_refused, setup, teardown),
	    cmocka_unit_test_setup_teardown(
	        test_key_in_hex_or_with_a_line_end_is_read, setup, teardown),
	};
	if (box_init() != AV_OK)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
