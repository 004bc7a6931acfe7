/* SPDX-License-Identifier: Apache-2.0 */
/* Which sockets a drop of kept connections shuts down, with real sockets. */
#include "broker/kept.h"

#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

struct line {
	int fd;
	int peer;
	uint16_t port;
};

static struct line
line_open(void)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(a);
	struct line l;
	int at = socket(AF_INET, SOCK_STREAM, 0);

	assert_true(at >= 0);
	assert_int_equal(bind(at, (struct sockaddr *)&a, len), 0);
	assert_int_equal(listen(at, 1), 0);
	assert_int_equal(getsockname(at, (struct sockaddr *)&a, &len), 0);
	l.fd = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(connect(l.fd, (struct sockaddr *)&a, sizeof(a)), 0);
	l.peer = accept(at, NULL, NULL);
	assert_true(l.peer >= 0);
	assert_int_equal(getsockname(l.fd, (struct sockaddr *)&a, &len), 0);
	l.port = ntohs(a.sin_port);
	close(at);
	return l;
}

static void
line_close(struct line *l)
{
	close(l->fd);
	close(l->peer);
}

/* Whether the peer has seen the end. */
static bool
line_ended(const struct line *l)
{
	char c;

	return recv(l->peer, &c, 1, MSG_DONTWAIT) == 0;
}

static bool
is_port(void *ctx, const void *opener, uint16_t port)
{
	(void)opener;
	return port == *(uint16_t *)ctx;
}

static bool
nobody(void *ctx, const void *opener, uint16_t port)
{
	(void)ctx;
	(void)opener;
	(void)port;
	return false;
}

static void
test_drop_shuts_down_what_nobody_uses(void **state)
{
	struct kept k = {0};
	struct line used = line_open(), idle = line_open();
	int a, b;

	(void)state;
	assert_int_equal(kept_add(&k, used.fd, &a), AV_OK);
	assert_int_equal(kept_settle(&k, &a, used.port), used.fd);
	assert_int_equal(kept_add(&k, idle.fd, &b), AV_OK);
	assert_int_equal(kept_settle(&k, &b, idle.port), idle.fd);
	kept_forget(&k, &b);
	kept_drop(&k, is_port, &used.port);
	assert_true(line_ended(&idle));
	assert_false(line_ended(&used));
	kept_clear(&k);
	line_close(&used);
	line_close(&idle);
}

/* An attempt to connect is closed without a word; its number is somebody else's afterwards. */
static void
test_attempt_that_never_stood_is_forgotten(void **state)
{
	struct kept k = {0};
	struct line other = line_open(), stands = line_open();
	int opener;

	(void)state;
	assert_int_equal(kept_add(&k, other.fd, &opener), AV_OK);
	kept_forget(&k, &opener);
	kept_drop(&k, nobody, NULL);
	assert_false(line_ended(&other));
	/* The same where another attempt of the same opener came to stand. */
	assert_int_equal(kept_add(&k, other.fd, &opener), AV_OK);
	assert_int_equal(kept_add(&k, stands.fd, &opener), AV_OK);
	assert_int_equal(kept_settle(&k, &opener, stands.port), stands.fd);
	kept_forget(&k, &opener);
	kept_drop(&k, nobody, NULL);
	assert_true(line_ended(&stands));
	assert_false(line_ended(&other));
	kept_clear(&k);
	line_close(&other);
	line_close(&stands);
}

static void
test_closed_socket_is_left_alone(void **state)
{
	struct kept k = {0};
	struct line l = line_open();
	int opener;

	(void)state;
	assert_int_equal(kept_add(&k, l.fd, &opener), AV_OK);
	assert_int_equal(kept_settle(&k, &opener, l.port), l.fd);
	kept_remove(&k, l.fd);
	kept_drop(&k, nobody, NULL);
	assert_false(line_ended(&l));
	assert_int_equal(kept_settle(&k, &opener, l.port), -1);
	kept_clear(&k);
	line_close(&l);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_drop_shuts_down_what_nobody_uses),
		cmocka_unit_test(test_attempt_that_never_stood_is_forgotten),
		cmocka_unit_test(test_closed_socket_is_left_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
