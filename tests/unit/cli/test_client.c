/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/answer.h"
#include "cli/client.h"

#include "base/io.h"

#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

/* The daemon's side: reads until `until` stands in what came, answers, closes. */
struct daemon_side {
	int sock;
	const char *until;
	const char *answer;
	struct buf got;
};

static void *
daemon_main(void *ctx)
{
	struct daemon_side *d = ctx;
	bool again;
	size_t n = 1;

	while (n > 0) {
		const char *text = buf_cstr(&d->got);
		if (text == NULL || (d->until != NULL && strstr(text, d->until) != NULL))
			break;
		if (io_read_some(d->sock, &d->got, 65536, &n, &again) != AV_OK)
			break;
	}
	(void)!write(d->sock, d->answer, strlen(d->answer));
	io_close(&d->sock);
	return NULL;
}

struct seen {
	unsigned status;
	struct buf body;
	unsigned runs;
};

static enum av_err
on_head(void *ctx, unsigned status, struct header_list *headers, struct fault *f)
{
	struct seen *s = ctx;

	(void)headers;
	(void)f;
	s->status = status;
	return AV_OK;
}

static enum av_err
on_body(void *ctx, struct str bytes, struct fault *f)
{
	struct seen *s = ctx;

	(void)f;
	s->runs++;
	return buf_append(&s->body, bytes.p, bytes.len);
}

static enum av_err
exchange(struct client_request *r, const char *until, const char *answer, struct seen *seen,
    struct buf *request, char *code, struct fault *f)
{
	struct daemon_side d = {.until = until, .answer = answer};
	struct client_handler h = {seen, on_head, on_body};
	struct header_list none;
	struct own_error own;
	pthread_t t;
	int ends[2];
	enum av_err e;

	memset(seen, 0, sizeof(*seen));
	buf_init(&seen->body, 1 << 20);
	buf_init(&d.got, 1 << 22);
	assert_int_equal(io_socketpair(ends), AV_OK);
	d.sock = ends[1];
	assert_int_equal(pthread_create(&t, NULL, daemon_main, &d), 0);
	header_list_init(&none);
	if (r->headers == NULL)
		r->headers = &none;
	own_error_init(&own, &h);
	e = client_exchange(ends[0], r, own_error_handler(&own), f);
	e = own_error_finish(&own, e, code, 64, f);
	io_close(&ends[0]);
	assert_int_equal(pthread_join(t, NULL), 0);
	if (request != NULL)
		(void)buf_append(request, d.got.data, d.got.len);
	buf_clear(&d.got);
	return e;
}

static void
test_body_from_memory_and_answer_bytes(void **state)
{
	struct client_request r = {.method = STR_LIT("POST"),
	    .target = STR_LIT("/i/a/b/-/x?y=1"),
	    .body_kind = BODY_BYTES,
	    .body = STR_LIT("{\"a\":1}"),
	    .body_fd = -1};
	struct buf request;
	struct seen seen;
	struct fault f;
	char code[64];

	(void)state;
	buf_init(&request, 1 << 20);
	assert_int_equal(exchange(&r, "{\"a\":1}",
	                     "HTTP/1.1 404 Not Found\r\nTransfer-Encoding: "
	                     "chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n",
	                     &seen, &request, code, &f),
	    AV_OK);
	assert_int_equal(seen.status, 404);
	assert_memory_equal(seen.body.data, "abcde", 5);
	assert_string_equal(buf_cstr(&request),
	    "POST /i/a/b/-/x?y=1 HTTP/1.1\r\nhost: aivault\r\ncontent-length: 7\r\n\r\n{\"a\":1}");
	buf_clear(&request);
	buf_clear(&seen.body);
}

