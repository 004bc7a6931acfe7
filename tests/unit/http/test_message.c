/* SPDX-License-Identifier: Apache-2.0 */
#include "http/message.h"

#include "base/buf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* What a parse gave, whatever pieces it came in. */
struct outcome {
	enum av_err err;
	char reason[48];
	bool head;
	bool done;
	bool at_eof;
	bool keep_alive;
	bool upgrade;
	bool chunked;
	bool has_length;
	uint64_t length;
	unsigned status;
	size_t used;
	size_t header_count;
	char method[16];
	char target[64];
	struct buf body;
};

static void
take_head(struct outcome *o, struct message *m)
{
	assert_false(o->head);
	o->head = true;
	o->status = message_status(m);
	o->upgrade = message_is_upgrade(m);
	o->chunked = message_is_chunked(m);
	o->has_length = message_content_length(m, &o->length);
	o->header_count = message_headers(m)->count;
	snprintf(o->method, sizeof(o->method), "%.*s", STR_FMT(message_method(m)));
	snprintf(o->target, sizeof(o->target), "%.*s", STR_FMT(message_target(m)));
}

/* Feeds text[0..first), then `step` bytes at a time, then end of file. Each piece is a block of its
 * own, so that a read past it shows. */
static void
parse(struct outcome *o, enum message_kind kind, bool head_request, const char *text, size_t len,
    size_t first, size_t step)
{
	struct message *m;
	enum message_event event = MESSAGE_NEED_MORE;
	size_t at = 0;

	memset(o, 0, sizeof(*o));
	buf_init(&o->body, 1u << 20);
	assert_int_equal(message_new(kind, head_request, &m), AV_OK);
	for (size_t size = first; o->err == AV_OK && !o->done; size = step) {
		size_t n = size < len - at ? size : len - at, off = 0;
		uint8_t *piece;
		if (n == 0)
			break;
		piece = malloc(n);
		assert_non_null(piece);
		memcpy(piece, text + at, n);
		do {
			struct fault f = {0};
			struct str body;
			size_t used;
			o->err = message_feed(m, piece + off, n - off, &used, &event, &body, &f);
			assert_true(used <= n - off);
			off += used;
			if (o->err != AV_OK) {
				assert_int_equal(f.err, o->err);
				assert_true(f.message[0] != '\0');
				snprintf(o->reason, sizeof(o->reason), "%s", f.reason);
				break;
			}
			if (event == MESSAGE_HEAD)
				take_head(o, m);
			if (event == MESSAGE_BODY) {
				assert_true(body.len > 0 && o->head);
				assert_true((const uint8_t *)body.p >= piece &&
				    (const uint8_t *)body.p + body.len <= piece + n);
				buf_append(&o->body, body.p, body.len);
			}
			o->done = event == MESSAGE_DONE;
		} while (event != MESSAGE_NEED_MORE && !o->done);
		at += off;
		free(piece);
	}
	o->used = at;
	if (o->err == AV_OK && !o->done) {
		o->err = message_eof(m, &event);
		o->at_eof = o->err == AV_OK && event == MESSAGE_DONE;
	}
	o->keep_alive = message_keep_alive(m);
	if (o->err != AV_OK && o->err != AV_ETRUNC) {
		/* A broken message stays broken. */
		struct str body;
		size_t used;
		assert_int_equal(
		    message_feed(m, (const uint8_t *)"GET", 3, &used, &event, &body, NULL), o->err);
		assert_int_equal(used, 0);
		assert_false(o->keep_alive);
	}
	message_free(m);
}

static void
same(const struct outcome *a, const struct outcome *b)
{
	assert_int_equal(a->err, b->err);
	assert_string_equal(a->reason, b->reason);
	assert_int_equal(a->head, b->head);
	assert_int_equal(a->done, b->done);
	assert_int_equal(a->at_eof, b->at_eof);
	assert_int_equal(a->keep_alive, b->keep_alive);
	assert_int_equal(a->upgrade, b->upgrade);
	assert_int_equal(a->chunked, b->chunked);
	assert_int_equal(a->has_length, b->has_length);
	assert_int_equal(a->length, b->length);
	assert_int_equal(a->status, b->status);
	assert_int_equal(a->header_count, b->header_count);
	assert_string_equal(a->method, b->method);
	assert_string_equal(a->target, b->target);
	if (a->err == AV_OK)
		assert_int_equal(a->used, b->used);
	assert_int_equal(a->body.len, b->body.len);
	if (a->body.len > 0)
		assert_memory_equal(a->body.data, b->body.data, a->body.len);
}

