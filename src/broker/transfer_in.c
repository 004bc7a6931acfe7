/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The answer on its way down: from the connection through the parser (http/message.h) and, where it
 * is coded, the decoder, to the call. When the call says "wait", what was read is put aside and no
 * more is read, so that the upstream has to wait too.
 */
#include "broker/upstream_state.h"

#include <string.h>

#define READS_A_TURN 8 /* of a whole record each; then others have their turn */

static bool
in_may_go_on(const struct transfer *t)
{
	return t->ops != NULL && !t->over && !t->recv_paused;
}

static void
in_fail_malformed(struct transfer *t)
{
	transfer_fail(
	    t, AV_EUPSTREAM, "upstream_malformed", "its answer is not HTTP as it should be");
}

/* The call says why, and has said so to itself. */
static void
in_stop(struct transfer *t)
{
	transfer_fail(t, AV_ECUT, "stopped", "the call wanted no more");
}

/* ---- the head ----------------------------------------------------------------------------------- */

static bool
in_has_body(const struct transfer *t, unsigned status)
{
	return !t->is_head && status != 204 && status != 304;
}

static bool
in_set_decoder(struct transfer *t, unsigned status)
{
	const struct header_list *l = message_headers(t->answer);
	const struct header *h = header_list_find(l, STR_LIT("content-encoding"));
	bool many = header_list_count(l, STR_LIT("content-encoding")) > 1;
	enum av_err e;

	/* More than one field is a row of codings, whatever the first of them says. */
	t->coded = h != NULL && (many || decode_is_needed(h->value));
	if (!t->coded || !in_has_body(t, status))
		return true;
	e = many ? AV_ENOTSUP : decoder_new(h->value, &t->decoder);
	if (e == AV_ENOTSUP)
		transfer_fail(t, AV_EUPSTREAM, "upstream_coding",
		    "its answer is compressed in a way that was not asked for");
	else if (e != AV_OK)
		transfer_fail(t, e, "out_of_memory", "memory ran out");
	return e == AV_OK;
}

/* The body's length that the agent may rely on. */
static uint64_t
in_length(const struct transfer *t)
{
	uint64_t n;

	return !t->coded && message_content_length(t->answer, &n) ? n : UINT64_MAX;
}

static void
in_head(struct transfer *t)
{
	unsigned status = message_status(t->answer);

	/* Nobody asked for another protocol. */
	if (status / 100 == 1) {
		in_fail_malformed(t);
		return;
	}
	if (!in_set_decoder(t, status))
		return;
	if (header_list_drop_hop(message_headers(t->answer)) != AV_OK) {
		transfer_fail(t, AV_ENOMEM, "out_of_memory", "memory ran out");
		return;
	}
	t->head_seen = true;
	transfer_arm(t);
	if (t->ops->head(t->ctx, status, message_headers(t->answer), in_length(t)) !=
	    UPSTREAM_TAKEN)
		in_stop(t);
}

/* ---- the body ----------------------------------------------------------------------------------- */

static void
in_give(struct transfer *t, const uint8_t *p, size_t len)
{
	if (len == 0)
		return;
	switch (t->ops->body(t->ctx, p, len)) {
	case UPSTREAM_TAKEN:
		break;
	case UPSTREAM_WAIT:
		t->recv_paused = true;
		break;
	case UPSTREAM_STOP:
	default:
		in_stop(t);
	}
}

/* Returns how much of it is left for later. */
static size_t
in_decode(struct transfer *t, struct str body)
{
	uint8_t plain[CONNECTION_READ_MAX];
	size_t used, made;
	enum av_err e;

	while (in_may_go_on(t) && (body.len > 0 || decoder_has_more(t->decoder))) {
		e = decoder_feed(t->decoder, body, &used, plain, sizeof(plain), &made);
		body.p += used;
		body.len -= used;
		if (e == AV_OK)
			in_give(t, plain, made);
		else if (e == AV_ENOMEM)
			transfer_fail(t, e, "out_of_memory", "memory ran out");
		else
			transfer_fail(
			    t, AV_EUPSTREAM, "upstream_malformed", "its answer does not decode");
	}
	av_wipe(plain, sizeof(plain));
	return body.len;
}

static size_t
in_body(struct transfer *t, struct str body)
{
	if (t->decoder != NULL)
		return in_decode(t, body);
	in_give(t, (const uint8_t *)body.p, body.len);
	return 0;
}

/* ---- its end ------------------------------------------------------------------------------------ */

