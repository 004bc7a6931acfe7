/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/connection.h"

#include "broker/netguard.h"
#include "broker/upstream_state.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define CONNECT_TIMEOUT_MS 10000L
#define URL_MAX_BYTES 512u

struct connection {
	struct upstream *u;
	CURL *easy;
	const struct connection_ops *ops;
	void *ctx;
	char *host;
	int fd; /* libcurl's; -1 until it stands */
	struct tls_stream stream; /* over libcurl's session */
	struct sockaddr_storage peer; /* where it really goes, once it stands */
	bool exempt; /* development: the address check lets this host pass */
	bool refused; /* the last address tried is not allowed */
	uint64_t epoch;
	struct kept_link link;
};

/* ---- addresses ---------------------------------------------------------------------------------- */

/* Asked for each address that DNS gave, before a byte goes there. */
static curl_socket_t
connection_on_socket(void *ctx, curlsocktype purpose, struct curl_sockaddr *a)
{
	struct connection *c = ctx;
	int type = a->socktype, fd;

	(void)purpose;
	/* Another address of the same host may be fine. */
	c->refused = !c->exempt && !netguard_sockaddr_is_public(&a->addr, (socklen_t)a->addrlen);
	if (c->refused)
		return CURL_SOCKET_BAD;
#ifdef SOCK_CLOEXEC
	type |= SOCK_CLOEXEC;
#endif
	fd = socket(a->family, type, a->protocol);
	return fd >= 0 ? fd : CURL_SOCKET_BAD;
}

static bool
connection_address_is_allowed(const struct connection *c)
{
	return c->exempt ||
	    netguard_sockaddr_is_public((const struct sockaddr *)&c->peer, sizeof(c->peer));
}

/* ---- making it ---------------------------------------------------------------------------------- */

#define SET(option, value)                                                 \
	do {                                                               \
		if (rc == CURLE_OK)                                        \
			rc = curl_easy_setopt(c->easy, (option), (value)); \
	} while (0)