/* Whole, cut in two at every place, and byte by byte: one and the same outcome, left in *o. */
static void
parse_all_ways(
    struct outcome *o, enum message_kind kind, bool head_request, const char *text, size_t len)
{
	struct outcome other;

	parse(o, kind, head_request, text, len, len, len);
	parse(&other, kind, head_request, text, len, 1, 1);
	same(o, &other);
	buf_clear(&other.body);
	for (size_t cut = 1; cut < len; cut++) {
		parse(&other, kind, head_request, text, len, cut, len);
		same(o, &other);
		buf_clear(&other.body);
	}
}

struct bad {
	const char *text;
	size_t len;
	const char *reason; /* NULL: input ends too early */
};
#define BAD(text, reason)                      \
	{                                      \
		text, sizeof(text) - 1, reason \
	}
#define GET "GET /x HTTP/1.1\r\nHost: a\r\n"
#define POST "POST /x HTTP/1.1\r\nHost: a\r\n"
#define TE POST "Transfer-Encoding: chunked\r\n\r\n"

static const struct bad bad_requests[] = {
    /* the request line */
    BAD("GET /\r\n", "http_request_line"), /* HTTP/0.9 */
    BAD("GET\r\n", "http_request_line"),
    BAD("\r\n\r\nGET / HTTP/1.1\r\n", "http_start_line"),
    BAD(" GET / HTTP/1.1\r\nHost: a\r\n\r\n", "http_version"),
    BAD("GET  / HTTP/1.1\r\nHost: a\r\n\r\n", "http_version"),
    BAD("GET / HTTP/1.1 \r\nHost: a\r\n\r\n", "http_version"),
    BAD("GET /a b HTTP/1.1\r\nHost: a\r\n\r\n", "http_version"),
    BAD("GET /\tHTTP/1.1\r\nHost: a\r\n\r\n", "http_request_line"),
    BAD("GET / HTTP/0.9\r\nHost: a\r\n\r\n", "http_version"),
    BAD("GET / HTTP/1.2\r\nHost: a\r\n\r\n", "http_version"),
    BAD("GET / HTTP/2.0\r\nHost: a\r\n\r\n", "http_version"),
    BAD("GET / HTTP/1.10\r\nHost: a\r\n\r\n", "http_version"),
    BAD("GET / http/1.1\r\nHost: a\r\n\r\n", "http_version"),
    BAD("GET / ICE/1.0\r\nHost: a\r\n\r\n", "http_version"),
    BAD("GET / RTSP/1.0\r\nHost: a\r\n\r\n", "http_version"),
    BAD("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "http_version"), /* the HTTP/2 preface */
    BAD("get / HTTP/1.1\r\nHost: a\r\n\r\n", "http_method_unknown"),
    BAD("PROPFIND / HTTP/1.1\r\nHost: a\r\n\r\n", "http_method_unknown"),
    BAD("M-SEARCH * HTTP/1.1\r\nHost: a\r\n\r\n", "http_method_unknown"),
    BAD("SOURCE / HTTP/1.1\r\nHost: a\r\n\r\n", "http_method_unknown"),
    BAD("G\xc3\x89T / HTTP/1.1\r\nHost: a\r\n\r\n", "http_method_unknown"),
    BAD("CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\n", "http_connect"),
    BAD("GET http://a/ HTTP/1.1\r\nHost: a\r\n\r\n", "http_target_form"),
    BAD("GET https://evil.example/x HTTP/1.1\r\nHost: a\r\n\r\n", "http_target_form"),
    BAD("GET a:443 HTTP/1.1\r\nHost: a\r\n\r\n", "http_target_form"),
    BAD("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", "http_target_form"),
    BAD("GET /a#b HTTP/1.1\r\nHost: a\r\n\r\n", "http_target_fragment"),
    BAD("GET /caf\xc3\xa9 HTTP/1.1\r\nHost: a\r\n\r\n", "http_target_byte"),
    BAD("GET /a\tb HTTP/1.1\r\nHost: a\r\n\r\n", "http_target_byte"),
    BAD("GET /a\x7f HTTP/1.1\r\nHost: a\r\n\r\n", "http_control_byte"),
    BAD("GET /a\0b HTTP/1.1\r\nHost: a\r\n\r\n", "http_control_byte"),
    BAD("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", "http_control_byte"), /* TLS hello */
    /* lines */
    BAD("GET / HTTP/1.1\nHost: a\n\n", "http_bare_lf"),
    BAD("GET / HTTP/1.1\r\nHost: a\n\r\n", "http_bare_lf"),
    BAD(GET "\n", "http_bare_lf"),
    BAD("GET / HTTP/1.1\rHost: a\r\r", "http_bare_cr"),
    BAD(GET "X: a\rb\r\n\r\n", "http_bare_cr"),
    BAD(GET "X: a\r\r\n\r\n", "http_bare_cr"),
    BAD(GET "X: a\0b\r\n\r\n", "http_control_byte"),
    BAD(GET "X: a\x0b\r\n\r\n", "http_control_byte"),
    BAD(GET "X: a\x7f\r\n\r\n", "http_control_byte"),
    BAD(GET "X: a\r\n b\r\n\r\n", "http_folded_line"),
    BAD(GET "X: a\r\n\tb\r\n\r\n", "http_folded_line"),
    BAD("GET / HTTP/1.1\r\n Host: a\r\n\r\n", "http_folded_line"),
    BAD(GET "X : a\r\n\r\n", "http_blank_in_name"),
    BAD(GET "X\t: a\r\n\r\n", "http_blank_in_name"),
    BAD(POST "Transfer-Encoding : chunked\r\n\r\n", "http_blank_in_name"),
    BAD(GET "X Y: a\r\n\r\n", "http_blank_in_name"),
    BAD(GET ": a\r\n\r\n", "http_empty_name"),
    BAD(GET "X\r\n\r\n", "http_no_colon"),
    BAD(GET "X\x01: a\r\n\r\n", "http_control_byte"),
    BAD(GET "X\xc3\xa9: a\r\n\r\n", "http_bad_name"),
    BAD(GET "X\"Y: a\r\n\r\n", "http_bad_name"),
    BAD(GET "X(Y): a\r\n\r\n", "http_bad_name"),
    /* Host */
    BAD("GET / HTTP/1.1\r\n\r\n", "http_no_host"),
    BAD("GET / HTTP/1.0\r\n\r\n", "http_no_host"),
    BAD(GET "Host: b\r\n\r\n", "http_two_hosts"),
    BAD(GET "hOST: a\r\n\r\n", "http_two_hosts"),
    /* framing: CL.CL, CL.TE, TE.CL, TE.TE */
    BAD(POST "Content-Length: 1\r\nContent-Length: 2\r\n\r\nab", "http_two_lengths"),
    BAD(POST "Content-Length: 1\r\nContent-Length: 1\r\n\r\na", "http_two_lengths"),
    BAD(POST "Content-Length: 1, 1\r\n\r\na", "http_bad_length"),
    BAD(POST "Content-Length: +1\r\n\r\na", "http_bad_length"),
    BAD(POST "Content-Length: -1\r\n\r\na", "http_bad_length"),
    BAD(POST "Content-Length: 0x1\r\n\r\na", "http_bad_length"),
    BAD(POST "Content-Length: 1 1\r\n\r\na", "http_bad_length"),
    BAD(POST "Content-Length: 01\r\n\r\na", "http_bad_length"),
    BAD(POST "Content-Length: 1a\r\n\r\na", "http_bad_length"),
    BAD(POST "Content-Length:\r\n\r\n", "http_bad_length"),
    BAD(POST "Content-Length: 9223372036854775808\r\n\r\na", "http_bad_length"),
    BAD(POST "Content-Length: 18446744073709551617\r\n\r\na", "http_bad_length"),
    BAD(POST "Content-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nG",
        "http_length_and_encoding"),
    BAD(POST "Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n5c\r\n",
        "http_length_and_encoding"),
    BAD(POST "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
        "http_transfer_encoding"),
    BAD(POST "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n",
        "http_transfer_encoding"),
    BAD(POST "Transfer-Encoding: chunked\r\ntransfer-encoding: x\r\n\r\n",
        "http_transfer_encoding"),
    BAD(POST "Transfer-Encoding: chunked, chunked\r\n\r\n", "http_transfer_encoding"),
    BAD(POST "Transfer-Encoding: gzip, chunked\r\n\r\n", "http_transfer_encoding"),
    BAD(POST "Transfer-Encoding: chunked, identity\r\n\r\n", "http_transfer_encoding"),
    BAD(POST "Transfer-Encoding: identity\r\n\r\n", "http_transfer_encoding"),
    BAD(POST "Transfer-Encoding: xchunked\r\n\r\n", "http_transfer_encoding"),
    BAD(POST "Transfer-Encoding: \"chunked\"\r\n\r\n", "http_transfer_encoding"),
    BAD(POST "Transfer-Encoding: chunked;q=1\r\n\r\n", "http_transfer_encoding"),
    BAD(POST "Transfer-Encoding:\r\n\r\n", "http_transfer_encoding"),
    BAD("POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "http_encoding_in_1_0"),
    /* chunks */
    BAD(TE "5\nhello\r\n0\r\n\r\n", "http_bad_chunk"),
    BAD(TE "5\rhello\r\n0\r\n\r\n", "http_bad_chunk"),
    BAD(TE "5\r\nhello\n0\r\n\r\n", "http_bad_chunk"),
    BAD(TE "5\r\nhelloX0\r\n\r\n", "http_bad_chunk"),
    BAD(TE "5 \r\nhello\r\n0\r\n\r\n", "http_bad_chunk"),
    BAD(TE " 5\r\nhello\r\n0\r\n\r\n", "http_bad_chunk"),
    BAD(TE "+5\r\nhello\r\n0\r\n\r\n", "http_bad_chunk"),
    BAD(TE "-5\r\nhello\r\n0\r\n\r\n", "http_bad_chunk"),
    BAD(TE "0x5\r\nhello\r\n0\r\n\r\n", "http_bad_chunk"),
    BAD(TE "g\r\n", "http_bad_chunk"),
    BAD(TE "\r\n", "http_bad_chunk"),
    BAD(TE ";a\r\n", "http_bad_chunk"),
    BAD(TE "5;a=b;2\rhello\r\n0\r\n\r\n", "http_bad_chunk"),
    BAD(TE "5;a\nhello\r\n0\r\n\r\n", "http_bad_chunk"),
    BAD(TE "5;a=\"b\n\"\r\nhello\r\n0\r\n\r\n", "http_bad_chunk"),
    BAD(TE "10000000000000000\r\n", "http_bad_chunk"),
    BAD(TE "FFFFFFFFFFFFFFFF\r\na", "http_bad_chunk"),
    BAD(TE "8000000000000000\r\na", "http_bad_chunk"),
    /* trailers */
    BAD(TE "0\r\nX: a\n\r\n", "http_bare_lf"),
    BAD(TE "0\r\nX\r\n\r\n", "http_no_colon"),
    BAD(TE "0\r\nX : a\r\n\r\n", "http_blank_in_name"),
    BAD(TE "0\r\n X: a\r\n\r\n", "http_folded_line"),
    BAD(TE "0\r\nX: \0\r\n\r\n", "http_control_byte"),
    /* cut */
    BAD("GET / HTTP/1.1\r\nHost: a\r\n", NULL),
    BAD(POST "Content-Length: 5\r\n\r\nhell", NULL),
    BAD(TE "5\r\nhello\r\n0\r\n", NULL),
    BAD(TE "5\r\nhello\r\n", NULL),
    BAD("", NULL),
};

static void
test_malformed_requests_are_refused_with_a_reason(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(bad_requests) / sizeof(bad_requests[0]); i++) {
		const struct bad *b = &bad_requests[i];
		struct outcome o;
		parse_all_ways(&o, MESSAGE_REQUEST, false, b->text, b->len);
		if (o.err == AV_OK || strcmp(o.reason, b->reason == NULL ? "" : b->reason) != 0)
			fail_msg("case %zu: \"%s\": got \"%s\", not \"%s\"", i, b->text, o.reason,
			    b->reason == NULL ? "" : b->reason);
		if (b->reason == NULL)
			assert_int_equal(o.err, AV_ETRUNC);
		buf_clear(&o.body);
	}
}

static const struct bad bad_responses[] = {
    BAD("HTTP/1.1\r\n", "http_status_line"),
    BAD("HTTP/1.1 \r\n", "http_status_line"),
    BAD("HTTP/1.1 20\r\n", "http_status_line"),
    BAD("HTTP/1.1 2000 OK\r\n", "http_status_line"),
    BAD("HTTP/1.1 abc OK\r\n", "http_status_line"),
    BAD("HTTP/1.1 099 OK\r\n", "http_status_line"),
    BAD("HTTP/2 200 OK\r\n", "http_version"),
    BAD("ICY 200 OK\r\n", "http_version"),
    BAD("\r\nHTTP/1.1 200 OK\r\n\r\n", "http_start_line"),
    BAD("HTTP/1.1 200 OK\r\nX: a\r\n b\r\n\r\n", "http_folded_line"),
    BAD("HTTP/1.1 200 OK\nX: a\n\n", "http_bare_lf"),
    BAD("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", "http_two_lengths"),
    BAD("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
        "http_length_and_encoding"),
    BAD("HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n", "http_transfer_encoding"),
    BAD("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab", NULL),
    BAD("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n", NULL),
    BAD("HTTP/1.1 100 Continue\r\n\r\n", NULL),
};

static void
test_malformed_responses_are_refused_with_a_reason(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(bad_responses) / sizeof(bad_responses[0]); i++) {
		const struct bad *b = &bad_responses[i];
		struct outcome o;
		parse_all_ways(&o, MESSAGE_RESPONSE, false, b->text, b->len);
		if (o.err == AV_OK || strcmp(o.reason, b->reason == NULL ? "" : b->reason) != 0)
			fail_msg("case %zu: \"%s\": got \"%s\"", i, b->text, o.reason);
		buf_clear(&o.body);
	}
}

