/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/reply.h"

#include <stddef.h>

struct reason_phrase {
	unsigned status;
	const char *text;
};

static const struct reason_phrase reason_phrases[] = {
    {200, "OK"},
    {201, "Created"},
    {202, "Accepted"},
    {204, "No Content"},
    {206, "Partial Content"},
    {301, "Moved Permanently"},
    {302, "Found"},
    {303, "See Other"},
    {304, "Not Modified"},
    {307, "Temporary Redirect"},
    {308, "Permanent Redirect"},
    {400, "Bad Request"},
    {401, "Unauthorized"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {408, "Request Timeout"},
    {409, "Conflict"},
    {413, "Content Too Large"},
    {422, "Unprocessable Content"},
    {423, "Locked"},
    {429, "Too Many Requests"},
    {431, "Request Header Fields Too Large"},
    {500, "Internal Server Error"},
    {501, "Not Implemented"},
    {502, "Bad Gateway"},
    {503, "Service Unavailable"},
    {504, "Gateway Timeout"},
};

static const char *
reply_reason_phrase(unsigned status)
{
	size_t i;

	for (i = 0; i < sizeof(reason_phrases) / sizeof(reason_phrases[0]); i++) {
		if (reason_phrases[i].status == status)
			return reason_phrases[i].text;
	}
	return "";
}

void
reply_status_line(struct buf *out, unsigned status)
{
	(void)buf_append_str(out, "HTTP/1.1 ");
	(void)buf_append_u64(out, status);
	(void)buf_append_str(out, " ");
	(void)buf_append_str(out, reply_reason_phrase(status));
	(void)buf_append_str(out, "\r\n");
}

void
reply_header(struct buf *out, const char *name, struct str value)
{
	(void)buf_append_str(out, name);
	(void)buf_append(out, ": ", 2);
	(void)buf_append(out, value.p, value.len);
	(void)buf_append(out, "\r\n", 2);
}

/* The length of the well-formed UTF-8 sequence at s, or 0. */
static size_t
utf8_sequence(struct str s)
{
	size_t n;

	for (n = 1; n <= 4 && n <= s.len; n++) {
		if (str_is_utf8((struct str){s.p, n}))
			return n;
	}
	return 0;
}

void
reply_json_string(struct buf *out, struct str s)
{
	size_t i = 0;

	(void)buf_append_byte(out, '"');
	while (i < s.len) {
		unsigned char c = (unsigned char)s.p[i];
		size_t n;

		if (c == '"' || c == '\\') {
			(void)buf_append_byte(out, '\\');
			(void)buf_append_byte(out, c);
			i++;
		} else if (c < 0x20 || c == 0x7f) {
			(void)buf_appendf(out, "\\u%04x", c);
			i++;
		} else if (c < 0x80) {
			(void)buf_append_byte(out, c);
			i++;
		} else if ((n = utf8_sequence((struct str){s.p + i, s.len - i})) > 0) {
			(void)buf_append(out, s.p + i, n);
			i += n;
		} else {
			(void)buf_append_str(out, "\\ufffd");
			i++;
		}
	}
	(void)buf_append_byte(out, '"');
}

static void
reply_member(struct buf *out, const char *key, const char *value)
{
	(void)buf_appendf(out, ",\"%s\":", key);
	reply_json_string(out, str_of(value));
}

/* For faults that came without one: an agent is never left without a next step. */
static const char *
reply_default_remedy(enum av_err e)
{
	switch (e) {
	case AV_EPOLICY:
		return "Stay inside what the capability allows, or ask the vault's owner to widen "
		       "it.";
	case AV_ETOOBIG:
		return "Send or ask for less.";
	case AV_ERATE:
		return "Wait as long as Retry-After says.";
	case AV_ENOCAP:
		return "See GET /aivault/capabilities.";
	case AV_ENOCRED:
	case AV_EAMBIG:
		return "See `aivault credential list`; name one in Aivault-Credential.";
	case AV_EUPSTREAM:
	case AV_ETIMEOUT:
	case AV_ECUT:
		return "Try again; if it stays so, check the upstream.";
	case AV_EINVAL:
	case AV_EFORMAT:
	case AV_ELIMIT:
	case AV_ETRUNC:
		return "Send a well-formed request within the stated limits.";
	default:
		return "Ask the vault's owner to run `aivault doctor`.";
	}
}

void
reply_problem_body(struct buf *out, const struct fault *f, const char *request_id)
{
	const char *reason = f->reason[0] != '\0' ? f->reason : av_err_code(f->err);
	const char *message = f->message[0] != '\0' ? f->message : av_err_text(f->err);

	(void)buf_appendf(out, "{\"type\":\"urn:aivault:error:%s\"", av_err_code(f->err));
	reply_member(out, "title", av_err_text(f->err));
	(void)buf_appendf(out, ",\"status\":%d", av_err_http(f->err));
	reply_member(out, "detail", message);
	reply_member(out, "error", av_err_code(f->err));
	reply_member(out, "message", message);
	reply_member(out, "reason", reason);
	reply_member(
	    out, "remedy", f->remedy[0] != '\0' ? f->remedy : reply_default_remedy(f->err));
	reply_member(out, "requestId", request_id);
	(void)buf_append_str(out, "}\n");
}
