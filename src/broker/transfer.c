/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/transfer.h"

#include "base/io.h"
#include "broker/answer_head.h"
#include "broker/netguard.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#define CONNECT_TIMEOUT_MS 10000L
#define LINE_MAX_BYTES (192u * 1024u)
#define URL_MAX_BYTES 512u
#define INTERIM_MAX 16u /* 1xx answers before the one that counts */
/* Allocated and wiped for each request: libcurl's least where the request is small. */
#define UPLOAD_BUFFER_INLINE (16L * 1024L)
#define UPLOAD_BUFFER_STREAM (64L * 1024L)
#define KEPT_FOR_S 55L /* most servers close idle connections after 60 s or more */

/* ---- callbacks ---------------------------------------------------------------------------------- */

static void
transfer_note_progress(struct transfer *t)
{
	t->progress_ms = uv_now(&t->u->b->loop);
}

static size_t
transfer_refuse_answer(struct transfer *t, const char *reason)
{
	t->why = AV_EUPSTREAM;
	t->reason = reason;
	return 0;
}

static size_t
transfer_on_head_end(struct transfer *t, size_t len)
{
	long status = 0;

	(void)curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &status);
	if (status >= 100 && status < 200) {
		header_list_clear(&t->headers);
		return status == 101 || ++t->interim > INTERIM_MAX
		    ? transfer_refuse_answer(t, "upstream_malformed") : len;
	}
	if (!answer_head_is_plain(&t->headers))
		return transfer_refuse_answer(t, "upstream_malformed");
	t->head_seen = true;
	transfer_arm(t);
	if (t->ops->head(t->ctx, (unsigned)status, &t->headers, answer_head_length(&t->headers)) !=
	    UPSTREAM_TAKEN) {
		t->ended_by_us = true;
		return 0;
	}
	return len;
}

/* One line a call; trailers come here too, after the body. */
static size_t
transfer_on_header(char *p, size_t size, size_t n, void *ctx)
{
	struct transfer *t = ctx;
	const char *reason = NULL;
	bool end = false;

	if (t->ops == NULL)
		return 0;
	transfer_note_progress(t);
	if (t->head_seen)
		return n * size;
	if (answer_head_take(&t->headers, (struct str){p, n * size}, &end, &reason) != AV_OK)
		return transfer_refuse_answer(t, reason);
	return end ? transfer_on_head_end(t, n * size) : n * size;
}

static size_t
transfer_on_body(char *p, size_t size, size_t n, void *ctx)
{
	struct transfer *t = ctx;
	size_t len = size * n;

	if (t->ops == NULL)
		return 0;
	transfer_note_progress(t);
	switch (t->ops->body(t->ctx, (const uint8_t *)p, len)) {
	case UPSTREAM_TAKEN:
		return len;
	case UPSTREAM_WAIT:
		t->recv_paused = true;
		return CURL_WRITEFUNC_PAUSE;
	case UPSTREAM_STOP:
	default:
		t->ended_by_us = true;
		return CURL_WRITEFUNC_ERROR;
	}
}

static size_t
transfer_on_read(char *out, size_t size, size_t n, void *ctx)
{
	struct transfer *t = ctx;
	bool ended = false;
	size_t got;

	if (t->ops == NULL)
		return CURL_READFUNC_ABORT;
	got = t->ops->read(t->ctx, out, size * n, &ended);
	if (got == 0 && !ended) {
		t->send_paused = true;
		return CURL_READFUNC_PAUSE;
	}
	t->sent += got;
	transfer_note_progress(t);
	return got;
}

static curl_socket_t
transfer_new_socket(struct transfer *t, const struct curl_sockaddr *a)
{
	int type = a->socktype;
	int fd;

#ifdef SOCK_CLOEXEC
	type |= SOCK_CLOEXEC;
#endif
	fd = socket(a->family, type, a->protocol);
	if (fd >= 0 && kept_add(&t->u->open, fd, t) != AV_OK)
		io_close(&fd);
	t->opened = t->opened || fd >= 0;
	return fd >= 0 ? fd : CURL_SOCKET_BAD;
}