static void
test_a_pipe_is_sent_in_chunks_and_a_file_with_its_length(void **state)
{
	struct client_request r = {
	    .method = STR_LIT("PUT"), .target = STR_LIT("/i/a/-/x"), .body_kind = BODY_FD};
	char name[] = "/tmp/aivault-test-XXXXXX";
	struct buf request;
	struct seen seen;
	struct fault f;
	char code[64];
	int ends[2];

	(void)state;
	buf_init(&request, 1 << 20);
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(write(ends[1], "hello", 5), 5);
	assert_int_equal(close(ends[1]), 0);
	r.body_fd = ends[0];
	assert_int_equal(
	    exchange(&r, "0\r\n\r\n", "HTTP/1.1 204 No Content\r\n\r\n", &seen, &request, code, &f),
	    AV_OK);
	assert_non_null(strstr(buf_cstr(&request), "transfer-encoding: chunked\r\n"));
	assert_non_null(strstr(buf_cstr(&request), "\r\n\r\n5\r\nhello\r\n0\r\n\r\n"));
	assert_int_equal(close(ends[0]), 0);
	buf_reset(&request);
	buf_clear(&seen.body);

	r.headers = NULL;
	r.body_fd = mkstemp(name);
	assert_true(r.body_fd >= 0);
	assert_int_equal(write(r.body_fd, "filebody", 8), 8);
	assert_int_equal(lseek(r.body_fd, 0, SEEK_SET), 0);
	assert_int_equal(exchange(&r, "filebody", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
	                     &seen, &request, code, &f),
	    AV_OK);
	assert_non_null(strstr(buf_cstr(&request), "content-length: 8\r\n\r\nfilebody"));
	assert_int_equal(close(r.body_fd), 0);
	assert_int_equal(unlink(name), 0);
	buf_clear(&request);
	buf_clear(&seen.body);
}

static void
test_a_cut_transfer_is_an_error_after_what_came(void **state)
{
	struct client_request r = {
	    .method = STR_LIT("GET"), .target = STR_LIT("/i/a/-/x"), .body_fd = -1};
	struct seen seen;
	struct fault f;
	char code[64];

	(void)state;
	assert_int_equal(exchange(&r, "\r\n\r\n",
	                     "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n",
	                     &seen, NULL, code, &f),
	    AV_ECUT);
	assert_int_equal(seen.body.len, 3);
	buf_clear(&seen.body);
	r.headers = NULL;
	assert_int_equal(exchange(&r, "\r\n\r\n", "", &seen, NULL, code, &f), AV_EUNAVAIL);
	buf_clear(&seen.body);
}

static void
test_our_own_error_never_reaches_the_body_handler(void **state)
{
	static const char answer[] =
	    "HTTP/1.1 403 Forbidden\r\nAivault-Error: policy_violation\r\nContent-Length: "
	    "74\r\n\r\n"
	    "{\"message\":\"path not allowed\",\"reason\":\"path_not_allowed\",\"remedy\":\"Ask\"} "
	    " ";
	struct client_request r = {
	    .method = STR_LIT("GET"), .target = STR_LIT("/i/a/-/x"), .body_fd = -1};
	struct seen seen;
	struct fault f;
	char code[64];

	(void)state;
	assert_int_equal(exchange(&r, "\r\n\r\n", answer, &seen, NULL, code, &f), AV_EPOLICY);
	assert_string_equal(code, "policy_violation");
	assert_string_equal(f.message, "path not allowed");
	assert_string_equal(f.reason, "path_not_allowed");
	assert_string_equal(f.remedy, "Ask");
	assert_int_equal(seen.runs, 0);
	buf_clear(&seen.body);
}

static void
test_an_early_answer_ends_the_sending(void **state)
{
	struct client_request r = {
	    .method = STR_LIT("POST"), .target = STR_LIT("/i/a/-/x"), .body_kind = BODY_FD};
	struct seen seen;
	struct fault f;
	char code[64];

	(void)state;
	r.body_fd = open("/dev/zero", O_RDONLY | O_CLOEXEC);
	assert_true(r.body_fd >= 0);
	assert_int_equal(
	    exchange(&r, "\r\n\r\n", "HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\nno", &seen,
	        NULL, code, &f),
	    AV_OK);
	assert_int_equal(seen.status, 413);
	assert_int_equal(close(r.body_fd), 0);
	buf_clear(&seen.body);
}

static void
test_a_target_that_would_split_the_request_is_refused(void **state)
{
	static const char *const bad[] = {
	    "/i/a/-/x y", "/i/a/-/x\r\nhost: b", "/i/a/-/\xc3\xbc", "/i/a/-/#"};
	struct client_request r = {.method = STR_LIT("GET"), .body_fd = -1};
	struct client_handler h = {NULL, on_head, on_body};
	struct header_list none;
	struct fault f;

	(void)state;
	header_list_init(&none);
	r.headers = &none;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		r.target = str_of(bad[i]);
		assert_int_equal(client_exchange(-1, &r, &h, &f), AV_EINVAL);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_body_from_memory_and_answer_bytes),
	    cmocka_unit_test(test_a_pipe_is_sent_in_chunks_and_a_file_with_its_length),
	    cmocka_unit_test(test_a_cut_transfer_is_an_error_after_what_came),
	    cmocka_unit_test(test_our_own_error_never_reaches_the_body_handler),
	    cmocka_unit_test(test_an_early_answer_ends_the_sending),
	    cmocka_unit_test(test_a_target_that_would_split_the_request_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