/* Parses all ways, asks for a whole message, and compares body and what is left over. */
static void
good(
    struct outcome *o, enum message_kind kind, const char *text, const char *body, const char *left)
{
	size_t len = strlen(text);

	parse_all_ways(o, kind, false, text, len);
	if (o->err != AV_OK)
		fail_msg("\"%s\": %s", text, o->reason);
	assert_true(o->head);
	assert_true(o->done || o->at_eof);
	assert_int_equal(o->body.len, strlen(body));
	if (o->body.len > 0)
		assert_memory_equal(o->body.data, body, o->body.len);
	assert_int_equal(len - o->used, strlen(left));
	buf_clear(&o->body);
}

static void
test_request_with_length_is_read_to_its_end_and_no_further(void **state)
{
	struct outcome o;

	(void)state;
	good(&o, MESSAGE_REQUEST, POST "Content-Length: 5\r\n\r\nhelloGET /", "hello", "GET /");
	assert_string_equal(o.method, "POST");
	assert_string_equal(o.target, "/x");
	assert_true(o.has_length);
	assert_int_equal(o.length, 5);
	assert_int_equal(o.header_count, 2);
	assert_false(o.chunked);
	assert_true(o.keep_alive);
}

static void
test_chunked_request_is_decoded_and_its_trailers_dropped(void **state)
{
	struct outcome o;

	(void)state;
	good(&o, MESSAGE_REQUEST,
	    TE "5\r\nhello\r\n6;a=b;c=\"d\"\r\n world\r\n0\r\nHost: evil\r\nX-T: 1\r\n\r\nNEXT",
	    "hello world", "NEXT");
	assert_true(o.chunked);
	assert_false(o.has_length);
	assert_int_equal(o.header_count, 2);
	good(&o, MESSAGE_REQUEST, TE "0\r\n\r\n", "", "");
	/* Digits in an extension are no part of the size. */
	good(&o, MESSAGE_REQUEST, TE "1;a=b;2\r\na\r\n0;0=1;f\r\n\r\nNEXT", "a", "NEXT");
	good(&o, MESSAGE_REQUEST, TE "00A\r\n0123456789\r\n000\r\n\r\n", "0123456789", "");
	good(&o, MESSAGE_REQUEST, POST "TRANSFER-ENCODING:  Chunked \r\n\r\n1\r\na\r\n0\r\n\r\n",
	    "a", "");
}

