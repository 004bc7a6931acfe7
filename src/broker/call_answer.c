/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/call.h"

#include <string.h>

#define CALL_COMPACT (64u * 1024u)
#define CALL_HEAD_MAX (256u * 1024u)

/* ---- the body, on its way up ------------------------------------------------------------------- */

static size_t
call_on_read(void *ctx, char *out, size_t room, bool *ended)
{
	struct call *c = ctx;
	size_t n = c->body.len - c->body_off;

	if (n > room)
		n = room;
	if (n > 0)
		memcpy(out, c->body.data + c->body_off, n);
	c->body_off += n;
	/* At least half of it: a large body that came whole is not moved over and over. */
	if (c->body_off == c->body.len ||
	    (c->body_off >= CALL_COMPACT && c->body_off >= c->body.len / 2)) {
		buf_consume(&c->body, c->body_off);
		c->body_off = 0;
	}
	*ended = c->body_ended && c->body.len == c->body_off;
	if (!c->body_ended)
		session_wake(c->s);
	return n;
}

/* ---- the answer, cleaned, on its way down ------------------------------------------------------- */

static void
call_put_headers(struct call *c, const struct header_list *headers, bool decoded, struct buf *head)
{
	struct buf value;
	size_t i;

	buf_init(&value, HEADER_MAX_BYTES);
	for (i = 0; i < headers->count; i++) {
		const struct header *h = &headers->items[i];

		if (!header_is_response_safe(h->name) || str_eq_cstr(h->name, "content-length") ||
		    (decoded && str_eq_cstr(h->name, "content-encoding")))
			continue;
		if (scrub_in_name(&c->scrub, h->name) ||
		    scrub_text(&c->scrub, h->value, &value) != AV_OK)
			continue;
		(void)buf_append(head, h->name.p, h->name.len);
		(void)buf_append(head, ": ", 2);
		(void)buf_append(head, value.data, value.len);
		(void)buf_append(head, "\r\n", 2);
	}
	buf_clear(&value);
}

static enum upstream_take
call_on_head(void *ctx, unsigned status, const struct header_list *headers, uint64_t length)
{
	struct call *c = ctx;
	bool no_body = strcmp(c->req.method, "HEAD") == 0 || status == 204 || status == 304;
	struct buf head;

	c->status = status;
	if (!no_body && length != UINT64_MAX && length > c->max_response) {
		fault_set(&c->stop, AV_ETOOBIG, "response_too_big", "Ask for less.",
		    "The answer has %llu bytes; the size limit is %llu.",
		    (unsigned long long)length, (unsigned long long)c->max_response);
		return UPSTREAM_STOP;
	}
	buf_init(&head, CALL_HEAD_MAX);
	reply_status_line(&head, status);
	call_put_headers(c, headers, true, &head);
	reply_header(&head, "Aivault-Credential", str_of(c->res->r.credential));
	reply_header(
	    &head, "Aivault-Upstream", (struct str){(const char *)c->shown.data, c->shown.len});
	if (buf_err(&head) != AV_OK) {
		fault_set(&c->stop, AV_EUPSTREAM, "upstream_head_too_large", "",
		    "The headers of the answer are over a limit.");
		buf_clear(&head);
		return UPSTREAM_STOP;
	}
	/* Before anything can end the call from inside session_begin(). */
	c->head_sent = true;
	session_begin(c->s, &head, status == 204 ? UINT64_MAX : length, no_body);
	buf_clear(&head);
	return UPSTREAM_TAKEN;
}

/* A slow client makes the upstream wait. Of the call nothing is touched: its client may have turned out
 * to be gone while it was written to, and the call with it. The session is there until the turn ends. */
static enum upstream_take
call_taken(const struct session *s)
{
	return session_unsent(s) >= SESSION_UNSENT_HIGH ? UPSTREAM_WAIT : UPSTREAM_TAKEN;
}

static enum upstream_take
call_on_body(void *ctx, const uint8_t *p, size_t len)
{
	struct call *c = ctx;
	struct session *s = c->s;
	struct buf clean;
	enum av_err e;

	c->response_bytes += len;
	if (c->response_bytes > c->max_response) {
		fault_set(
		    &c->stop, AV_ETOOBIG, "cut_by_limit", "", "The answer is over the limit.");
		return UPSTREAM_STOP;
	}
	if (c->scrub.count == 0) {
		session_send(s, p, len);
		return call_taken(s);
	}
	buf_init(&clean, len + SCRUB_MAX_NEEDLE);
	e = scrub_feed(&c->scrub, p, len, &clean);
	if (e == AV_OK)
		session_send(s, clean.data, clean.len);
	else
		fault_set(&c->stop, e, "scrub", "", "The answer could not be guarded.");
	buf_clear(&clean);
	return e == AV_OK ? call_taken(s) : UPSTREAM_STOP;
}

/* ---- its end ------------------------------------------------------------------------------------ */

static void
call_on_upstream_done(void *ctx, const struct upstream_result *r)
{
	const struct fault gone = {.err = AV_ECUT, .reason = "client_gone"};
	struct call *c = ctx;
	struct buf rest;

	c->transfer = NULL;
	c->stage =
	    CALL_END; /* the client may be found gone below, and there is no transfer to end */
	if (c->stop.err != AV_OK) {
		call_fail(c, &c->stop);
		return;
	}
	if (r->fault.err != AV_OK) {
		call_fail(c, &r->fault);
		return;
	}
	buf_init(&rest, SCRUB_MAX_NEEDLE);
	if (scrub_end(&c->scrub, &rest) == AV_OK)
		session_send(c->s, rest.data, rest.len);
	buf_clear(&rest);
	if (c->gone)
		call_fail(c, &gone);
	else
		call_done(c);
}

const struct upstream_ops call_upstream = {
    .head = call_on_head,
    .body = call_on_body,
    .read = call_on_read,
    .done = call_on_upstream_done,
};
