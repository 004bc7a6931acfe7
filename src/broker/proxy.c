/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/proxy.h"

#include "broker/envelope.h"
#include "broker/held.h"
#include "broker/invoke.h"
#include "broker/session.h"

#include <stdlib.h>

#define PROXY_RETRY_S 1 /* told with a refusal for memory, which passes */

struct proxy {
	struct broker *b;
	struct session *s;
	struct buf text;
	struct held held;
};

static void
proxy_free(struct proxy *p)
{
	struct broker *b = p->b;

	buf_clear(&p->text);
	held_end(&p->held);
	free(p);
	broker_call_ends(b);
}

static void
proxy_refuse(struct proxy *p, const struct fault *f)
{
	struct session *s = p->s;

	proxy_free(p);
	session_problem(s, f, f->err == AV_ERATE ? PROXY_RETRY_S : 0);
}

static void
proxy_refuse_size(struct proxy *p)
{
	struct fault f;

	fault_set(&f, AV_ETOOBIG, "envelope_too_big", "Use /i/<capability>/-/<path>: it streams.",
	    "The envelope is over %u bytes.", ENVELOPE_MAX);
	proxy_refuse(p, &f);
}

static size_t
proxy_room(void *ctx)
{
	const struct proxy *p = ctx;

	return ENVELOPE_MAX + 1 - p->text.len;
}

static void
proxy_on_body(void *ctx, struct str bytes)
{
	struct proxy *p = ctx;
	struct fault f;

	if (p->text.len + bytes.len > ENVELOPE_MAX) {
		proxy_refuse_size(p);
	} else if (buf_append(&p->text, bytes.p, bytes.len) != AV_OK) {
		fault_set(&f, AV_ENOMEM, "out_of_memory", "", "Out of memory.");
		proxy_refuse(p, &f);
	} else if (p->text.cap > p->held.bytes &&
	    held_set(&p->held, p->b->held, p->text.cap, &f) != AV_OK) {
		proxy_refuse(p, &f);
	}
}

static void
proxy_on_body_end(void *ctx)
{
	struct proxy *p = ctx;
	struct str text = {p->text.len > 0 ? (const char *)p->text.data : "", p->text.len};
	struct fault f;

	if (invoke_start_envelope(p->s, text, &f) == AV_OK)
		proxy_free(p);
	else
		proxy_refuse(p, &f);
}

static void
proxy_on_drained(void *ctx)
{
	(void)ctx;
}

static void
proxy_on_bad(void *ctx, const struct fault *f)
{
	proxy_refuse(ctx, f);
}

static void
proxy_on_gone(void *ctx)
{
	struct proxy *p = ctx;
	struct session *s = p->s;

	proxy_free(p);
	session_cut(s);
}

static const struct exchange_ops proxy_ops = {
    .room = proxy_room,
    .body = proxy_on_body,
    .body_end = proxy_on_body_end,
    .drained = proxy_on_drained,
    .bad = proxy_on_bad,
    .gone = proxy_on_gone,
};

void
proxy_start(struct session *s)
{
	struct proxy *p = calloc(1, sizeof(*p));
	uint64_t length = 0;
	struct fault f;

	if (p == NULL) {
		fault_set(&f, AV_ENOMEM, "out_of_memory", "", "Out of memory.");
		session_problem(s, &f, 0);
		return;
	}
	p->b = session_broker(s);
	p->s = s;
	buf_init(&p->text, ENVELOPE_MAX);
	held_begin(&p->held, &p->b->held, session_caller(s)->uid);
	broker_call_begins(p->b);
	session_take(s, &proxy_ops, p);
	/* Refused before it is sent, where it says how long it is. */
	if (!message_content_length(session_message(s), &length))
		return;
	if (length > ENVELOPE_MAX)
		proxy_refuse_size(p);
	else if (held_set(&p->held, p->b->held, (size_t)length, &f) != AV_OK)
		proxy_refuse(p, &f);
}
