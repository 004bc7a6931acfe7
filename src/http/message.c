/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The head is gathered whole, checked by our rules, and then read by llhttp, which must accept it
 * and agree on the framing. Chunks are decoded by llhttp; bodies of a known length and trailers
 * need no parser.
 */
#include "http/message.h"

#include "base/buf.h"
#include "http/head_scan.h"

#include <llhttp.h>
#include <stdlib.h>

#define CHUNK_LINE_MAX 4096u /* a chunk's size with its extensions */
#define INTERIM_MAX 16u      /* 1xx responses before the final one */
#define REMEDY "send a plain HTTP/1.1 message"

enum phase { PHASE_HEAD, PHASE_LENGTH, PHASE_CHUNKED, PHASE_TRAILER, PHASE_UNTIL_CLOSE, PHASE_DONE };

struct message {
	enum message_kind kind;
	bool head_request;
	enum phase phase;
	struct buf head;
	struct head_scan scan;
	struct header_list headers;
	struct str method; /* into head, as target */
	struct str target;
	unsigned status;
	unsigned minor; /* of HTTP/1.x */
	unsigned interim;
	bool blank_seen; /* an empty line before the request */
	bool has_length;
	bool chunked;
	bool close; /* Connection tokens */
	bool keep;
	bool upgrade;
	bool until_close;
	uint64_t length;
	uint64_t left; /* PHASE_LENGTH: body bytes to come */
	size_t overhead; /* PHASE_CHUNKED: bytes since the last body byte */
	struct fault fault; /* .err != AV_OK: the message is broken */
	llhttp_t parser;
	llhttp_settings_t settings;
	/* What a callback of llhttp saw; it has paused then. */
	struct str span;
	bool at_chunk;
};

/* ---- llhttp's callbacks ---- */

/* 1: there is no body, whatever the headers say. */
static int
on_headers_complete(llhttp_t *p)
{
	const struct message *m = p->data;

	/* An upgrade is for the caller to decide: to us it is a message like others. */
	p->upgrade = 0;
	if (m->kind == MESSAGE_REQUEST)
		return 0;
	return m->head_request || m->status / 100 == 1 || m->status == 204 || m->status == 304;
}

static int
on_body(llhttp_t *p, const char *at, size_t len)
{
	struct message *m = p->data;

	m->span = (struct str){ at, len };
	return HPE_PAUSED;
}

static int
on_chunk_header(llhttp_t *p)
{
	struct message *m = p->data;

	m->at_chunk = true;
	return HPE_PAUSED;
}

static int
on_message_complete(llhttp_t *p)
{
	(void)p;
	return HPE_PAUSED;
}

/* ---- life ---- */

static void
message_clear_head(struct message *m)
{
	buf_reset(&m->head);
	header_list_clear(&m->headers);
	head_scan_init(&m->scan, true);
	m->method = m->target = (struct str){ NULL, 0 };
	m->status = m->minor = 0;
	m->has_length = m->chunked = m->close = m->keep = m->upgrade = false;
	m->until_close = false;
	m->length = m->left = 0;
	m->overhead = 0;
	llhttp_init(&m->parser, m->kind == MESSAGE_REQUEST ? HTTP_REQUEST : HTTP_RESPONSE,
	    &m->settings);
	m->parser.data = m;
}

enum av_err
message_new(enum message_kind kind, bool head_request, struct message **out)
{
	struct message *m = calloc(1, sizeof(*m));

	*out = NULL;
	if (m == NULL)
		return AV_ENOMEM;
	m->kind = kind;
	buf_init(&m->head, HEAD_MAX);
	header_list_init(&m->headers);
	llhttp_settings_init(&m->settings);
	m->settings.on_headers_complete = on_headers_complete;
	m->settings.on_body = on_body;
	m->settings.on_chunk_header = on_chunk_header;
	m->settings.on_message_complete = on_message_complete;
	message_reset(m, head_request);
	*out = m;
	return AV_OK;
}

void
message_free(struct message *m)
{
	if (m == NULL)
		return;
	buf_clear(&m->head);
	header_list_clear(&m->headers);
	free(m);
}

