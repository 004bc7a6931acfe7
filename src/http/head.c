/* SPDX-License-Identifier: Apache-2.0 */
#include "http/head.h"

#define REMEDY "send a plain HTTP/1.1 message"

void
head_init(struct head *h, enum message_kind kind)
{
	*h = (struct head){.kind = kind};
	buf_init(&h->text, HEAD_MAX);
	header_list_init(&h->headers);
	head_scan_init(&h->scan, true);
}

void
head_clear(struct head *h)
{
	buf_clear(&h->text);
	header_list_clear(&h->headers);
	head_init(h, h->kind);
}

void
head_reset(struct head *h)
{
	struct buf text;

	/* The memory stays: the next head will be about as long. */
	buf_reset(&h->text);
	text = h->text;
	header_list_clear(&h->headers);
	head_init(h, h->kind);
	h->text = text;
}

static enum av_err
version_check(struct head *h, struct str version, struct fault *f)
{
	if (!str_eq_cstr(version, "HTTP/1.1") && !str_eq_cstr(version, "HTTP/1.0"))
		return fault_set(f, AV_EFORMAT, "http_version", REMEDY,
		    "the version is neither HTTP/1.1 nor HTTP/1.0");
	h->minor = (unsigned)(version.p[7] - '0');
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
		return fault_set(f, AV_EFORMAT, "http_target_form",
		    "send a path that begins with '/'",
		    "the target does not begin with '/' (absolute-form, authority-form and '*' are "
		    "not served)");
	return AV_OK;
}

static enum av_err
request_line(struct head *h, struct str line, struct fault *f)
{
	struct str rest, version;
	enum av_err e;

	if (!str_cut(line, ' ', &h->method, &rest) || !str_cut(rest, ' ', &h->target, &version))
		return fault_set(f, AV_EFORMAT, "http_request_line", REMEDY,
		    "the first line is not `METHOD TARGET HTTP/1.1`");
	e = version_check(h, version, f);
	if (e != AV_OK)
		return e;
	if (str_eq_cstr(h->method, "CONNECT"))
		return fault_set(f, AV_EFORMAT, "http_connect", REMEDY, "CONNECT is not served");
	if (!is_http_method(h->method))
		return fault_set(f, AV_EFORMAT, "http_method_unknown", REMEDY,
		    "the method is not one of HTTP's");
	return target_check(h->target, f);
}

static enum av_err
status_line(struct head *h, struct str line, struct fault *f)
{
	struct str version, rest, code, reason;
	uint64_t status = 0;
	enum av_err e;

	if (!str_cut(line, ' ', &version, &rest))
		return fault_set(f, AV_EFORMAT, "http_status_line", "",
		    "the first line is not `HTTP/1.1 STATUS REASON`");
	e = version_check(h, version, f);
	if (e != AV_OK)
		return e;
	if (!str_cut(rest, ' ', &code, &reason))
		code = rest;
	if (code.len != 3 || str_to_u64(code, 100, 999, &status) != AV_OK)
		return fault_set(f, AV_EFORMAT, "http_status_line", "",
		    "the status is not a number of three digits");
	h->status = (unsigned)status;
	return AV_OK;
}