static void
test_request_without_length_has_no_body(void **state)
{
	struct outcome o;

	(void)state;
	good(&o, MESSAGE_REQUEST, GET "\r\nrest", "", "rest");
	good(&o, MESSAGE_REQUEST, POST "Content-Length: 0\r\n\r\nrest", "", "rest");
	good(&o, MESSAGE_REQUEST, POST "\r\nrest", "", "rest");
}

static void
test_one_empty_line_before_a_request_is_let_pass(void **state)
{
	struct outcome o;

	(void)state;
	good(&o, MESSAGE_REQUEST, "\r\n" GET "\r\nrest", "", "rest");
	assert_string_equal(o.target, "/x");
}

static void
test_target_is_handed_on_byte_for_byte(void **state)
{
	struct outcome o;

	(void)state;
	good(&o, MESSAGE_REQUEST, "GET /a%2e%2E//b\\..;c?d?e=%0a HTTP/1.1\r\nHost: a\r\n\r\n", "",
	    "");
	assert_string_equal(o.target, "/a%2e%2E//b\\..;c?d?e=%0a");
}

static void
test_connection_header_decides_about_keeping(void **state)
{
	struct outcome o;

	(void)state;
	good(&o, MESSAGE_REQUEST, GET "Connection: x, Close\r\n\r\n", "", "");
	assert_false(o.keep_alive);
	good(&o, MESSAGE_REQUEST, "GET / HTTP/1.0\r\nHost: a\r\n\r\n", "", "");
	assert_false(o.keep_alive);
	good(&o, MESSAGE_REQUEST, "GET / HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\n\r\n", "",
	    "");
	assert_true(o.keep_alive);
}