static void
in_done(struct transfer *t, bool surplus)
{
	if (t->decoder != NULL && !decoder_is_whole(t->decoder)) {
		transfer_fail(t, AV_EUPSTREAM, "upstream_malformed", "its answer does not decode");
		return;
	}
	/* What follows an answer that nobody waits for is not the next one. */
	transfer_succeed(t,
	    !surplus && message_keep_alive(t->answer) && !t->send_broken &&
	        transfer_out_is_done(t));
}

static void
in_refuse(struct transfer *t, enum av_err e, const struct fault *f)
{
	if (e == AV_ENOMEM)
		transfer_fail(t, e, "out_of_memory", "memory ran out");
	else if (e == AV_ELIMIT && !t->head_seen && strcmp(f->reason, "http_too_many_interim") != 0)
		transfer_fail(t, AV_EUPSTREAM, "upstream_head_too_large",
		    "the headers of its answer are over a limit");
	else
		in_fail_malformed(t);
}

/* RFC 9112 section 9.8: an answer that its end delimits is whole only if TLS has said the end. */
static void
in_end(struct transfer *t, bool said)
{
	enum message_event event;

	if (!t->began)
		transfer_fail(
		    t, AV_EUPSTREAM, "upstream_reset", "it closed the connection unanswered");
	else if (said && message_eof(t->answer, &event) == AV_OK)
		in_done(t, true);
	else if (t->head_seen)
		transfer_fail(t, AV_ECUT, "upstream_cut", "the answer ended too early");
	else
		in_fail_malformed(t);
}

/* ---- bytes -------------------------------------------------------------------------------------- */

static void
in_put_aside(struct transfer *t, const uint8_t *p, size_t len, size_t body)
{
	t->rest_body = body;
	if (len > 0 && buf_append(&t->rest, p, len) != AV_OK)
		transfer_fail(t, AV_ENOMEM, "out_of_memory", "memory ran out");
}

static void
in_take(struct transfer *t, const uint8_t *p, size_t len)
{
	size_t left = 0;

	while (in_may_go_on(t)) {
		enum message_event event;
		struct str body;
		struct fault f;
		size_t used;
		enum av_err e = message_feed(t->answer, p, len, &used, &event, &body, &f);

		p += used;
		len -= used;
		if (e != AV_OK)
			in_refuse(t, e, &f);
		else if (event == MESSAGE_HEAD)
			in_head(t);
		else if (event == MESSAGE_BODY)
			left = in_body(t, body);
		else if (event == MESSAGE_DONE)
			in_done(t, len > 0);
		else
			return;
	}
	/* A run of a body ends where the parser stopped: what is left of it stands just before. */
	if (t->ops != NULL && t->recv_paused)
		in_put_aside(t, p - left, left + len, left);
}

/* There may be more at once. */
static bool
in_read(struct transfer *t)
{
	struct upstream *u = t->u;
	size_t n;

	switch (connection_read(t->connection, u->room, sizeof(u->room), &n)) {
	case STREAM_DONE:
		transfer_note_progress(t);
		t->began = true;
		in_take(t, u->room, n);
		/* It may have given us our key back. */
		av_wipe(u->room, n);
		return in_may_go_on(t) &&
		    (n == sizeof(u->room) || connection_has_more(t->connection));
	case STREAM_BLOCKED:
		return false;
	case STREAM_ENDED:
		in_end(t, true);
		return false;
	case STREAM_CUT:
		in_end(t, false);
		return false;
	case STREAM_BROKEN:
	default:
		transfer_fail(t, AV_EUPSTREAM, "upstream_reset", "the connection broke");
		return false;
	}
}

void
transfer_in_go_on(struct transfer *t)
{
	int reads = 0;

	while (in_read(t)) {
		if (++reads < READS_A_TURN)
			continue;
		if (connection_has_more(t->connection))
			transfer_read_later(t);
		return;
	}
}

void
transfer_in_resume(struct transfer *t)
{
	struct buf rest = t->rest;
	size_t body = t->rest_body, left = 0;

	buf_init(&t->rest, CONNECTION_READ_MAX);
	t->rest_body = 0;
	if (t->decoder != NULL && (body > 0 || decoder_has_more(t->decoder)))
		left = in_decode(t, (struct str){(const char *)rest.data, body});
	if (in_may_go_on(t))
		in_take(t, rest.data + body, rest.len - body);
	else if (t->ops != NULL && t->recv_paused)
		in_put_aside(t, rest.data + body - left, rest.len - body + left, left);
	buf_clear(&rest);
	if (in_may_go_on(t) && connection_has_more(t->connection))
		transfer_in_go_on(t);
}
