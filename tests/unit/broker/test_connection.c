/* SPDX-License-Identifier: Apache-2.0 */
/* Looks into the room: no test may connect to the public internet, so the peer is put in by hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "broker/connection.c"

#include <arpa/inet.h>
#include <unistd.h>

static void
set_peer(struct connection *c, const char *address)
{
	struct sockaddr_in in = {.sin_family = AF_INET};
	struct sockaddr_in6 in6 = {.sin6_family = AF_INET6};

	memset(&c->peer, 0, sizeof(c->peer));
	if (inet_pton(AF_INET, address, &in.sin_addr) == 1) {
		memcpy(&c->peer, &in, sizeof(in));
		return;
	}
	assert_int_equal(inet_pton(AF_INET6, address, &in6.sin6_addr), 1);
	memcpy(&c->peer, &in6, sizeof(in6));
}

static void
test_i6_kept_connection_to_an_inner_address_is_not_used_again(void **state)
{
	static const char *const inner[] = {"127.0.0.1", "10.0.0.1", "169.254.169.254",
	    "192.168.1.1", "100.64.0.1", "::1", "fd00::1", "fe80::1", "::ffff:10.0.0.1"};
	struct connection c = {0};
	int ends[2];
	size_t i;

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	c.fd = ends[0];
	set_peer(&c, "104.18.7.192");
	assert_true(connection_is_usable(&c));
	for (i = 0; i < sizeof(inner) / sizeof(inner[0]); i++) {
		set_peer(&c, inner[i]);
		assert_false(connection_is_usable(&c));
	}
	memset(&c.peer, 0, sizeof(c.peer));
	assert_false(connection_is_usable(&c));
	c.exempt = true;
	assert_true(connection_is_usable(&c));
	close(ends[0]);
	close(ends[1]);
}

static void
test_connection_that_is_closed_or_has_something_to_say_is_not_used(void **state)
{
	struct connection c = {0};
	int ends[2];

	(void)state;
	c.fd = -1;
	set_peer(&c, "104.18.7.192");
	assert_false(connection_is_usable(&c));
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	c.fd = ends[0];
	assert_true(connection_is_usable(&c));
	assert_int_equal(write(ends[1], "x", 1), 1);
	assert_false(connection_is_usable(&c));
	assert_int_equal(read(ends[0], &(char){0}, 1), 1);
	assert_true(connection_is_usable(&c));
	close(ends[1]);
	assert_false(connection_is_usable(&c));
	close(ends[0]);
	assert_false(connection_is_usable(&c));
}

static void
test_i6_new_connection_goes_to_public_addresses_only(void **state)
{
	static const struct {
		const char *address;
		bool allowed;
	} cases[] = {{"104.18.7.192", true}, {"127.0.0.1", false}, {"10.1.2.3", false},
	    {"169.254.169.254", false}, {"8.8.8.8", true}};
	struct connection c = {0};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct curl_sockaddr a = {.family = AF_INET,
		    .socktype = SOCK_STREAM,
		    .addrlen = sizeof(struct sockaddr_in)};
		int fd;

		set_peer(&c, cases[i].address);
		memcpy(&a.addr, &c.peer, sizeof(a.addr));
		fd = connection_on_socket(&c, CURLSOCKTYPE_IPCXN, &a);
		assert_int_equal(fd != CURL_SOCKET_BAD, cases[i].allowed);
		assert_int_equal(c.refused, !cases[i].allowed);
		if (fd != CURL_SOCKET_BAD)
			close(fd);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_i6_kept_connection_to_an_inner_address_is_not_used_again),
	    cmocka_unit_test(test_connection_that_is_closed_or_has_something_to_say_is_not_used),
	    cmocka_unit_test(test_i6_new_connection_goes_to_public_addresses_only),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