/* Outlives the transfer that opened it. */
static int
transfer_on_close(void *ctx, curl_socket_t fd)
{
	struct upstream *u = ctx;

	sockets_forget(&u->sockets, fd);
	kept_remove(&u->open, fd);
	io_close(&fd);
	return 0;
}

/* Asked for each new connection, with the address that DNS gave. */
static curl_socket_t
transfer_on_open(void *ctx, curlsocktype purpose, struct curl_sockaddr *a)
{
	struct transfer *t = ctx;

	(void)purpose;
	if (!t->exempt && !netguard_sockaddr_is_public(&a->addr, (socklen_t)a->addrlen)) {
		t->why = AV_EUPSTREAM;
		t->reason = "upstream_address_refused";
		return CURL_SOCKET_BAD;
	}
	/* Another address of the same host may be fine. */
	t->why = AV_OK;
	t->reason = NULL;
	return transfer_new_socket(t, a);
}

/*
 * Called when the connection stands and the request is about to be sent; for kept connections it is
 * the only place to look at the address. A second call for one transfer means that libcurl is about
 * to send the request again, after a kept connection died: that must not happen (I9).
 */
static int
transfer_on_prereq(void *ctx, char *remote, char *local, int remote_port, int local_port)
{
	struct transfer *t = ctx;

	(void)local;
	(void)remote_port;
	if (t->ops == NULL)
		return CURL_PREREQFUNC_ABORT;
	if (t->asked) {
		t->why = AV_EUPSTREAM;
		t->reason = "upstream_reset";
		return CURL_PREREQFUNC_ABORT;
	}
	t->asked = true;
	t->port = (uint16_t)local_port;
	if (t->opened)
		sockets_own(&t->u->sockets, kept_settle(&t->u->open, t, t->port));
	if (!t->exempt && !netguard_text_is_public(remote)) {
		t->why = AV_EUPSTREAM;
		t->reason = "upstream_address_refused";
		return CURL_PREREQFUNC_ABORT;
	}
	t->why = AV_OK;
	t->reason = NULL;
	return CURL_PREREQFUNC_OK;
}

/* ---- options ------------------------------------------------------------------------------------ */

static enum av_err
transfer_append(struct transfer *t, const char *line)
{
	struct curl_slist *l = line != NULL ? curl_slist_append(t->lines, line) : NULL;

	if (l == NULL)
		return AV_ENOMEM;
	t->lines = l;
	return AV_OK;
}

static enum av_err
transfer_add_line(struct transfer *t, struct str name, struct str value)
{
	struct buf line;
	enum av_err e;

	buf_init(&line, LINE_MAX_BYTES);
	(void)buf_append(&line, name.p, name.len);
	/* libcurl's way to say "a header without a value". */
	(void)buf_append_str(&line, value.len == 0 ? ";" : ": ");
	(void)buf_append(&line, value.p, value.len);
	e = transfer_append(t, buf_cstr(&line));
	buf_clear(&line);
	return e;
}

static bool
value_is_plain(struct str v)
{
	size_t i;

	for (i = 0; i < v.len; i++) {
		unsigned char c = (unsigned char)v.p[i];

		if ((c < 0x20 && c != '\t') || c == 0x7f)
			return false;
	}
	return true;
}

static enum av_err
transfer_set_headers(struct transfer *t, const struct upstream_request *rq, struct fault *f)
{
	enum av_err e = AV_OK;
	size_t i;

	for (i = 0; i < rq->headers->count && e == AV_OK; i++)
		e = transfer_add_line(t, rq->headers->items[i].name, rq->headers->items[i].value);
	for (i = 0; i < rq->auth->part_count && e == AV_OK; i++) {
		const struct auth_part *p = &rq->auth->parts[i];

		if (p->place != AUTH_PLACE_HEADER)
			continue;
		if (!value_is_plain(p->value) || !value_is_plain(p->name))
			return fault_set(f, AV_EAUTH, "auth_header_invalid", "Store another secret.",
			    "The secret holds bytes that a header may not have.");
		e = transfer_add_line(t, p->name, p->value);
	}
	/* No pause of a second before bodies over 1 MiB, no type that the caller did not give. */
	if (e == AV_OK)
		e = transfer_append(t, "Expect:");
	if (e == AV_OK && header_list_find(rq->headers, STR_LIT("content-type")) == NULL)
		e = transfer_append(t, "Content-Type:");
	if (e != AV_OK)
		return fault_set(f, e, "out_of_memory", "", "Out of memory.");
	return AV_OK;
}

