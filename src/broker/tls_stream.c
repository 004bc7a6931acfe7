/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/tls_stream.h"

#include <openssl/err.h>

enum av_err
tls_stream_take(struct tls_stream *s, SSL *ssl, int fd)
{
	*s = (struct tls_stream){0};
	if (SSL_set_fd(ssl, fd) != 1)
		return AV_ENOMEM;
	SSL_set_read_ahead(ssl, 1);
	/* With it reads wait for writes, and writes for reads. */
	(void)SSL_set_options(ssl, SSL_OP_NO_RENEGOTIATION);
	s->ssl = ssl;
	return AV_OK;
}

/* `waits` is what an operation may wait for. One that waited for the other would have the loop turn and
 * turn; without renegotiation none does. */
static enum stream_io
stream_state(const struct tls_stream *s, int waits)
{
	int why = SSL_get_error(s->ssl, 0);

	if (why == waits)
		return STREAM_BLOCKED;
	if (why == SSL_ERROR_ZERO_RETURN)
		return STREAM_ENDED;
	if (why == SSL_ERROR_SSL &&
	    ERR_GET_REASON(ERR_peek_error()) == SSL_R_UNEXPECTED_EOF_WHILE_READING)
		return STREAM_CUT;
	return STREAM_BROKEN;
}

enum stream_io
tls_stream_write(struct tls_stream *s, const uint8_t *p, size_t len, size_t *n)
{
	if (len > TLS_STREAM_WRITE_MAX)
		len = TLS_STREAM_WRITE_MAX;
	/* SSL_get_error(3): it looks into the thread's queue. */
	ERR_clear_error();
	if (SSL_write_ex(s->ssl, p, len, n) == 1)
		return STREAM_DONE;
	*n = 0;
	return stream_state(s, SSL_ERROR_WANT_WRITE);
}

enum stream_io
tls_stream_read(struct tls_stream *s, uint8_t *p, size_t room, size_t *n)
{
	ERR_clear_error();
	if (SSL_read_ex(s->ssl, p, room, n) == 1)
		return STREAM_DONE;
	*n = 0;
	return stream_state(s, SSL_ERROR_WANT_READ);
}

bool
tls_stream_has_more(const struct tls_stream *s)
{
	return s->ssl != NULL && SSL_has_pending(s->ssl) == 1;
}