static void
test_upgrade_is_seen_and_the_body_still_read(void **state)
{
	struct outcome o;

	(void)state;
	good(&o, MESSAGE_REQUEST,
	    GET "Upgrade: websocket\r\nConnection: keep-alive, Upgrade\r\n\r\nframes", "",
	    "frames");
	assert_true(o.upgrade);
	good(&o, MESSAGE_REQUEST,
	    POST "Upgrade: h2c\r\nConnection: upgrade\r\nContent-Length: 2\r\n\r\nabc", "ab", "c");
	assert_true(o.upgrade);
	good(&o, MESSAGE_REQUEST,
	    POST "Upgrade: x\r\nConnection: upgrade\r\n"
	         "Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\nc",
	    "a", "c");
	assert_true(o.upgrade);
	good(&o, MESSAGE_REQUEST, GET "Upgrade: websocket\r\n\r\n", "", "");
	assert_false(o.upgrade);
	good(&o, MESSAGE_REQUEST, GET "Connection: upgrade\r\n\r\n", "", "");
	assert_false(o.upgrade);
}

static void
test_response_bodies_end_by_length_chunks_or_close(void **state)
{
	struct outcome o;

	(void)state;
	good(&o, MESSAGE_RESPONSE, "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabcX", "abc", "X");
	assert_int_equal(o.status, 200);
	assert_true(o.keep_alive);
	good(&o, MESSAGE_RESPONSE,
	    "HTTP/1.1 403\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\nX", "a", "X");
	assert_int_equal(o.status, 403);
	good(&o, MESSAGE_RESPONSE, "HTTP/1.1 200 OK\r\n\r\nto the end", "to the end", "");
	assert_true(o.at_eof);
	assert_false(o.keep_alive);
	good(&o, MESSAGE_RESPONSE, "HTTP/1.0 200 OK\r\n\r\n", "", "");
	assert_true(o.at_eof);
}