void
message_reset(struct message *m, bool head_request)
{
	message_clear_head(m);
	m->head_request = head_request;
	m->phase = PHASE_HEAD;
	m->interim = 0;
	m->blank_seen = false;
	m->fault = (struct fault){ .err = AV_OK };
}

/* ---- the start line ---- */

static enum av_err
version_check(struct message *m, struct str version, struct fault *f)
{
	if (!str_eq_cstr(version, "HTTP/1.1") && !str_eq_cstr(version, "HTTP/1.0"))
		return fault_set(f, AV_EFORMAT, "http_version", REMEDY,
		    "the version is neither HTTP/1.1 nor HTTP/1.0");
	m->minor = (unsigned)(version.p[7] - '0');
	return AV_OK;
}

static bool
is_http_method(struct str s)
{
	return method_is_known(s) || str_eq_cstr(s, "TRACE");
}

static enum av_err
target_check(struct str target, struct fault *f)
{
	for (size_t i = 0; i < target.len; i++) {
		unsigned char c = (unsigned char)target.p[i];
		if (c == '#')
			return fault_set(f, AV_EFORMAT, "http_target_fragment", REMEDY,
			    "the target holds a '#'");
		if (c < 0x21 || c > 0x7e)
			return fault_set(f, AV_EFORMAT, "http_target_byte", REMEDY,
			    "the target holds the raw byte 0x%02x", c);
	}
	if (target.len == 0)
		return fault_set(f, AV_EFORMAT, "http_request_line", REMEDY, "there is no target");
	if (target.p[0] != '/')
		return fault_set(f, AV_EFORMAT, "http_target_form", "send a path that begins with '/'",
		    "the target does not begin with '/' (absolute-form, authority-form and '*' are "
		    "not served)");
	return AV_OK;
}

static enum av_err
request_line(struct message *m, struct str line, struct fault *f)
{
	struct str rest, version;
	enum av_err e;

	if (!str_cut(line, ' ', &m->method, &rest) || !str_cut(rest, ' ', &m->target, &version))
		return fault_set(f, AV_EFORMAT, "http_request_line", REMEDY,
		    "the first line is not `METHOD TARGET HTTP/1.1`");
	e = version_check(m, version, f);
	if (e != AV_OK)
		return e;
	if (str_eq_cstr(m->method, "CONNECT"))
		return fault_set(f, AV_EFORMAT, "http_connect", REMEDY, "CONNECT is not served");
	if (!is_http_method(m->method))
		return fault_set(f, AV_EFORMAT, "http_method_unknown", REMEDY,
		    "the method is not one of HTTP's");
	return target_check(m->target, f);
}

static enum av_err
status_line(struct message *m, struct str line, struct fault *f)
{
	struct str version, rest, code, reason;
	uint64_t status = 0;
	enum av_err e;

	if (!str_cut(line, ' ', &version, &rest))
		return fault_set(f, AV_EFORMAT, "http_status_line", "",
		    "the first line is not `HTTP/1.1 STATUS REASON`");
	e = version_check(m, version, f);
	if (e != AV_OK)
		return e;
	if (!str_cut(rest, ' ', &code, &reason))
		code = rest;
	if (code.len != 3 || str_to_u64(code, 100, 999, &status) != AV_OK)
		return fault_set(f, AV_EFORMAT, "http_status_line", "",
		    "the status is not a number of three digits");
	m->status = (unsigned)status;
	return AV_OK;
}

/* ---- the fields ---- */

static enum av_err
fields_collect(struct message *m, struct fault *f)
{
	struct str rest = { (const char *)m->head.data, m->head.len }, line, name, value;

	/* Past the start line. The scanner has made sure that each line has CR LF and a name. */
	if (!str_cut(rest, '\n', &line, &rest))
		return fault_set(f, AV_EFORMAT, "http_start_line", REMEDY, "there is no first line");
	while (str_cut(rest, '\n', &line, &rest) && line.len > 1) {
		enum av_err e;
		line.len--;
		if (!str_cut(line, ':', &name, &value))
			return fault_set(f, AV_EFORMAT, "http_no_colon", REMEDY, "a line has no colon");
		e = header_list_add(&m->headers, name, value);
		if (e == AV_ELIMIT && m->headers.count >= HEADER_MAX_COUNT)
			return fault_set(f, e, "http_too_many_headers", "send fewer headers",
			    "over %u header fields", HEADER_MAX_COUNT);
		if (e == AV_ELIMIT)
			return fault_set(f, e, "http_head_too_large", "send shorter headers",
			    "the headers are over %u bytes", HEADER_MAX_BYTES);
		if (e != AV_OK)
			return fault_set(f, e, "http_bad_header", REMEDY, "a header is malformed");
	}
	return AV_OK;
}