static enum av_err
fields_collect(struct head *h, struct fault *f)
{
	struct str rest = {(const char *)h->text.data, h->text.len}, line, name, value;

	/* Past the start line. The scanner has made sure that each line has CR LF and a name. */
	if (!str_cut(rest, '\n', &line, &rest))
		return fault_set(
		    f, AV_EFORMAT, "http_start_line", REMEDY, "there is no first line");
	while (str_cut(rest, '\n', &line, &rest) && line.len > 1) {
		enum av_err e;
		line.len--;
		if (!str_cut(line, ':', &name, &value))
			return fault_set(
			    f, AV_EFORMAT, "http_no_colon", REMEDY, "a line has no colon");
		e = header_list_add(&h->headers, name, value);
		if (e == AV_ELIMIT && h->headers.count >= HEADER_MAX_COUNT)
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
framing_check(struct head *h, struct fault *f)
{
	const struct str te_name = STR_LIT("transfer-encoding"),
	                 cl_name = STR_LIT("content-length");
	const struct header *te = header_list_find(&h->headers, te_name);
	const struct header *cl = header_list_find(&h->headers, cl_name);

	if (header_list_count(&h->headers, cl_name) > 1)
		return fault_set(
		    f, AV_EFORMAT, "http_two_lengths", REMEDY, "more than one content-length");
	if (te != NULL && cl != NULL)
		return fault_set(f, AV_EFORMAT, "http_length_and_encoding", REMEDY,
		    "both content-length and transfer-encoding");
	if (te != NULL && h->minor == 0)
		return fault_set(
		    f, AV_EFORMAT, "http_encoding_in_1_0", REMEDY, "transfer-encoding in HTTP/1.0");
	if (te != NULL &&
	    (header_list_count(&h->headers, te_name) > 1 || !str_ieq_cstr(te->value, "chunked")))
		return fault_set(f, AV_EFORMAT, "http_transfer_encoding", REMEDY,
		    "a transfer-encoding that is not `chunked` alone");
	if (cl != NULL && str_to_u64(cl->value, 0, INT64_MAX, &h->length) != AV_OK)
		return fault_set(f, AV_EFORMAT, "http_bad_length", REMEDY,
		    "the content-length is not a plain number");
	h->has_length = cl != NULL;
	h->chunked = te != NULL;
	return AV_OK;
}

static enum av_err
fields_check(struct head *h, struct fault *f)
{
	size_t hosts = header_list_count(&h->headers, STR_LIT("host"));

	if (h->kind == MESSAGE_REQUEST && hosts == 0)
		return fault_set(f, AV_EFORMAT, "http_no_host", "send one Host header",
		    "there is no Host header");
	if (h->kind == MESSAGE_REQUEST && hosts > 1)
		return fault_set(f, AV_EFORMAT, "http_two_hosts", "send one Host header",
		    "more than one Host header");
	h->close = field_has_token(&h->headers, "connection", "close");
	h->keep = field_has_token(&h->headers, "connection", "keep-alive");
	h->upgrade = field_has_token(&h->headers, "connection", "upgrade") &&
	    header_list_find(&h->headers, STR_LIT("upgrade")) != NULL;
	return framing_check(h, f);
}

static enum av_err
start_line(struct head *h, struct fault *f)
{
	struct str line = {(const char *)h->text.data, h->text.len - 2};

	if (line.len > 0)
		return h->kind == MESSAGE_REQUEST ? request_line(h, line, f)
		                                  : status_line(h, line, f);
	/* RFC 9112 2.2: one empty line before a request is let pass. */
	if (h->kind != MESSAGE_REQUEST || h->blank_seen)
		return fault_set(
		    f, AV_EFORMAT, "http_start_line", REMEDY, "the first line is empty");
	h->blank_seen = true;
	buf_reset(&h->text);
	head_scan_init(&h->scan, true);
	return AV_OK;
}

/* Method and target point into the head, which moves while it grows. */
static void
start_line_settle(struct head *h)
{
	if (h->kind != MESSAGE_REQUEST)
		return;
	h->method.p = (const char *)h->text.data;
	h->target.p = h->method.p + h->method.len + 1;
}

static enum av_err
head_complete(struct head *h, struct fault *f)
{
	enum av_err e = fields_collect(h, f);

	if (e == AV_OK)
		e = fields_check(h, f);
	if (e == AV_OK)
		start_line_settle(h);
	return e;
}

enum av_err
head_feed(struct head *h, const uint8_t *in, size_t len, size_t *used, bool *whole, struct fault *f)
{
	*used = 0;
	while (*used < len && !h->scan.done) {
		bool line_end;
		size_t n;
		enum av_err e = head_scan_line(&h->scan, in + *used, len - *used, &n, &line_end, f);
		if (e != AV_OK)
			return e;
		e = buf_append(&h->text, in + *used, n);
		if (e != AV_OK)
			return fault_set(f, e, "no_memory", "", "no memory for the head");
		*used += n;
		if (line_end && h->scan.line == 1)
			e = start_line(h, f);
		else if (h->scan.done)
			e = head_complete(h, f);
		if (e != AV_OK)
			return e;
	}
	*whole = h->scan.done;
	return AV_OK;
}