static void
test_responses_that_have_no_body_end_with_the_head(void **state)
{
	static const char head[] = "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nX";
	struct outcome o;

	(void)state;
	good(&o, MESSAGE_RESPONSE, "HTTP/1.1 204 No Content\r\n\r\nX", "", "X");
	good(&o, MESSAGE_RESPONSE, "HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\nX", "",
	    "X");
	good(&o, MESSAGE_RESPONSE,
	    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
	    "Connection: upgrade\r\n\r\nX",
	    "", "X");
	assert_true(o.upgrade);
	parse_all_ways(&o, MESSAGE_RESPONSE, true, head, sizeof(head) - 1);
	assert_true(o.done);
	assert_int_equal(o.body.len, 0);
	assert_int_equal(o.length, 9);
	assert_int_equal(o.used, sizeof(head) - 2);
}

static void
test_interim_responses_are_skipped_up_to_a_limit(void **state)
{
	struct outcome o;
	struct buf many;

	(void)state;
	good(&o, MESSAGE_RESPONSE,
	    "HTTP/1.1 100 Continue\r\nX: 1\r\n\r\nHTTP/1.1 103 Early\r\n\r\n"
	    "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\naX",
	    "a", "X");
	assert_int_equal(o.status, 200);
	assert_int_equal(o.header_count, 1);
	buf_init(&many, 4096);
	for (int i = 0; i < 17; i++)
		buf_append_str(&many, "HTTP/1.1 100 Continue\r\n\r\n");
	parse(&o, MESSAGE_RESPONSE, false, (const char *)many.data, many.len, many.len, 1);
	assert_string_equal(o.reason, "http_too_many_interim");
	buf_clear(&o.body);
	buf_clear(&many);
}

