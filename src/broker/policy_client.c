/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/policy_client.h"

#include "base/log.h"
#include "broker/channel.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define POLICY_REPLACE_MS 3000u /* for a new judge to appear */
#define POLICY_STRIKES 3u
#define POLICY_STRIKE_MS 10000u
/* A judge that has to be killed costs everybody a moment, and the daemon has only so many of them. */
#define POLICY_KILLS 2u
#define POLICY_KILL_MS 60000u
#define POLICY_SUSPEND_MS 60000u
#define POLICY_EVERYBODY UINT64_MAX /* in the place of a user */
#define POLICY_SUSPENSIONS 64u /* pairs of script and user watched */
/* A script's name: its provider, or the capability (made by CLI) for which policies alone run. */
#define POLICY_NAME_SIZE 132u

struct policy_question {
	struct policy_question *next;
	struct policy_question *prev;
	uint64_t id;
	bool sent;
	bool asked_again;
	char script[POLICY_NAME_SIZE];
	uint64_t uid;
	struct buf frame; /* the encoded JUDGE_ASK */
	struct str body;
	policy_verdict_fn fn;
	void *ctx;
};

struct policy_suspension {
	char script[POLICY_NAME_SIZE];
	uint64_t uid;
	uint64_t strikes[POLICY_STRIKES]; /* when, newest first; 0 = never */
	uint64_t until;
};

struct policy_client {
	struct broker *b;
	struct channel *ch;
	uv_timer_t *timer; /* for the head of the line, or for a judge to come */
	bool overdue; /* the timer fired once; a verdict may lie unread in the socket */
	struct policy_question head;
	uint64_t last_id;
	struct policy_suspension watched[POLICY_SUSPENSIONS];
	size_t watched_count;
};

/* ---- suspension ------------------------------------------------------------------------------ */

static struct policy_suspension *
policy_watched(struct policy_client *p, const char *script, uint64_t uid)
{
	size_t i;

	for (i = 0; i < p->watched_count; i++) {
		if (p->watched[i].uid == uid && strcmp(p->watched[i].script, script) == 0)
			return &p->watched[i];
	}
	return NULL;
}

static uint64_t
policy_last(const struct policy_suspension *w)
{
	return w->until > w->strikes[0] ? w->until : w->strikes[0];
}

/* `uid`: for whom the script hit a limit. What one user sends must not suspend it for the others; a judge
 * that had to be killed is everybody's matter. */
static void
policy_strike(struct policy_client *p, const char *script, uint64_t uid)
{
	bool killed = uid == POLICY_EVERYBODY;
	size_t last = (killed ? POLICY_KILLS : POLICY_STRIKES) - 1;
	uint64_t window = killed ? POLICY_KILL_MS : POLICY_STRIKE_MS;
	struct policy_suspension *w = policy_watched(p, script, uid);
	uint64_t now = uv_now(&p->b->loop);
	size_t i;

	if (w == NULL && p->watched_count < POLICY_SUSPENSIONS)
		w = &p->watched[p->watched_count++];
	if (w == NULL) {
		/* Full: the one whose last strike or suspension is the oldest makes room. */
		w = &p->watched[0];
		for (i = 1; i < POLICY_SUSPENSIONS; i++) {
			if (policy_last(&p->watched[i]) < policy_last(w))
				w = &p->watched[i];
		}
		memset(w, 0, sizeof(*w));
	}
	(void)snprintf(w->script, sizeof(w->script), "%s", script);
	w->uid = uid;
	memmove(&w->strikes[1], &w->strikes[0], sizeof(w->strikes) - sizeof(w->strikes[0]));
	w->strikes[0] = now + 1; /* never 0 */
	if (w->strikes[last] != 0 && now + 1 - w->strikes[last] <= window) {
		w->until = now + POLICY_SUSPEND_MS;
		memset(w->strikes, 0, sizeof(w->strikes));
		log_error("the script of %s keeps hitting its limits: suspended for %u s", script,
		    POLICY_SUSPEND_MS / 1000u);
	}
}

static bool
policy_is_suspended(struct policy_client *p, const char *script, uint64_t uid)
{
	const struct policy_suspension *w = policy_watched(p, script, uid);

	return w != NULL && w->until > uv_now(&p->b->loop);
}

static enum av_err
policy_check_suspended(struct policy_client *p, const char *script, uint64_t uid, struct fault *f)
{
	if (!policy_is_suspended(p, script, uid) &&
	    !policy_is_suspended(p, script, POLICY_EVERYBODY))
		return AV_OK;
	return fault_set(f, AV_EPOLICY, "policy_suspended",
	    "Mend the script; it is asked again within a minute.",
	    "The policy script of %s kept hitting its limits and is suspended.", script);
}

