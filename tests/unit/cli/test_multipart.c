/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "cli/multipart.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ARGV_MAX 8

static const struct option options[] = {
    {"multipart-field", "K=V", true, ""},
    {"multipart-file", "FIELD=PATH", true, ""},
    {NULL, NULL, false, NULL},
};

static enum av_err
build(struct multipart *m, struct fault *f, int argc, const char *const *words)
{
	static char text[ARGV_MAX][512];
	char *argv[ARGV_MAX + 1] = {NULL};
	struct args a;

	assert_true(argc <= ARGV_MAX);
	for (int i = 0; i < argc; i++) {
		(void)snprintf(text[i], sizeof(text[i]), "%s", words[i]);
		argv[i] = text[i];
	}
	assert_int_equal(args_parse(&a, options, argc, argv, f), AV_OK);
	multipart_init(m);
	return multipart_build(m, &a, f);
}

/* All parts in a row, the boundary as B. */
static void
gather(const struct multipart *m, struct buf *out)
{
	struct buf all;
	size_t n = strlen(m->boundary);

	buf_init(&all, 65536);
	for (size_t i = 0; i < m->count; i++) {
		const struct body_part *p = &m->parts[i];
		char room[1024];

		assert_true(p->size <= sizeof(room));
		if (p->fd < 0)
			memcpy(room, p->text, (size_t)p->size);
		else
			assert_int_equal(read(p->fd, room, (size_t)p->size), p->size);
		assert_int_equal(buf_append(&all, room, (size_t)p->size), AV_OK);
	}
	for (size_t i = 0; i < all.len;) {
		if (all.len - i >= n && memcmp(all.data + i, m->boundary, n) == 0) {
			(void)buf_append_byte(out, 'B');
			i += n;
		} else {
			(void)buf_append_byte(out, all.data[i++]);
		}
	}
	buf_clear(&all);
}

static void
test_form_is_built_as_the_rfc_says(void **state)
{
	char path[] = "/tmp/av-form-XXXXXX", file_arg[128], want[1024];
	int fd = mkstemp(path);
	struct multipart m;
	struct fault f;
	struct buf out;

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(write(fd, "\0\r\n--", 5), 5);
	close(fd);
	(void)snprintf(file_arg, sizeof(file_arg), "file=%s", path);
	{
		const char *const words[] = {"--multipart-field", "a\"b=c=d", "--multipart-file",
		    file_arg, "--multipart-field", "empty="};
		assert_int_equal(build(&m, &f, 6, words), AV_OK);
	}
	buf_init(&out, 65536);
	gather(&m, &out);
	(void)snprintf(want, sizeof(want),
	    "--B\r\nContent-Disposition: form-data; name=\"a%%22b\"\r\n\r\nc=d\r\n"
	    "--B\r\nContent-Disposition: form-data; name=\"empty\"\r\n\r\n\r\n"
	    "--B\r\nContent-Disposition: form-data; name=\"file\"; filename=\"%s\"\r\n"
	    "Content-Type: application/octet-stream\r\n\r\n",
	    path + strlen("/tmp/"));
	assert_int_equal(out.len, strlen(want) + 5 + strlen("\r\n--B--\r\n"));
	assert_memory_equal(out.data, want, strlen(want));
	assert_memory_equal(out.data + strlen(want), "\0\r\n--\r\n--B--\r\n", 5 + 9);
	buf_clear(&out);
	multipart_clear(&m);
	unlink(path);
}

static void
test_boundary_is_another_one_each_time(void **state)
{
	const char *const words[] = {"--multipart-field", "a=b"};
	struct multipart one, two;
	struct fault f;

	(void)state;
	assert_int_equal(build(&one, &f, 2, words), AV_OK);
	assert_int_equal(build(&two, &f, 2, words), AV_OK);
	assert_true(strlen(one.boundary) >= 32 && strlen(one.boundary) <= 70);
	assert_string_not_equal(one.boundary, two.boundary);
	multipart_clear(&one);
	multipart_clear(&two);
}

static void
test_what_is_no_form_is_refused(void **state)
{
	static const struct {
		const char *words[4];
		int count;
		const char *reason;
	} rows[] = {
	    {{"--multipart-field", "novalue"}, 2, "multipart_syntax"},
	    {{"--multipart-field", "=v"}, 2, "multipart_syntax"},
	    {{"--multipart-file", "nopath"}, 2, "multipart_syntax"},
	    {{"--multipart-field", "\xff=v"}, 2, "multipart_syntax"},
	    {{"--multipart-field", "a=1", "--multipart-field", "a=2"}, 4, "multipart_duplicate"},
	    {{"--multipart-file", "a=/dev/null", "--multipart-field", "a=2"}, 4,
	        "multipart_duplicate"},
	    {{"--multipart-file", "a=/nowhere/at/all"}, 2, "multipart_file"},
	    {{"--multipart-file", "a=/dev/null"}, 2, "multipart_file"},
	    {{"--multipart-file", "a=/"}, 2, "multipart_file"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct multipart m;
		struct fault f = {0};

		assert_int_equal(build(&m, &f, rows[i].count, rows[i].words), AV_EINVAL);
		assert_string_equal(f.reason, rows[i].reason);
		multipart_clear(&m);
	}
}

static void
test_type_follows_the_ending(void **state)
{
	(void)state;
	assert_string_equal(multipart_type_of("/a.b/c.PNG"), "image/png");
	assert_string_equal(multipart_type_of("x.jsonl"), "application/jsonl");
	assert_string_equal(multipart_type_of("/a.png/c"), "application/octet-stream");
	assert_string_equal(multipart_type_of("x."), "application/octet-stream");
	assert_string_equal(multipart_type_of("x.unknown"), "application/octet-stream");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_form_is_built_as_the_rfc_says),
	    cmocka_unit_test(test_boundary_is_another_one_each_time),
	    cmocka_unit_test(test_what_is_no_form_is_refused),
	    cmocka_unit_test(test_type_follows_the_ending),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