/* GET plus one header that fills the head up to `total` bytes. */
static void
head_of(struct buf *b, size_t total)
{
	static const char start[] = GET "X: ";

	buf_append_str(b, start);
	while (b->len < total - 4)
		buf_append_byte(b, 'a');
	buf_append_str(b, "\r\n\r\n");
	assert_int_equal(buf_err(b), AV_OK);
}

static void
test_head_over_the_limit_is_refused_by_name(void **state)
{
	struct outcome o;
	struct buf b;

	(void)state;
	buf_init(&b, HEAD_MAX + 16);
	head_of(&b, HEAD_MAX);
	parse(&o, MESSAGE_REQUEST, false, (const char *)b.data, b.len, b.len, 1);
	assert_int_equal(o.err, AV_OK);
	assert_true(o.done);
	buf_reset(&b);
	head_of(&b, HEAD_MAX + 1);
	parse(&o, MESSAGE_REQUEST, false, (const char *)b.data, b.len, b.len, 1);
	assert_int_equal(o.err, AV_ELIMIT);
	assert_string_equal(o.reason, "http_head_too_large");
	parse(&o, MESSAGE_REQUEST, false, (const char *)b.data, b.len, 1, 1);
	assert_string_equal(o.reason, "http_head_too_large");
	buf_clear(&b);
}

static void
test_headers_over_the_count_are_refused_by_name(void **state)
{
	struct outcome o;
	struct buf b;

	(void)state;
	buf_init(&b, HEAD_MAX);
	buf_append_str(&b, GET);
	for (unsigned i = 1; i < HEADER_MAX_COUNT; i++)
		buf_append_str(&b, "X: a\r\n");
	buf_append_str(&b, "\r\n");
	parse(&o, MESSAGE_REQUEST, false, (const char *)b.data, b.len, b.len, 1);
	assert_int_equal(o.err, AV_OK);
	assert_int_equal(o.header_count, HEADER_MAX_COUNT);
	b.len -= 2;
	buf_append_str(&b, "X: a\r\n\r\n");
	parse(&o, MESSAGE_REQUEST, false, (const char *)b.data, b.len, b.len, 1);
	assert_int_equal(o.err, AV_ELIMIT);
	assert_string_equal(o.reason, "http_too_many_headers");
	buf_clear(&b);
}

static void
test_chunk_lines_and_trailers_over_the_limit_are_refused(void **state)
{
	struct outcome o;
	struct buf b;

	(void)state;
	buf_init(&b, 2 * HEAD_MAX);
	buf_append_str(&b, TE "1;");
	for (int i = 0; i < 5000; i++)
		buf_append_byte(&b, 'x');
	buf_append_str(&b, "\r\na\r\n0\r\n\r\n");
	parse(&o, MESSAGE_REQUEST, false, (const char *)b.data, b.len, b.len, 1);
	assert_string_equal(o.reason, "http_chunk_line_too_long");
	parse(&o, MESSAGE_REQUEST, false, (const char *)b.data, b.len, 1, 1);
	assert_string_equal(o.reason, "http_chunk_line_too_long");
	buf_reset(&b);
	buf_append_str(&b, TE);
	for (int i = 0; i < 5000; i++)
		buf_append_byte(&b, '0');
	parse(&o, MESSAGE_REQUEST, false, (const char *)b.data, b.len, 7, 7);
	assert_string_equal(o.reason, "http_chunk_line_too_long");
	buf_reset(&b);
	buf_append_str(&b, TE "0\r\nX: ");
	for (unsigned i = 0; i < HEAD_MAX; i++)
		buf_append_byte(&b, 'x');
	parse(&o, MESSAGE_REQUEST, false, (const char *)b.data, b.len, b.len, 1);
	assert_string_equal(o.reason, "http_head_too_large");
	buf_clear(&b);
}

