/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tls_stream.h - the bytes of a TLS session that somebody else has set up, and will close.
 *
 * OpenSSL reads as much from the socket as there is (SSL_set_read_ahead(3)): a read may leave bytes
 * with it that the socket does not tell of any more, so ask tls_stream_has_more(). No renegotiation.
 */
#ifndef AV_BROKER_TLS_STREAM_H
#define AV_BROKER_TLS_STREAM_H

#include "base/err.h"

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum stream_io {
	STREAM_DONE, /* bytes went, as many as *n says */
	STREAM_BLOCKED, /* none can now */
	STREAM_ENDED, /* reading: the other side has said that this was all (close_notify) */
	STREAM_CUT, /* reading: it has gone without saying so */
	STREAM_BROKEN,
};

struct tls_stream {
	SSL *ssl; /* not owned; NULL: there is none yet */
};

/* A write takes at most this much, one record (RFC 8446 section 5.1): what has gone is known as it
 * goes, also on a slow line. */
#define TLS_STREAM_WRITE_MAX 16384u

/* From here on all bytes of `ssl`, which has done its handshake, go over `fd`, which does not block
 * and stays the caller's. AV_ENOMEM. */
enum av_err tls_stream_take(struct tls_stream *s, SSL *ssl, int fd) AV_MUST_USE;
/* Of a write that was BLOCKED the very same bytes must be offered again (SSL_write(3)). */
enum stream_io tls_stream_write(struct tls_stream *s, const uint8_t *p, size_t len, size_t *n);
enum stream_io tls_stream_read(struct tls_stream *s, uint8_t *p, size_t room, size_t *n);
bool tls_stream_has_more(const struct tls_stream *s);

#endif