/* ---- the line -------------------------------------------------------------------------------- */

static struct policy_question *
policy_first(struct policy_client *p)
{
	return p->head.next == &p->head ? NULL : p->head.next;
}

static void policy_steer_timer(struct policy_client *p);

/* Takes the question out of the line and answers it. */
static void
policy_answer(struct policy_client *p, struct policy_question *q, const struct judge_verdict *v,
    const struct fault *f)
{
	(void)p;
	q->prev->next = q->next;
	q->next->prev = q->prev;
	q->fn(q->ctx, v, f);
	buf_clear(&q->frame);
	free(q);
}

static enum av_err
policy_send(struct policy_client *p, struct policy_question *q)
{
	struct buf *out = channel_out(p->ch);
	size_t off = 0;
	enum av_err e = AV_OK;

	q->asked_again = q->sent;
	q->sent = true;
	while (q->body.p != NULL && off < q->body.len && e == AV_OK) {
		size_t n = q->body.len - off;

		if (n > JUDGE_BODY_CHUNK)
			n = JUDGE_BODY_CHUNK;
		e = judge_body_encode(q->id, (struct str){q->body.p + off, n}, out);
		off += n;
	}
	if (e == AV_OK)
		e = buf_append(out, q->frame.data, q->frame.len);
	channel_kick(p->ch);
	return e;
}

static void
policy_fault_gone(struct fault *f)
{
	fault_set(f, AV_EUNAVAIL, "policy_unavailable", "Try again in a moment.",
	    "The policy process is not running, so nothing is allowed.");
}

static void
policy_fail_all(struct policy_client *p, const struct fault *f)
{
	struct policy_question *q;

	while ((q = policy_first(p)) != NULL)
		policy_answer(p, q, NULL, f);
}

/* Those that had their second chance do not get a third. */
static void
policy_fail_twice_asked(struct policy_client *p)
{
	struct policy_question *q = p->head.next;
	struct fault f;

	policy_fault_gone(&f);
	while (q != &p->head) {
		struct policy_question *next = q->next;

		if (q->asked_again)
			policy_answer(p, q, NULL, &f);
		q = next;
	}
}

/* ---- what can go wrong with the judge --------------------------------------------------------- */

static void
policy_lose_channel(struct policy_client *p, const struct fault *why)
{
	struct policy_question *q = policy_first(p);

	channel_close(p->ch);
	p->ch = NULL;
	if (q != NULL)
		policy_answer(p, q, NULL, why);
	policy_fail_twice_asked(p);
	policy_steer_timer(p);
}

static void
policy_fault_crash(struct fault *f)
{
	fault_set(f, AV_EPOLICY, "policy_crash", "See the daemon's log; then try again.",
	    "The policy process died over this request.");
}

static void
policy_on_closed(void *ctx, bool nonsense)
{
	struct policy_client *p = ctx;
	struct fault f;

	p->ch = NULL; /* closed already */
	/* One that has ended is seen by its parent; this one goes on, and would wait for us for ever. */
	if (nonsense)
		broker_tell_judge_silent(p->b);
	policy_fault_crash(&f);
	policy_lose_channel(p, &f);
}

static void
policy_on_timer(uv_timer_t *timer)
{
	struct policy_client *p = timer->data;
	struct policy_question *q = policy_first(p);
	struct fault f;

	if (q == NULL)
		return;
	if (p->ch == NULL) {
		policy_fault_gone(&f);
		policy_fail_all(p, &f);
		return;
	}
	/* After a long turn of ours timers come before what there is to read: look there first. */
	if (!p->overdue) {
		p->overdue = true;
		uv_timer_start(p->timer, policy_on_timer, 1, 0);
		return;
	}
	log_error("the judge is silent about a request for %s: it is replaced", q->script);
	policy_strike(p, q->script, POLICY_EVERYBODY);
	broker_tell_judge_silent(p->b);
	fault_set(&f, AV_EPOLICY, "policy_timeout", "Mend the script, or try again.",
	    "The policy gave no answer within %u ms.", p->b->opt.judge_deadline_ms);
	policy_lose_channel(p, &f);
}

/* The clock runs for the head of the line only. */
static void
policy_steer_timer(struct policy_client *p)
{
	p->overdue = false;
	uv_update_time(&p->b->loop);
	if (policy_first(p) == NULL)
		uv_timer_stop(p->timer);
	else
		uv_timer_start(p->timer, policy_on_timer,
		    p->ch != NULL ? p->b->opt.judge_deadline_ms : POLICY_REPLACE_MS, 0);
}