static bool
field_has_token(const struct header_list *l, const char *name, const char *token)
{
	for (size_t i = 0; i < l->count; i++) {
		struct str rest = l->items[i].value, head;
		bool more = true;
		if (!str_eq_cstr(l->items[i].name, name))
			continue;
		while (more) {
			more = str_cut(rest, ',', &head, &rest);
			if (str_ieq_cstr(str_trim(more ? head : rest), token))
				return true;
		}
	}
	return false;
}

static enum av_err
framing_check(struct message *m, struct fault *f)
{
	const struct str te_name = STR_LIT("transfer-encoding"), cl_name = STR_LIT("content-length");
	const struct header *te = header_list_find(&m->headers, te_name);
	const struct header *cl = header_list_find(&m->headers, cl_name);

	if (header_list_count(&m->headers, cl_name) > 1)
		return fault_set(f, AV_EFORMAT, "http_two_lengths", REMEDY,
		    "more than one content-length");
	if (te != NULL && cl != NULL)
		return fault_set(f, AV_EFORMAT, "http_length_and_encoding", REMEDY,
		    "both content-length and transfer-encoding");
	if (te != NULL && m->minor == 0)
		return fault_set(f, AV_EFORMAT, "http_encoding_in_1_0", REMEDY,
		    "transfer-encoding in HTTP/1.0");
	if (te != NULL && (header_list_count(&m->headers, te_name) > 1 ||
	    !str_ieq_cstr(te->value, "chunked")))
		return fault_set(f, AV_EFORMAT, "http_transfer_encoding", REMEDY,
		    "a transfer-encoding that is not `chunked` alone");
	if (cl != NULL && str_to_u64(cl->value, 0, INT64_MAX, &m->length) != AV_OK)
		return fault_set(f, AV_EFORMAT, "http_bad_length", REMEDY,
		    "the content-length is not a plain number");
	m->has_length = cl != NULL;
	m->chunked = te != NULL;
	return AV_OK;
}

static enum av_err
fields_check(struct message *m, struct fault *f)
{
	size_t hosts = header_list_count(&m->headers, STR_LIT("host"));

	if (m->kind == MESSAGE_REQUEST && hosts == 0)
		return fault_set(f, AV_EFORMAT, "http_no_host", "send one Host header",
		    "there is no Host header");
	if (m->kind == MESSAGE_REQUEST && hosts > 1)
		return fault_set(f, AV_EFORMAT, "http_two_hosts", "send one Host header",
		    "more than one Host header");
	m->close = field_has_token(&m->headers, "connection", "close");
	m->keep = field_has_token(&m->headers, "connection", "keep-alive");
	m->upgrade = field_has_token(&m->headers, "connection", "upgrade") &&
	    header_list_find(&m->headers, STR_LIT("upgrade")) != NULL;
	return framing_check(m, f);
}

static enum phase
body_phase(const struct message *m)
{
	if (m->kind == MESSAGE_RESPONSE &&
	    (m->head_request || m->status / 100 == 1 || m->status == 204 || m->status == 304))
		return PHASE_DONE;
	if (m->chunked)
		return PHASE_CHUNKED;
	if (m->has_length)
		return m->length > 0 ? PHASE_LENGTH : PHASE_DONE;
	return m->kind == MESSAGE_RESPONSE ? PHASE_UNTIL_CLOSE : PHASE_DONE;
}