/* The whole body, or none that is said so ("Content-Length: 0"), in one piece with the head. */
static CURLcode
transfer_set_inline(CURL *h, struct str body)
{
	CURLcode rc = curl_easy_setopt(h, CURLOPT_POST, 1L);

	if (rc == CURLE_OK)
		rc = curl_easy_setopt(h, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)body.len);
	if (rc == CURLE_OK)
		rc = curl_easy_setopt(h, CURLOPT_COPYPOSTFIELDS, body.p);
	return rc;
}

static CURLcode
transfer_set_method(struct transfer *t, const struct upstream_request *rq)
{
	CURL *h = t->easy;
	CURLcode rc = curl_easy_setopt(h, CURLOPT_CUSTOMREQUEST, rq->method);
	bool wants_length = strcmp(rq->method, "POST") == 0 || strcmp(rq->method, "PUT") == 0 ||
	    strcmp(rq->method, "PATCH") == 0;
	curl_off_t size = -1;

	if (strcmp(rq->method, "HEAD") == 0)
		return curl_easy_setopt(h, CURLOPT_NOBODY, 1L);
	if (!rq->has_body && !wants_length)
		return rc;
	if (rc != CURLE_OK)
		return rc;
	if (!rq->has_body)
		return transfer_set_inline(h, (struct str){"", 0});
	if (rq->body.p != NULL)
		return transfer_set_inline(h, rq->body);
	if (rq->body_size != UINT64_MAX)
		size = (curl_off_t)rq->body_size;
	rc = curl_easy_setopt(h, CURLOPT_UPLOAD_BUFFERSIZE, UPLOAD_BUFFER_STREAM);
	if (rc == CURLE_OK)
		rc = curl_easy_setopt(h, CURLOPT_UPLOAD, 1L);
	return rc != CURLE_OK ? rc : curl_easy_setopt(h, CURLOPT_INFILESIZE_LARGE, size);
}

static enum av_err
transfer_set_url(struct transfer *t, const struct upstream_request *rq, struct fault *f)
{
	char url[URL_MAX_BYTES];
	struct str name, port;
	int n = snprintf(url, sizeof(url), "https://%s/", rq->host);

	if (n < 0 || (size_t)n >= sizeof(url))
		return fault_set(f, AV_EPOLICY, "host_not_allowed", "", "The host is too long.");
	if (str_cut(str_of(rq->host), ':', &name, &port)) {
		if (!str_eq_cstr(port, "443") && !t->u->dev.other_ports)
			return fault_set(f, AV_EPOLICY, "port_not_allowed", "Use port 443.",
			    "This port is not allowed.");
	} else {
		name = str_of(rq->host);
	}
	t->exempt = header_list_find(&t->u->dev.exempt, name) != NULL;
	if (curl_easy_setopt(t->easy, CURLOPT_URL, url) != CURLE_OK ||
	    curl_easy_setopt(t->easy, CURLOPT_REQUEST_TARGET, rq->target) != CURLE_OK)
		return fault_set(f, AV_ENOMEM, "out_of_memory", "", "Out of memory.");
	return AV_OK;
}

#define SET(option, value) \
	do { \
		if (rc == CURLE_OK) \
			rc = curl_easy_setopt(h, (option), (value)); \
	} while (0)

