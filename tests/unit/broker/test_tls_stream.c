/* SPDX-License-Identifier: Apache-2.0 */
/* Both ends of a session in one process, over a socket pair. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "broker/tls_stream.h"

#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/x509.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct ends {
	SSL_CTX *server_ctx, *client_ctx;
	SSL *server, *client;
	int server_fd, client_fd;
	struct tls_stream stream; /* the client's */
};

static void
give_certificate(SSL_CTX *ctx)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *x = X509_new();

	assert_non_null(key);
	assert_non_null(x);
	assert_int_equal(ASN1_INTEGER_set(X509_get_serialNumber(x), 1), 1);
	assert_non_null(X509_gmtime_adj(X509_getm_notBefore(x), 0));
	assert_non_null(X509_gmtime_adj(X509_getm_notAfter(x), 3600));
	assert_int_equal(X509_set_pubkey(x, key), 1);
	assert_true(X509_sign(x, key, EVP_sha256()) > 0);
	assert_int_equal(SSL_CTX_use_certificate(ctx, x), 1);
	assert_int_equal(SSL_CTX_use_PrivateKey(ctx, key), 1);
	X509_free(x);
	EVP_PKEY_free(key);
}

static void
never_block(int fd)
{
	int size = 4096; /* the kernel's least is a little more */

	assert_int_equal(fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK), 0);
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size)), 0);
}

static void
shake_hands(struct ends *t)
{
	int server = 0, client = 0, turn;

	for (turn = 0; turn < 20 && (server != 1 || client != 1); turn++) {
		client = SSL_connect(t->client);
		server = SSL_accept(t->server);
	}
	assert_int_equal(server, 1);
	assert_int_equal(client, 1);
}

static struct ends *
open_ends(int version)
{
	struct ends *t = calloc(1, sizeof(*t));
	int fds[2];

	assert_non_null(t);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	t->server_fd = fds[0];
	t->client_fd = fds[1];
	never_block(fds[0]);
	never_block(fds[1]);
	t->server_ctx = SSL_CTX_new(TLS_server_method());
	t->client_ctx = SSL_CTX_new(TLS_client_method());
	assert_int_equal(SSL_CTX_set_max_proto_version(t->client_ctx, version), 1);
	give_certificate(t->server_ctx);
	t->server = SSL_new(t->server_ctx);
	t->client = SSL_new(t->client_ctx);
	assert_int_equal(SSL_set_fd(t->server, t->server_fd), 1);
	assert_int_equal(SSL_set_fd(t->client, t->client_fd), 1);
	shake_hands(t);
	assert_int_equal(tls_stream_take(&t->stream, t->client, t->client_fd), AV_OK);
	return t;
}

static void
close_server(struct ends *t)
{
	if (t->server_fd >= 0)
		close(t->server_fd);
	t->server_fd = -1;
}

static int
shut(struct ends *t)
{
	SSL_free(t->client);
	SSL_free(t->server);
	SSL_CTX_free(t->client_ctx);
	SSL_CTX_free(t->server_ctx);
	close_server(t);
	close(t->client_fd);
	free(t);
	ERR_clear_error();
	return 0;
}

static int
set_up(void **state)
{
	*state = open_ends(TLS1_3_VERSION);
	return 0;
}

static int
set_up_1_2(void **state)
{
	*state = open_ends(TLS1_2_VERSION);
	return 0;
}

static int
tear_down(void **state)
{
	return shut(*state);
}

static void
say(struct ends *t, const char *text)
{
	assert_int_equal(SSL_write(t->server, text, (int)strlen(text)), (int)strlen(text));
}

static void
assert_reads(struct ends *t, const char *want)
{
	uint8_t room[16384];
	size_t n = 0;

	assert_int_equal(tls_stream_read(&t->stream, room, sizeof(room), &n), STREAM_DONE);
	assert_int_equal(n, strlen(want));
	assert_memory_equal(room, want, n);
}

static void
assert_read_is(struct ends *t, enum stream_io want)
{
	uint8_t room[16384];
	size_t n = 7;

	assert_int_equal(tls_stream_read(&t->stream, room, sizeof(room), &n), want);
	assert_int_equal(n, 0);
}

static void
test_bytes_go_both_ways(void **state)
{
	struct ends *t = *state;
	char room[64];
	size_t n = 0;

	assert_read_is(t, STREAM_BLOCKED);
	assert_false(tls_stream_has_more(&t->stream));
	assert_int_equal(
	    tls_stream_write(&t->stream, (const uint8_t *)"question", 8, &n), STREAM_DONE);
	assert_int_equal(n, 8);
	assert_int_equal(SSL_read(t->server, room, sizeof(room)), 8);
	assert_memory_equal(room, "question", 8);
	say(t, "answer");
	assert_reads(t, "answer");
	assert_read_is(t, STREAM_BLOCKED);
}

static void
test_bytes_that_no_socket_tells_of_are_told(void **state)
{
	struct ends *t = *state;
	char byte;

	say(t, "one");
	say(t, "two");
	say(t, "three");
	assert_reads(t, "one");
	/* All of it has left the socket. */
	assert_int_equal(recv(t->client_fd, &byte, 1, MSG_PEEK), -1);
	assert_true(tls_stream_has_more(&t->stream));
	assert_reads(t, "two");
	assert_true(tls_stream_has_more(&t->stream));
	assert_reads(t, "three");
	assert_false(tls_stream_has_more(&t->stream));
	assert_read_is(t, STREAM_BLOCKED);
}