/* llhttp reads the same bytes; where it does not read the same message, nobody should. */
static enum av_err
parser_check(struct message *m, struct fault *f)
{
	const char *end = (const char *)m->head.data + m->head.len;
	llhttp_errno_t e = llhttp_execute(&m->parser, (const char *)m->head.data, m->head.len);
	bool has_body = body_phase(m) != PHASE_DONE;
	bool fine = e == HPE_OK && has_body;

	if (e == HPE_PAUSED) {
		/* It had no body to wait for. */
		fine = llhttp_get_error_pos(&m->parser) == end && !has_body;
		llhttp_resume(&m->parser);
	}
	if (fine && has_body)
		fine = m->chunked == ((m->parser.flags & F_CHUNKED) != 0) &&
		    (!m->has_length || m->parser.content_length == m->length);
	if (!fine)
		return fault_set(f, AV_EFORMAT, "http_malformed", REMEDY, "%s",
		    e == HPE_OK || e == HPE_PAUSED ? "the framing has two readings"
		                                   : llhttp_get_error_reason(&m->parser));
	return AV_OK;
}

/* ---- feeding ---- */

static enum av_err
start_line(struct message *m, struct fault *f)
{
	struct str line = { (const char *)m->head.data, m->head.len - 2 };

	if (line.len > 0)
		return m->kind == MESSAGE_REQUEST ? request_line(m, line, f) : status_line(m, line, f);
	/* RFC 9112 2.2: one empty line before a request is let pass. */
	if (m->kind != MESSAGE_REQUEST || m->blank_seen)
		return fault_set(f, AV_EFORMAT, "http_start_line", REMEDY, "the first line is empty");
	m->blank_seen = true;
	buf_reset(&m->head);
	head_scan_init(&m->scan, true);
	return AV_OK;
}

/* Method and target point into the head, which moves while it grows. */
static void
start_line_settle(struct message *m)
{
	if (m->kind != MESSAGE_REQUEST)
		return;
	m->method.p = (const char *)m->head.data;
	m->target.p = m->method.p + m->method.len + 1;
}

static enum av_err
head_complete(struct message *m, enum message_event *event, struct fault *f)
{
	enum av_err e = fields_collect(m, f);

	if (e == AV_OK)
		e = fields_check(m, f);
	if (e == AV_OK)
		e = parser_check(m, f);
	if (e != AV_OK)
		return e;
	start_line_settle(m);
	if (m->status / 100 == 1 && m->status != 101) {
		if (++m->interim > INTERIM_MAX)
			return fault_set(f, AV_ELIMIT, "http_too_many_interim", "",
			    "over %u interim responses", INTERIM_MAX);
		message_clear_head(m);
		return AV_OK;
	}
	m->phase = body_phase(m);
	m->until_close = m->phase == PHASE_UNTIL_CLOSE;
	m->left = m->length;
	*event = MESSAGE_HEAD;
	return AV_OK;
}

static enum av_err
feed_head(struct message *m, const uint8_t *in, size_t len, size_t *used,
    enum message_event *event, struct fault *f)
{
	while (*used < len && *event == MESSAGE_NEED_MORE) {
		bool line_end;
		size_t n;
		enum av_err e = head_scan_line(&m->scan, in + *used, len - *used, &n, &line_end, f);
		if (e != AV_OK)
			return e;
		e = buf_append(&m->head, in + *used, n);
		if (e != AV_OK)
			return fault_set(f, e, "no_memory", "", "no memory for the head");
		*used += n;
		if (line_end && m->scan.line == 1)
			e = start_line(m, f);
		else if (m->scan.done)
			e = head_complete(m, event, f);
		if (e != AV_OK)
			return e;
	}
	return AV_OK;
}

static void
feed_length(struct message *m, const uint8_t *in, size_t len, size_t *used,
    enum message_event *event, struct str *body)
{
	size_t n = m->left < len ? (size_t)m->left : len;

	if (n == 0)
		return;
	*body = (struct str){ (const char *)in, n };
	*used = n;
	*event = MESSAGE_BODY;
	m->left -= n;
	if (m->left == 0)
		m->phase = PHASE_DONE;
}

static enum av_err
overhead_add(struct message *m, size_t n, struct fault *f)
{
	m->overhead += n;
	if (m->overhead > CHUNK_LINE_MAX)
		return fault_set(f, AV_ELIMIT, "http_chunk_line_too_long", REMEDY,
		    "a chunk's size and extensions are over %u bytes", CHUNK_LINE_MAX);
	return AV_OK;
}