static CURLcode
transfer_set_fixed(struct transfer *t, bool http2)
{
	CURL *h = t->easy;
	CURLcode rc = CURLE_OK;

	SET(CURLOPT_PRIVATE, (char *)t);
	SET(CURLOPT_UPLOAD_BUFFERSIZE, UPLOAD_BUFFER_INLINE);
	SET(CURLOPT_SHARE, t->u->share);
	SET(CURLOPT_NOSIGNAL, 1L);
	SET(CURLOPT_PROTOCOLS_STR, "https");
	SET(CURLOPT_FOLLOWLOCATION, 0L);
	SET(CURLOPT_PROXY, "");
	SET(CURLOPT_NOPROXY, "*");
	SET(CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
	SET(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
	SET(CURLOPT_HTTP_VERSION,
	    http2 ? (long)CURL_HTTP_VERSION_2TLS : (long)CURL_HTTP_VERSION_1_1);
	SET(CURLOPT_HTTP09_ALLOWED, 0L);
	SET(CURLOPT_CONNECTTIMEOUT_MS, CONNECT_TIMEOUT_MS);
	SET(CURLOPT_MAXAGE_CONN, KEPT_FOR_S);
	/* One bundle, parsed once and shared by all connections; never the directory. */
	SET(CURLOPT_CAPATH, (char *)NULL);
	SET(CURLOPT_CAINFO, t->u->ca_path);
	SET(CURLOPT_SSL_VERIFYPEER, 1L);
	SET(CURLOPT_SSL_VERIFYHOST, 2L);
	SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	/* What comes coded all the same is decoded: agents get identity. */
	SET(CURLOPT_ACCEPT_ENCODING, "identity");
	SET(CURLOPT_ERRORBUFFER, t->errbuf);
	SET(CURLOPT_HEADERFUNCTION, transfer_on_header);
	SET(CURLOPT_HEADERDATA, t);
	SET(CURLOPT_WRITEFUNCTION, transfer_on_body);
	SET(CURLOPT_WRITEDATA, t);
	SET(CURLOPT_READFUNCTION, transfer_on_read);
	SET(CURLOPT_READDATA, t);
	SET(CURLOPT_OPENSOCKETFUNCTION, transfer_on_open);
	SET(CURLOPT_OPENSOCKETDATA, t);
	SET(CURLOPT_CLOSESOCKETFUNCTION, transfer_on_close);
	SET(CURLOPT_CLOSESOCKETDATA, t->u);
	SET(CURLOPT_PREREQFUNCTION, transfer_on_prereq);
	SET(CURLOPT_PREREQDATA, t);
	SET(CURLOPT_CONNECT_TO, t->u->dev.connect_to);
	SET(CURLOPT_HTTPHEADER, t->lines);
	return rc;
}

enum av_err
transfer_configure(struct transfer *t, const struct upstream_request *rq, struct fault *f)
{
	bool http2 = rq->http == 2 && !t->u->dev.http1_only;
	enum av_err e = transfer_set_headers(t, rq, f);

	if (e == AV_OK)
		e = transfer_set_url(t, rq, f);
	if (e != AV_OK)
		return e;
	if (transfer_set_fixed(t, http2) != CURLE_OK || transfer_set_method(t, rq) != CURLE_OK)
		return fault_set(f, AV_ESYS, "upstream_setup", "",
		    "The transfer's options were not accepted.");
	return AV_OK;
}

/* ---- the result --------------------------------------------------------------------------------- */

struct curl_meaning {
	CURLcode rc;
	enum av_err err;
	const char *reason;
	const char *text;
};

static const struct curl_meaning curl_meanings[] = {
	{CURLE_COULDNT_RESOLVE_HOST, AV_EUPSTREAM, "upstream_dns", "its name does not resolve"},
	{CURLE_COULDNT_CONNECT, AV_EUPSTREAM, "upstream_connect", "no connection could be made"},
	{CURLE_OPERATION_TIMEDOUT, AV_ETIMEOUT, "upstream_connect_timeout",
	    "no connection could be made in 10 seconds"},
	{CURLE_SSL_CONNECT_ERROR, AV_EUPSTREAM, "upstream_tls", "the TLS handshake failed"},
	{CURLE_PEER_FAILED_VERIFICATION, AV_EUPSTREAM, "upstream_certificate",
	    "its certificate is not valid"},
	{CURLE_SSL_CACERT_BADFILE, AV_EUPSTREAM, "upstream_ca_bundle",
	    "the bundle of root certificates cannot be read"},
	{CURLE_PARTIAL_FILE, AV_ECUT, "upstream_cut", "the answer ended too early"},
	{CURLE_GOT_NOTHING, AV_EUPSTREAM, "upstream_reset", "it closed the connection unanswered"},
	{CURLE_RECV_ERROR, AV_EUPSTREAM, "upstream_reset", "the connection broke"},
	{CURLE_SEND_ERROR, AV_EUPSTREAM, "upstream_reset", "the connection broke"},
	{CURLE_SEND_FAIL_REWIND, AV_EUPSTREAM, "upstream_reset",
	    "the connection broke, and a request is never sent twice"},
	{CURLE_BAD_CONTENT_ENCODING, AV_EUPSTREAM, "upstream_malformed",
	    "its answer does not decode"},
	{CURLE_WEIRD_SERVER_REPLY, AV_EUPSTREAM, "upstream_malformed",
	    "its answer is not HTTP as it should be"},
	{CURLE_UNSUPPORTED_PROTOCOL, AV_EUPSTREAM, "upstream_malformed",
	    "its answer is not HTTP as it should be"},
	{CURLE_OUT_OF_MEMORY, AV_ENOMEM, "out_of_memory", "memory ran out"},
};

/* What libcurl has no number of its own for. */
static const char *
transfer_hidden_reason(const struct transfer *t, CURLcode rc)
{
	/* Faults of chunks are a broken connection to it; only its words tell. */
	if (rc == CURLE_RECV_ERROR && t->head_seen && strstr(t->errbuf, "chunk") != NULL)
		return "upstream_malformed";
	/* So is a header line over 100 KiB want of memory, which is the rarer thing by far. */
	if (rc == CURLE_OUT_OF_MEMORY && t->asked && !t->head_seen)
		return "upstream_head_too_large";
	return NULL;
}

static const char *
reason_text(const char *reason)
{
	if (strcmp(reason, "upstream_address_refused") == 0)
		return "its address is not one of the public internet";
	if (strcmp(reason, "upstream_reset") == 0)
		return "a kept connection died, and a request is never sent twice";
	if (strcmp(reason, "timeout") == 0)
		return "the call's own time limit was reached";
	if (strcmp(reason, "upstream_idle") == 0)
		return "it sent nothing for too long";
	if (strcmp(reason, "upstream_first_byte") == 0)
		return "it did not begin to answer in time";
	if (strcmp(reason, "upstream_head_too_large") == 0)
		return "the headers of its answer are over a limit";
	return "its answer is not HTTP as it should be";
}

void
transfer_result(const struct transfer *t, CURLcode rc, struct upstream_result *out)
{
	const char *reason = "upstream_failed", *text = "the transfer failed";
	const char *hidden = transfer_hidden_reason(t, rc);
	enum av_err err = AV_EUPSTREAM;
	size_t i;

	memset(out, 0, sizeof(*out));
	out->head_seen = t->head_seen;
	out->sent = t->sent;
	if (rc == CURLE_OK && !t->head_seen)
		rc = CURLE_WEIRD_SERVER_REPLY;
	if (rc == CURLE_OK)
		return;
	if (t->why != AV_OK) {
		err = t->why;
		reason = t->reason;
		text = reason_text(t->reason);
	} else if (hidden != NULL) {
		reason = hidden;
		text = reason_text(hidden);
	} else {
		for (i = 0; i < sizeof(curl_meanings) / sizeof(curl_meanings[0]); i++) {
			if (curl_meanings[i].rc == rc) {
				err = curl_meanings[i].err;
				reason = curl_meanings[i].reason;
				text = curl_meanings[i].text;
			}
		}
	}
	fault_set(&out->fault, err, reason, "", "The upstream failed: %s.", text);
}