static CURLcode
connection_set_options(struct connection *c, const char *url)
{
	CURLcode rc = CURLE_OK;

	SET(CURLOPT_CONNECT_ONLY, 1L);
	SET(CURLOPT_URL, url);
	SET(CURLOPT_PRIVATE, (char *)c);
	SET(CURLOPT_SHARE, c->u->share);
	SET(CURLOPT_NOSIGNAL, 1L);
	/* A thread that still asks a name server is left to end by itself. Else the loop would wait for it. */
	SET(CURLOPT_QUICK_EXIT, 1L);
	SET(CURLOPT_PROTOCOLS_STR, "https");
	SET(CURLOPT_PROXY, "");
	SET(CURLOPT_NOPROXY, "*");
	SET(CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
	/* What the handshake offers (ALPN). */
	SET(CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	SET(CURLOPT_CONNECTTIMEOUT_MS, CONNECT_TIMEOUT_MS);
	/* One bundle, parsed once and shared by all connections; never the directory. */
	SET(CURLOPT_CAPATH, (char *)NULL);
	SET(CURLOPT_CAINFO, c->u->ca_path);
	SET(CURLOPT_SSL_VERIFYPEER, 1L);
	SET(CURLOPT_SSL_VERIFYHOST, 2L);
	SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	SET(CURLOPT_OPENSOCKETFUNCTION, connection_on_socket);
	SET(CURLOPT_OPENSOCKETDATA, c);
	SET(CURLOPT_CONNECT_TO, c->u->dev.connect_to);
	return rc;
}

static enum av_err
connection_configure(struct connection *c, struct fault *f)
{
	char url[URL_MAX_BYTES];
	struct str name = str_of(c->host), port;
	int n = snprintf(url, sizeof(url), "https://%s/", c->host);

	if (n < 0 || (size_t)n >= sizeof(url))
		return fault_set(f, AV_EPOLICY, "host_not_allowed", "", "The host is too long.");
	if (str_cut(str_of(c->host), ':', &name, &port) && !str_eq_cstr(port, "443") &&
	    !c->u->dev.other_ports)
		return fault_set(f, AV_EPOLICY, "port_not_allowed", "Use port 443.",
		    "This port is not allowed.");
	c->exempt = header_list_find(&c->u->dev.exempt, name) != NULL;
	if (connection_set_options(c, url) != CURLE_OK)
		return fault_set(f, AV_ESYS, "upstream_setup", "",
		    "The connection's options were not accepted.");
	return AV_OK;
}

enum av_err
connection_open(struct upstream *u, const char *host, const struct connection_ops *ops, void *ctx,
    struct connection **out, struct fault *f)
{
	struct connection *c = calloc(1, sizeof(*c));
	enum av_err e;

	*out = NULL;
	if (c == NULL)
		return fault_set(f, AV_ENOMEM, "out_of_memory", "", "Out of memory.");
	c->u = u;
	c->fd = -1;
	c->epoch = u->epoch;
	connection_give(c, ops, ctx);
	c->host = str_dup(str_of(host));
	c->easy = curl_easy_init();
	if (c->host == NULL || c->easy == NULL)
		e = fault_set(f, AV_ENOMEM, "out_of_memory", "", "Out of memory.");
	else
		e = connection_configure(c, f);
	if (e == AV_OK && curl_multi_add_handle(u->multi, c->easy) != CURLM_OK)
		e = fault_set(
		    f, AV_ENOMEM, "out_of_memory", "", "The connection could not be begun.");
	if (e != AV_OK) {
		connection_close(c);
		return e;
	}
	*out = c;
	return AV_OK;
}

#define CHECK_NETWORK "Check this machine's network, then try again."

struct curl_meaning {
	CURLcode rc;
	enum av_err err;
	const char *reason;
	const char *text;
	const char *remedy;
};

static const struct curl_meaning curl_meanings[] = {
    {CURLE_COULDNT_RESOLVE_HOST, AV_EUPSTREAM, "upstream_dns", "its name does not resolve",
        "Check this machine's network and name servers, then try again."},
    {CURLE_COULDNT_CONNECT, AV_EUPSTREAM, "upstream_connect", "no connection could be made",
        CHECK_NETWORK},
    {CURLE_OPERATION_TIMEDOUT, AV_ETIMEOUT, "upstream_connect_timeout",
        "no connection could be made in 10 seconds", CHECK_NETWORK},
    {CURLE_SSL_CONNECT_ERROR, AV_EUPSTREAM, "upstream_tls", "the TLS handshake failed",
        "The host has to speak TLS 1.2 or newer; nothing was sent."},
    {CURLE_PEER_FAILED_VERIFICATION, AV_EUPSTREAM, "upstream_certificate",
        "its certificate is not valid",
        "Check this machine's clock and root certificates; nothing was sent."},
    {CURLE_SSL_CACERT_BADFILE, AV_EUPSTREAM, "upstream_ca_bundle",
        "the bundle of root certificates cannot be read", "Install ca-certificates."},
    {CURLE_GOT_NOTHING, AV_EUPSTREAM, "upstream_reset", "it closed the connection unanswered",
        "Nothing was sent: try again."},
    {CURLE_RECV_ERROR, AV_EUPSTREAM, "upstream_reset", "the connection broke",
        "Nothing was sent: try again."},
    {CURLE_WEIRD_SERVER_REPLY, AV_EUPSTREAM, "upstream_malformed",
        "it answered before it was asked", ""},
    {CURLE_OUT_OF_MEMORY, AV_ENOMEM, "out_of_memory", "memory ran out", ""},
};

static enum av_err
connection_explain(const struct connection *c, CURLcode rc, struct fault *f)
{
	const struct curl_meaning *m = NULL;
	size_t i;

	if (c->refused)
		return fault_set(f, AV_EUPSTREAM, "upstream_address_refused",
		    "Look at what its name resolves to here; nothing was sent.",
		    "The upstream failed: its address is not one of the public internet.");
	for (i = 0; i < sizeof(curl_meanings) / sizeof(curl_meanings[0]); i++) {
		if (curl_meanings[i].rc == rc)
			m = &curl_meanings[i];
	}
	if (m == NULL)
		return fault_set(f, AV_EUPSTREAM, "upstream_failed", "",
		    "The upstream failed: no connection could be made.");
	return fault_set(f, m->err, m->reason, m->remedy, "The upstream failed: %s.", m->text);
}

static void
connection_on_ready(void *ctx, int fd, int status, int events)
{
	struct connection *c = ctx;
	struct upstream *u = c->u;

	(void)fd;
	c->ops->ready(c->ctx, c, status < 0 ? UV_READABLE | UV_WRITABLE : events);
	later_turn(&u->b->later);
}

/* libcurl tells of its TLS session only while the transfer holds the connection; the first read
 * makes it take it again. There is nothing to read: we have asked for nothing. */
static CURLcode
connection_find_session(const struct connection *c, SSL **out)
{
	struct curl_tlssessioninfo *info = NULL;
	uint8_t byte;
	size_t n = 0;
	CURLcode rc = curl_easy_recv(c->easy, &byte, 1, &n);

	if (rc == CURLE_OK)
		return n > 0 ? CURLE_WEIRD_SERVER_REPLY : CURLE_GOT_NOTHING;
	if (rc != CURLE_AGAIN)
		return CURLE_RECV_ERROR;
	rc = curl_easy_getinfo(c->easy, CURLINFO_TLS_SSL_PTR, &info);
	if (rc != CURLE_OK || info == NULL || info->backend != CURLSSLBACKEND_OPENSSL ||
	    info->internals == NULL)
		return CURLE_SSL_CONNECT_ERROR;
	*out = info->internals;
	return CURLE_OK;
}

/* From here on the socket is ours to watch, read and write; libcurl only closes it. */
static CURLcode
connection_settle(struct connection *c)
{
	curl_socket_t fd = CURL_SOCKET_BAD;
	socklen_t len = sizeof(c->peer);
	SSL *ssl = NULL;
	CURLcode rc;

	if (curl_easy_getinfo(c->easy, CURLINFO_ACTIVESOCKET, &fd) != CURLE_OK ||
	    fd == CURL_SOCKET_BAD)
		return CURLE_OUT_OF_MEMORY;
	rc = connection_find_session(c, &ssl);
	if (rc != CURLE_OK)
		return rc;
	c->fd = fd;
	if (getpeername(fd, (struct sockaddr *)&c->peer, &len) != 0)
		c->peer.ss_family = AF_UNSPEC; /* gone already; refused by that */
	if (tls_stream_take(&c->stream, ssl, fd) != AV_OK ||
	    sockets_own(&c->u->sockets, fd, connection_on_ready, c) != AV_OK ||
	    connection_want(c, UV_READABLE) != AV_OK)
		return CURLE_OUT_OF_MEMORY;
	return CURLE_OK;
}

void
connection_finish(struct connection *c, CURLcode rc)
{
	struct fault f;

	if (rc == CURLE_OK)
		rc = connection_settle(c);
	if (rc == CURLE_OK)
		c->refused = !connection_address_is_allowed(c);
	if (rc == CURLE_OK && !c->refused) {
		c->ops->opened(c->ctx, c, NULL);
		return;
	}
	(void)connection_explain(c, rc, &f);
	c->ops->opened(c->ctx, c, &f);
}

/* ---- its life ----------------------------------------------------------------------------------- */

void
connection_close(struct connection *c)
{
	/* Before the descriptor is closed: its number may be another's a moment later. */
	sockets_forget(&c->u->sockets, c->fd);
	if (c->easy != NULL) {
		(void)curl_multi_remove_handle(c->u->multi, c->easy);
		curl_easy_cleanup(c->easy);
	}
	free(c->host);
	free(c);
}

void
connection_give(struct connection *c, const struct connection_ops *ops, void *ctx)
{
	c->ops = ops;
	c->ctx = ctx;
}

enum stream_io
connection_write(struct connection *c, const uint8_t *p, size_t len, size_t *n)
{
	return tls_stream_write(&c->stream, p, len, n);
}

enum stream_io
connection_read(struct connection *c, uint8_t *p, size_t room, size_t *n)
{
	return tls_stream_read(&c->stream, p, room, n);
}

bool
connection_has_more(const struct connection *c)
{
	return tls_stream_has_more(&c->stream);
}

enum av_err
connection_want(struct connection *c, int events)
{
	return sockets_want(&c->u->sockets, c->fd, events);
}

bool
connection_is_usable(const struct connection *c)
{
	uint8_t byte;

	/* The loop may not have come to tell us yet. */
	return c->fd >= 0 && !connection_has_more(c) &&
	    recv(c->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 &&
	    (errno == EAGAIN || errno == EWOULDBLOCK) && connection_address_is_allowed(c);
}

bool
connection_stands(const struct connection *c)
{
	return c->fd >= 0;
}

struct str
connection_host(const struct connection *c)
{
	return str_of(c->host);
}

bool
connection_is_outdated(const struct connection *c)
{
	return c->epoch != c->u->epoch;
}

struct kept_link *
connection_link(struct connection *c)
{
	return &c->link;
}
