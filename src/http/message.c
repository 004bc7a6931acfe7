/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A head is gathered whole, checked by our rules (head.c), and then read by llhttp, which must
 * accept it and agree on the framing. Bodies are ours: llhttp 8.1 reads `1;a=b;2` as chunk size
 * 0x12, and a body of known length needs no parser.
 */
#include "http/message.h"

#include "http/chunk.h"
#include "http/head.h"

#include <llhttp.h>
#include <stdlib.h>

#define INTERIM_MAX 16u /* 1xx responses before the final one */

enum phase {
	PHASE_HEAD,
	PHASE_LENGTH,
	PHASE_CHUNKED,
	PHASE_TRAILER,
	PHASE_UNTIL_CLOSE,
	PHASE_DONE
};

struct message {
	bool head_request;
	enum phase phase;
	struct head head;
	unsigned interim;
	bool until_close;
	uint64_t left; /* PHASE_LENGTH: body bytes to come */
	struct chunk_reader chunks;
	struct head_scan trailer;
	struct fault fault; /* .err != AV_OK: the message is broken */
};

enum av_err
message_new(enum message_kind kind, bool head_request, struct message **out)
{
	struct message *m = calloc(1, sizeof(*m));

	*out = NULL;
	if (m == NULL)
		return AV_ENOMEM;
	head_init(&m->head, kind);
	message_reset(m, head_request);
	*out = m;
	return AV_OK;
}

void
message_free(struct message *m)
{
	if (m == NULL)
		return;
	head_clear(&m->head);
	free(m);
}

void
message_reset(struct message *m, bool head_request)
{
	head_reset(&m->head);
	m->head_request = head_request;
	m->phase = PHASE_HEAD;
	m->interim = 0;
	m->until_close = false;
	m->left = 0;
	m->fault = (struct fault){.err = AV_OK};
}

/* ---- the second opinion ---- */

static enum phase
body_phase(const struct message *m)
{
	const struct head *h = &m->head;

	if (h->kind == MESSAGE_RESPONSE &&
	    (m->head_request || h->status / 100 == 1 || h->status == 204 || h->status == 304))
		return PHASE_DONE;
	if (h->chunked)
		return PHASE_CHUNKED;
	if (h->has_length)
		return h->length > 0 ? PHASE_LENGTH : PHASE_DONE;
	return h->kind == MESSAGE_RESPONSE ? PHASE_UNTIL_CLOSE : PHASE_DONE;
}

/* 1: there is no body, whatever the headers say. */
static int
on_headers_complete(llhttp_t *p)
{
	const struct message *m = p->data;

	/* An upgrade is for the caller to decide: to us it is a message like others. */
	p->upgrade = 0;
	return m->head.kind == MESSAGE_RESPONSE && body_phase(m) == PHASE_DONE;
}

static int
on_message_complete(llhttp_t *p)
{
	(void)p;
	return HPE_PAUSED;
}

/* llhttp reads the same bytes; where it does not read the same message, nobody should. */
static enum av_err
parser_check(struct message *m, struct fault *f)
{
	const struct head *h = &m->head;
	const char *text = (const char *)h->text.data;
	bool has_body = body_phase(m) != PHASE_DONE, fine;
	llhttp_settings_t settings;
	llhttp_t parser;
	llhttp_errno_t e;

	llhttp_settings_init(&settings);
	settings.on_headers_complete = on_headers_complete;
	settings.on_message_complete = on_message_complete;
	llhttp_init(&parser, h->kind == MESSAGE_REQUEST ? HTTP_REQUEST : HTTP_RESPONSE, &settings);
	parser.data = m;
	e = llhttp_execute(&parser, text, h->text.len);
	if (has_body)
		fine = e == HPE_OK && h->chunked == ((parser.flags & F_CHUNKED) != 0) &&
		    (!h->has_length || parser.content_length == h->length);
	else
		fine = e == HPE_PAUSED && llhttp_get_error_pos(&parser) == text + h->text.len;
	if (fine)
		return AV_OK;
	return fault_set(f, AV_EFORMAT, "http_malformed", "send a plain HTTP/1.1 message", "%s",
	    e == HPE_OK || e == HPE_PAUSED ? "the head has two readings"
	                                   : llhttp_get_error_reason(&parser));
}

/* ---- feeding ---- */

static enum av_err
head_complete(struct message *m, enum message_event *event, struct fault *f)
{
	enum av_err e = parser_check(m, f);

	if (e != AV_OK)
		return e;
	if (m->head.status / 100 == 1 && m->head.status != 101) {
		if (++m->interim > INTERIM_MAX)
			return fault_set(f, AV_ELIMIT, "http_too_many_interim", "",
			    "over %u interim responses", INTERIM_MAX);
		head_reset(&m->head);
		return AV_OK;
	}
	m->phase = body_phase(m);
	m->until_close = m->phase == PHASE_UNTIL_CLOSE;
	m->left = m->head.length;
	chunk_reader_init(&m->chunks);
	*event = MESSAGE_HEAD;
	return AV_OK;
}