static void
test_pipelined_messages_come_one_by_one_after_reset(void **state)
{
	static const char text[] = POST "Content-Length: 2\r\n\r\nabPOST /y HTTP/1.1\r\nHost: b\r\n"
	                                "Transfer-Encoding: chunked\r\n\r\n1\r\nc\r\n0\r\n\r\nGET "
	                                "/z HTTP/1.1\r\nHost: c\r\n\r\n";
	static const char *const targets[] = {"/x", "/y", "/z"};
	struct message *m;
	size_t at = 0;

	(void)state;
	assert_int_equal(message_new(MESSAGE_REQUEST, false, &m), AV_OK);
	for (size_t i = 0; i < 3; i++) {
		enum message_event event = MESSAGE_NEED_MORE;
		while (event != MESSAGE_DONE) {
			struct str body;
			size_t used;
			assert_int_equal(message_feed(m, (const uint8_t *)text + at,
			                     sizeof(text) - 1 - at, &used, &event, &body, NULL),
			    AV_OK);
			assert_int_not_equal(event, MESSAGE_NEED_MORE);
			at += used;
			if (event == MESSAGE_HEAD)
				assert_true(str_eq_cstr(message_target(m), targets[i]));
		}
		message_reset(m, false);
	}
	assert_int_equal(at, sizeof(text) - 1);
	message_free(m);
}

static void
test_message_that_broke_works_again_after_reset(void **state)
{
	struct message *m;
	enum message_event event;
	struct str body;
	size_t used;

	(void)state;
	assert_int_equal(message_new(MESSAGE_REQUEST, false, &m), AV_OK);
	assert_int_equal(
	    message_feed(m, (const uint8_t *)"GET\n", 4, &used, &event, &body, NULL), AV_EFORMAT);
	message_reset(m, false);
	assert_int_equal(message_feed(m, (const uint8_t *)GET "\r\n", sizeof(GET "\r\n") - 1, &used,
	                     &event, &body, NULL),
	    AV_OK);
	assert_int_equal(event, MESSAGE_HEAD);
	assert_int_equal(message_headers(m)->count, 1);
	message_free(m);
}

static void
test_only_seven_methods_are_known(void **state)
{
	static const char *const known[] = {
	    "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"};
	static const char *const unknown[] = {
	    "", "get", "GETX", "GE", "TRACE", "CONNECT", "PRI", "GET "};

	(void)state;
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		assert_true(method_is_known(str_of(known[i])));
	for (size_t i = 0; i < sizeof(unknown) / sizeof(unknown[0]); i++)
		assert_false(method_is_known(str_of(unknown[i])));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_malformed_requests_are_refused_with_a_reason),
	    cmocka_unit_test(test_malformed_responses_are_refused_with_a_reason),
	    cmocka_unit_test(test_request_with_length_is_read_to_its_end_and_no_further),
	    cmocka_unit_test(test_chunked_request_is_decoded_and_its_trailers_dropped),
	    cmocka_unit_test(test_request_without_length_has_no_body),
	    cmocka_unit_test(test_one_empty_line_before_a_request_is_let_pass),
	    cmocka_unit_test(test_target_is_handed_on_byte_for_byte),
	    cmocka_unit_test(test_connection_header_decides_about_keeping),
	    cmocka_unit_test(test_upgrade_is_seen_and_the_body_still_read),
	    cmocka_unit_test(test_response_bodies_end_by_length_chunks_or_close),
	    cmocka_unit_test(test_responses_that_have_no_body_end_with_the_head),
	    cmocka_unit_test(test_interim_responses_are_skipped_up_to_a_limit),
	    cmocka_unit_test(test_head_over_the_limit_is_refused_by_name),
	    cmocka_unit_test(test_headers_over_the_count_are_refused_by_name),
	    cmocka_unit_test(test_chunk_lines_and_trailers_over_the_limit_are_refused),
	    cmocka_unit_test(test_pipelined_messages_come_one_by_one_after_reset),
	    cmocka_unit_test(test_message_that_broke_works_again_after_reset),
	    cmocka_unit_test(test_only_seven_methods_are_known),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