static void
test_end_that_is_said(void **state)
{
	struct ends *t = *state;

	say(t, "last");
	assert_int_equal(SSL_shutdown(t->server), 0);
	close_server(t);
	assert_reads(t, "last");
	assert_read_is(t, STREAM_ENDED);
	assert_read_is(t, STREAM_ENDED);
}

static void
test_end_that_is_not_said_is_a_cut(void **state)
{
	struct ends *t = *state;

	say(t, "last");
	close_server(t);
	assert_reads(t, "last");
	assert_read_is(t, STREAM_CUT);
}

static void
test_end_within_a_record_is_a_cut(void **state)
{
	struct ends *t = *state;
	const uint8_t half[] = {23, 3, 3, 0, 100, 1, 2, 3};

	assert_int_equal(write(t->server_fd, half, sizeof(half)), sizeof(half));
	assert_read_is(t, STREAM_BLOCKED);
	close_server(t);
	assert_read_is(t, STREAM_CUT);
}

static void
test_forged_record_breaks_it(void **state)
{
	struct ends *t = *state;
	uint8_t forged[5 + 100] = {23, 3, 3, 0, 100};

	assert_int_equal(write(t->server_fd, forged, sizeof(forged)), sizeof(forged));
	assert_read_is(t, STREAM_BROKEN);
}

static void
test_errors_of_others_do_not_count(void **state)
{
	struct ends *t = *state;

	ERR_raise(ERR_LIB_SSL, SSL_R_UNEXPECTED_EOF_WHILE_READING);
	assert_read_is(t, STREAM_BLOCKED);
}

static void
test_large_write_is_done_in_part(void **state)
{
	struct ends *t = *state;
	static uint8_t all[256 * 1024], back[sizeof(all)];
	size_t sent = 0, got = 0, n;
	bool blocked = false;

	for (n = 0; n < sizeof(all); n++)
		all[n] = (uint8_t)(n * 7 + n / 251);
	while (got < sizeof(all)) {
		int in;
		enum stream_io io = sent < sizeof(all)
		    ? tls_stream_write(&t->stream, all + sent, sizeof(all) - sent, &n)
		    : STREAM_BLOCKED;

		assert_true(io == STREAM_DONE || io == STREAM_BLOCKED);
		if (io == STREAM_DONE) {
			assert_true(n > 0 && n <= TLS_STREAM_WRITE_MAX);
			sent += n;
			continue;
		}
		blocked = blocked || sent < sizeof(all);
		in = SSL_read(t->server, back + got, (int)(sizeof(back) - got));
		if (in > 0)
			got += (size_t)in;
	}
	assert_true(blocked);
	assert_memory_equal(all, back, sizeof(all));
}

static void
test_write_to_one_that_is_gone(void **state)
{
	struct ends *t = *state;
	size_t n = 7;

	close_server(t);
	assert_int_equal(tls_stream_write(&t->stream, (const uint8_t *)"x", 1, &n), STREAM_BROKEN);
	assert_int_equal(n, 0);
}

/* The answer to it goes with the next write: a read that waited for room to write would have the loop
 * turn and turn. */
static void
test_upstream_that_asks_for_new_keys_does_not_hold_up_reading(void **state)
{
	struct ends *t = *state;
	BIO *ours = NULL, *theirs = NULL;
	uint8_t room[64];
	size_t n = 0;

	assert_int_equal(BIO_new_bio_pair(&ours, 8, &theirs, 8), 1);
	SSL_set0_wbio(t->client, ours);
	assert_int_equal(SSL_key_update(t->server, SSL_KEY_UPDATE_REQUESTED), 1);
	assert_int_equal(SSL_do_handshake(t->server), 1);
	say(t, "new keys");
	assert_reads(t, "new keys");
	assert_read_is(t, STREAM_BLOCKED);
	assert_int_equal(tls_stream_write(&t->stream, (const uint8_t *)"x", 1, &n), STREAM_BLOCKED);
	assert_int_equal(BIO_read(theirs, room, sizeof(room)), 8);
	BIO_free(theirs);
}

static void
test_renegotiation_is_refused(void **state)
{
	struct ends *t = *state;
	char room[64];

	assert_int_equal(SSL_version(t->client), TLS1_2_VERSION);
	assert_int_equal(SSL_renegotiate(t->server), 1);
	(void)SSL_do_handshake(t->server);
	/* We answer with an alert and go on; what the server makes of it is its own affair. */
	assert_read_is(t, STREAM_BLOCKED);
	assert_false(SSL_renegotiate_pending(t->client));
	assert_true(SSL_read(t->server, room, sizeof(room)) <= 0);
	assert_true(SSL_is_init_finished(t->client));
}

int
main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
	    T(test_bytes_go_both_ways),
	    T(test_bytes_that_no_socket_tells_of_are_told),
	    T(test_end_that_is_said),
	    T(test_end_that_is_not_said_is_a_cut),
	    T(test_end_within_a_record_is_a_cut),
	    T(test_forged_record_breaks_it),
	    T(test_errors_of_others_do_not_count),
	    T(test_large_write_is_done_in_part),
	    T(test_write_to_one_that_is_gone),
	    T(test_upstream_that_asks_for_new_keys_does_not_hold_up_reading),
	    cmocka_unit_test_setup_teardown(test_renegotiation_is_refused, set_up_1_2, tear_down),
	};

	(void)signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