static enum av_err
feed_head(struct message *m, const uint8_t *in, size_t len, size_t *used, enum message_event *event,
    struct fault *f)
{
	while (*used < len && *event == MESSAGE_NEED_MORE) {
		bool whole = false;
		size_t n;
		enum av_err e = head_feed(&m->head, in + *used, len - *used, &n, &whole, f);
		*used += n;
		if (e == AV_OK && whole)
			e = head_complete(m, event, f);
		if (e != AV_OK)
			return e;
	}
	return AV_OK;
}

static void
feed_plain(struct message *m, const uint8_t *in, size_t len, size_t *used, struct str *body)
{
	size_t n = len;

	if (m->phase == PHASE_LENGTH) {
		if (m->left < n)
			n = (size_t)m->left;
		m->left -= n;
		if (m->left == 0)
			m->phase = PHASE_DONE;
	}
	*used = n;
	*body = (struct str){(const char *)in, n};
}

/* Trailers are checked and dropped. */
static enum av_err
feed_trailer(struct message *m, const uint8_t *in, size_t len, size_t *used, struct fault *f)
{
	while (*used < len && !m->trailer.done) {
		bool line_end;
		size_t n;
		enum av_err e =
		    head_scan_line(&m->trailer, in + *used, len - *used, &n, &line_end, f);
		if (e != AV_OK)
			return e;
		*used += n;
	}
	if (m->trailer.done)
		m->phase = PHASE_DONE;
	return AV_OK;
}

static enum av_err
feed_body(struct message *m, const uint8_t *in, size_t len, size_t *used, struct str *body,
    struct fault *f)
{
	enum av_err e = AV_OK;

	if (m->phase == PHASE_LENGTH || m->phase == PHASE_UNTIL_CLOSE)
		feed_plain(m, in, len, used, body);
	if (m->phase == PHASE_CHUNKED) {
		e = chunk_reader_feed(&m->chunks, in, len, used, body, f);
		if (e == AV_OK && m->chunks.state == CHUNK_LAST) {
			head_scan_init(&m->trailer, false);
			m->phase = PHASE_TRAILER;
		}
	}
	if (e == AV_OK && m->phase == PHASE_TRAILER)
		e = feed_trailer(m, in, len, used, f);
	return e;
}

enum av_err
message_feed(struct message *m, const uint8_t *in, size_t len, size_t *used,
    enum message_event *event, struct str *body, struct fault *f)
{
	enum av_err e = m->fault.err;

	*used = 0;
	*event = MESSAGE_NEED_MORE;
	*body = (struct str){NULL, 0};
	if (e == AV_OK && m->phase == PHASE_HEAD) {
		e = feed_head(m, in, len, used, event, &m->fault);
	} else if (e == AV_OK) {
		e = feed_body(m, in, len, used, body, &m->fault);
		if (body->len > 0)
			*event = MESSAGE_BODY;
		else if (m->phase == PHASE_DONE)
			*event = MESSAGE_DONE;
	}
	if (e != AV_OK && f != NULL)
		*f = m->fault;
	return e;
}

enum av_err
message_eof(struct message *m, enum message_event *event)
{
	*event = MESSAGE_NEED_MORE;
	if (m->fault.err != AV_OK)
		return m->fault.err;
	if (m->phase == PHASE_UNTIL_CLOSE)
		m->phase = PHASE_DONE;
	if (m->phase != PHASE_DONE)
		return AV_ETRUNC;
	*event = MESSAGE_DONE;
	return AV_OK;
}

/* ---- questions ---- */

struct str
message_method(const struct message *m)
{
	return m->head.method;
}

struct str
message_target(const struct message *m)
{
	return m->head.target;
}

unsigned
message_status(const struct message *m)
{
	return m->head.status;
}

struct header_list *
message_headers(struct message *m)
{
	return &m->head.headers;
}

unsigned
message_minor_version(const struct message *m)
{
	return m->head.minor;
}

bool
message_keep_alive(const struct message *m)
{
	if (m->fault.err != AV_OK || m->until_close || m->head.close)
		return false;
	return m->head.minor == 1 || m->head.keep;
}

bool
message_is_upgrade(const struct message *m)
{
	return m->head.upgrade;
}

bool
message_content_length(const struct message *m, uint64_t *out)
{
	if (m->head.has_length)
		*out = m->head.length;
	return m->head.has_length;
}

bool
message_is_chunked(const struct message *m)
{
	return m->head.chunked;
}
