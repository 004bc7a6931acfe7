/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The request on its way up. The head is written by us, byte for byte, so that what was checked is
 * what is sent (I5), and sent once (I9). Its secrets are in t->out only, which is wiped as soon as the
 * connection has taken it.
 */
#include "broker/upstream_state.h"

#include <string.h>

/* Of a body: with its framing one TLS record. */
#define PIECE_MAX (CONNECTION_READ_MAX - 32u)

/* ---- the head ----------------------------------------------------------------------------------- */

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

static void
put_field(struct buf *out, struct str name, struct str value)
{
	(void)buf_append(out, name.p, name.len);
	(void)buf_append_str(out, ": ");
	(void)buf_append(out, value.p, value.len);
	(void)buf_append_str(out, "\r\n");
}

static enum av_err
put_auth(struct buf *out, const struct keeper_released *auth, struct fault *f)
{
	size_t i;

	for (i = 0; i < auth->part_count; i++) {
		const struct auth_part *p = &auth->parts[i];

		if (p->place != AUTH_PLACE_HEADER)
			continue;
		if (!value_is_plain(p->value) || !header_name_is_valid(p->name))
			return fault_set(f, AV_EAUTH, "auth_header_invalid",
			    "Store another secret.",
			    "The secret holds bytes that a header may not have.");
		put_field(out, p->name, p->value);
	}
	return AV_OK;
}

/* RFC 9112 section 6.2: a method that is meant to have a body says so where it has none. */
static bool
method_wants_length(const char *method)
{
	return strcmp(method, "POST") == 0 || strcmp(method, "PUT") == 0 ||
	    strcmp(method, "PATCH") == 0;
}

static void
put_framing(struct buf *out, const struct upstream_request *rq)
{
	uint64_t size = rq->body.p != NULL ? rq->body.len : rq->body_size;

	if (!rq->has_body && !method_wants_length(rq->method))
		return;
	if (rq->has_body && size == UINT64_MAX) {
		(void)buf_append_str(out, "Transfer-Encoding: chunked\r\n");
		return;
	}
	(void)buf_append_str(out, "Content-Length: ");
	(void)buf_append_u64(out, rq->has_body ? size : 0);
	(void)buf_append_str(out, "\r\n");
}

static struct str
host_field(const char *host)
{
	struct str name, port;

	if (str_cut(str_of(host), ':', &name, &port) && str_eq_cstr(port, "443"))
		return name;
	return str_of(host);
}

static void
put_start(struct buf *out, const struct upstream_request *rq)
{
	(void)buf_append_str(out, rq->method);
	(void)buf_append_str(out, " ");
	(void)buf_append_str(out, rq->target);
	(void)buf_append_str(out, " HTTP/1.1\r\n");
	put_field(out, STR_LIT("Host"), host_field(rq->host));
}

static void
put_headers(struct buf *out, const struct header_list *headers)
{
	size_t i;

	for (i = 0; i < headers->count; i++)
		put_field(out, headers->items[i].name, headers->items[i].value);
	if (header_list_find(headers, STR_LIT("accept")) == NULL)
		(void)buf_append_str(out, "Accept: */*\r\n");
	/* What comes coded all the same is decoded: it has to be read to be scrubbed. */
	(void)buf_append_str(out, "Accept-Encoding: identity\r\n");
}

enum av_err
transfer_out_begin(struct transfer *t, const struct upstream_request *rq, struct fault *f)
{
	enum av_err e;

	put_start(&t->out, rq);
	put_headers(&t->out, rq->headers);
	e = put_auth(&t->out, rq->auth, f);
	if (e != AV_OK)
		return e;
	put_framing(&t->out, rq);
	(void)buf_append_str(&t->out, "\r\n");
	t->body_left = rq->has_body && rq->body.p == NULL ? rq->body_size : 0;
	t->body_is_made = t->body_left == 0;
	if (rq->has_body && rq->body.len > 0) {
		(void)buf_append(&t->out, rq->body.p, rq->body.len);
		t->sent = rq->body.len;
	}
	e = buf_err(&t->out);
	if (e == AV_ELIMIT)
		return fault_set(f, e, "request_head_too_large", "Send fewer or shorter headers.",
		    "The request's head is over a limit.");
	return e == AV_OK ? e : fault_set(f, e, "out_of_memory", "", "Out of memory.");
}

/* ---- the body ----------------------------------------------------------------------------------- */

static void
out_put_piece(struct transfer *t, const char *p, size_t len, bool ended)
{
	if (t->body_left != UINT64_MAX) {
		(void)buf_append(&t->out, p, len);
		t->body_left -= len;
		t->body_is_made = t->body_left == 0;
		if (ended && !t->body_is_made)
			transfer_fail(
			    t, AV_ECUT, "request_cut", "the request's body ended too early");
		return;
	}
	if (len > 0) {
		(void)buf_appendf(&t->out, "%zx\r\n", len);
		(void)buf_append(&t->out, p, len);
		(void)buf_append_str(&t->out, "\r\n");
	}
	if (ended)
		(void)buf_append_str(&t->out, "0\r\n\r\n");
	t->body_is_made = ended;
}

static void
out_make_piece(struct transfer *t)
{
	char piece[PIECE_MAX];
	size_t n, room = sizeof(piece);
	bool ended = false;

	if (t->body_left < room)
		room = (size_t)t->body_left;
	n = t->ops->read(t->ctx, piece, room, &ended);
	if (t->ops == NULL)
		return;
	t->send_paused = n == 0 && !ended;
	if (t->send_paused)
		return;
	t->sent += n;
	out_put_piece(t, piece, n, ended);
	if (buf_err(&t->out) != AV_OK)
		transfer_fail(t, AV_ENOMEM, "out_of_memory", "memory ran out");
}

/* ---- to the connection -------------------------------------------------------------------------- */

static void
out_forget(struct transfer *t)
{
	/* Wipes either way. */
	if (t->send_broken || t->body_is_made)
		buf_clear(&t->out);
	else
		buf_reset(&t->out);
	t->out_off = 0;
}

static bool
out_write(struct transfer *t)
{
	size_t n = 0;

	t->sent_any = true;
	switch (connection_write(
	    t->connection, t->out.data + t->out_off, t->out.len - t->out_off, &n)) {
	case STREAM_DONE:
		transfer_note_progress(t);
		t->out_off += n;
		if (t->out_off == t->out.len)
			out_forget(t);
		return true;
	case STREAM_BLOCKED:
		return false;
	case STREAM_ENDED:
	case STREAM_CUT:
	case STREAM_BROKEN:
	default:
		/* Many servers answer, and close, before they have read all. Reading tells. */
		t->send_broken = true;
		out_forget(t);
		return false;
	}
}

void
transfer_out_go_on(struct transfer *t)
{
	while (t->ops != NULL && !t->over && !t->send_paused && !transfer_out_is_done(t)) {
		if (t->out.len == 0)
			out_make_piece(t);
		else if (!out_write(t))
			return;
	}
}

bool
transfer_out_is_done(const struct transfer *t)
{
	return t->send_broken || (t->body_is_made && t->out.len == 0);
}

bool
transfer_out_is_blocked(const struct transfer *t)
{
	return !t->send_broken && t->out.len > 0;
}