static enum av_err
feed_chunked(struct message *m, const uint8_t *in, size_t len, size_t *used,
    enum message_event *event, struct str *body, struct fault *f)
{
	while (*used < len && m->phase == PHASE_CHUNKED) {
		const char *from = (const char *)in + *used;
		llhttp_errno_t le;
		size_t n;
		enum av_err e;

		m->span = (struct str){ NULL, 0 };
		m->at_chunk = false;
		le = llhttp_execute(&m->parser, from, len - *used);
		if (le != HPE_OK && le != HPE_PAUSED)
			return fault_set(f, AV_EFORMAT, "http_bad_chunk", REMEDY, "%s",
			    llhttp_get_error_reason(&m->parser));
		n = le == HPE_OK ? len - *used : (size_t)(llhttp_get_error_pos(&m->parser) - from);
		llhttp_resume(&m->parser);
		*used += n;
		e = overhead_add(m, n - m->span.len, f);
		if (e != AV_OK)
			return e;
		if (m->at_chunk) {
			m->overhead = 0;
			if (m->parser.content_length > INT64_MAX)
				return fault_set(f, AV_ELIMIT, "http_bad_chunk", REMEDY,
				    "a chunk's size is over 63 bits");
			if (m->parser.content_length == 0) {
				head_scan_init(&m->scan, false);
				m->phase = PHASE_TRAILER;
			}
		}
		if (m->span.len > 0) {
			m->overhead = 0;
			*body = m->span;
			*event = MESSAGE_BODY;
			return AV_OK;
		}
	}
	return AV_OK;
}

/* Trailers are checked and dropped. */
static enum av_err
feed_trailer(struct message *m, const uint8_t *in, size_t len, size_t *used, struct fault *f)
{
	while (*used < len && !m->scan.done) {
		bool line_end;
		size_t n;
		enum av_err e = head_scan_line(&m->scan, in + *used, len - *used, &n, &line_end, f);
		if (e != AV_OK)
			return e;
		*used += n;
	}
	if (m->scan.done)
		m->phase = PHASE_DONE;
	return AV_OK;
}

enum av_err
message_feed(struct message *m, const uint8_t *in, size_t len, size_t *used,
    enum message_event *event, struct str *body, struct fault *f)
{
	struct fault *own = &m->fault;
	enum av_err e = own->err;

	*used = 0;
	*event = MESSAGE_NEED_MORE;
	*body = (struct str){ NULL, 0 };
	if (e == AV_OK && m->phase == PHASE_HEAD) {
		e = feed_head(m, in, len, used, event, own);
		goto out;
	}
	if (e == AV_OK && m->phase == PHASE_CHUNKED)
		e = feed_chunked(m, in, len, used, event, body, own);
	if (e == AV_OK && m->phase == PHASE_TRAILER && *event == MESSAGE_NEED_MORE)
		e = feed_trailer(m, in, len, used, own);
	if (e != AV_OK)
		goto out;
	if (m->phase == PHASE_LENGTH) {
		feed_length(m, in, len, used, event, body);
	} else if (m->phase == PHASE_UNTIL_CLOSE && len > 0) {
		*body = (struct str){ (const char *)in, len };
		*used = len;
		*event = MESSAGE_BODY;
	} else if (m->phase == PHASE_DONE && *event == MESSAGE_NEED_MORE) {
		*event = MESSAGE_DONE;
	}
out:
	if (e != AV_OK && f != NULL)
		*f = *own;
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
	return m->method;
}

struct str
message_target(const struct message *m)
{
	return m->target;
}

unsigned
message_status(const struct message *m)
{
	return m->status;
}

struct header_list *
message_headers(struct message *m)
{
	return &m->headers;
}

unsigned
message_minor_version(const struct message *m)
{
	return m->minor;
}

bool
message_keep_alive(const struct message *m)
{
	if (m->fault.err != AV_OK || m->until_close || m->close)
		return false;
	return m->minor == 1 || m->keep;
}

bool
message_is_upgrade(const struct message *m)
{
	return m->upgrade;
}

bool
message_content_length(const struct message *m, uint64_t *out)
{
	if (m->has_length)
		*out = m->length;
	return m->has_length;
}

bool
message_is_chunked(const struct message *m)
{
	return m->chunked;
}