static enum av_err
policy_on_frame(void *ctx, const struct frame *f)
{
	struct policy_client *p = ctx;
	struct policy_question *q = policy_first(p);
	struct judge_verdict v;
	enum av_err e;

	if (f->type != JUDGE_VERDICT || q == NULL)
		return AV_EFORMAT;
	e = judge_verdict_decode(f, &v);
	if (e != AV_OK)
		return e;
	/* A verdict for another question must never count for this one. */
	if (v.ask_id != q->id) {
		judge_verdict_clear(&v);
		return AV_EFORMAT;
	}
	if (v.limit_hit)
		policy_strike(p, q->script, q->uid);
	policy_answer(p, q, &v, NULL);
	judge_verdict_clear(&v);
	policy_steer_timer(p);
	return AV_OK;
}

static const struct channel_ops policy_channel_ops = {
    .frame = policy_on_frame,
    .closed = policy_on_closed,
};

/* ---- life ------------------------------------------------------------------------------------ */

enum av_err
policy_client_new(struct broker *b, struct policy_client **out)
{
	struct policy_client *p = calloc(1, sizeof(*p));
	uv_timer_t *timer = calloc(1, sizeof(*timer));

	if (p == NULL || timer == NULL || uv_timer_init(&b->loop, timer) != 0) {
		free(p);
		free(timer);
		return AV_ENOMEM;
	}
	timer->data = p;
	p->timer = timer;
	p->b = b;
	p->head.next = &p->head;
	p->head.prev = &p->head;
	*out = p;
	return AV_OK;
}

static void
policy_on_timer_closed(uv_handle_t *handle)
{
	free(handle);
}

void
policy_client_free(struct policy_client *p)
{
	struct fault f;

	if (p == NULL)
		return;
	channel_close(p->ch);
	p->ch = NULL;
	policy_fault_gone(&f);
	policy_fail_all(p, &f);
	uv_close((uv_handle_t *)p->timer, policy_on_timer_closed);
	free(p);
}

enum av_err
policy_client_use(struct policy_client *p, int fd)
{
	struct policy_question *q;
	struct fault f;
	enum av_err e;

	/* The new judge may be heard of before the end of the old one is. */
	if (p->ch != NULL) {
		policy_fault_crash(&f);
		policy_lose_channel(p, &f);
	}
	e = channel_open(&p->b->loop, &p->b->later, fd, &policy_channel_ops, p, &p->ch);
	if (e != AV_OK)
		return e;
	for (q = p->head.next; q != &p->head; q = q->next) {
		e = policy_send(p, q);
		if (e != AV_OK)
			break;
	}
	policy_steer_timer(p);
	return e;
}

bool
policy_client_has_channel(const struct policy_client *p)
{
	return p->ch != NULL;
}

enum av_err
policy_client_ask(struct policy_client *p, struct judge_ask *ask, struct str body,
    policy_verdict_fn fn, void *ctx, struct fault *f)
{
	struct policy_question *q = calloc(1, sizeof(*q));
	bool alone = policy_first(p) == NULL;
	enum av_err e;

	if (q == NULL)
		return fault_set(f, AV_ENOMEM, "out_of_memory", "", "Out of memory.");
	buf_init(&q->frame, FRAME_MAX + FRAME_HEADER_LEN);
	(void)snprintf(q->script, sizeof(q->script), "%.*s",
	    STR_FMT(ask->provider.len > 0 ? ask->provider : ask->capability));
	q->uid = ask->caller.uid;
	e = policy_check_suspended(p, q->script, q->uid, f);
	if (e != AV_OK)
		goto out;
	q->id = ++p->last_id;
	q->body = body;
	q->fn = fn;
	q->ctx = ctx;
	ask->ask_id = q->id;
	ask->has_body = body.p != NULL;
	e = judge_ask_encode(ask, &q->frame);
	if (e == AV_OK && p->ch != NULL)
		e = policy_send(p, q);
	if (e != AV_OK) {
		fault_set(f, e, "policy_question", "Send less.",
		    "The question to the policy could not be put: %s.", av_err_text(e));
		goto out;
	}
	q->prev = p->head.prev;
	q->next = &p->head;
	p->head.prev->next = q;
	p->head.prev = q;
	if (alone)
		policy_steer_timer(p);
	return AV_OK;
out:
	buf_clear(&q->frame);
	free(q);
	return e;
}

void
policy_client_refund(struct policy_client *p, const struct judge_verdict *v)
{
	struct counts_refund m = {v->charges, v->charge_count};

	if (p->ch == NULL || v->kind != VERDICT_ALLOW || v->charge_count == 0)
		return;
	if (counts_refund_encode(&m, channel_out(p->ch)) == AV_OK)
		channel_kick(p->ch);
}
