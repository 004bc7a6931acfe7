/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/supervise.h"

#include "base/clock.h"
#include "base/io.h"
#include "base/log.h"
#include "daemon/child.h"
#include "daemon/restarts.h"
#include "wire/control.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/wait.h>

#ifdef AV_SANITIZED
#define SLOW 4u
#else
#define SLOW 1u
#endif
#define START_MS (30000u * SLOW)
#define STOP_BROKER_MS (12000u * SLOW) /* it gives itself 10 s */
#define STOP_OTHERS_MS (5000u * SLOW)
#define JUDGE_REST_MS 5000u
#define POLL_FDS (2 + 2 * ROLE_COUNT)
#define POLL_LIFE (1 + 2 * ROLE_COUNT)

struct supervisor {
	const struct options *o;
	struct listen *l;
	struct signals *s;
	struct private *p; /* NULL: a daemon for everybody */
	struct child children[ROLE_COUNT];
	struct restarts restarts; /* of the broker, and of its channel to the keeper */
	struct restarts judges;
	uint64_t judge_rests_until_ms; /* 0: it does not */
	struct limits limits;
	bool want_stop;
	bool want_restart;
	uint64_t idle_since_ms;
};

static bool
any_busy(const struct supervisor *sv)
{
	for (size_t i = 0; i < ROLE_COUNT; i++) {
		if (sv->children[i].busy)
			return true;
	}
	return false;
}

/* A fresh channel between two children. One that is gone gets its next one when it is restarted. */
static enum av_err
connect_children(struct supervisor *sv, enum role a, enum role b, unsigned char tag)
{
	int ends[2];
	enum av_err e = io_socketpair(ends);

	if (e != AV_OK)
		return e;
	(void)child_tell(&sv->children[a], tag, ends[0]);
	(void)child_tell(&sv->children[b], tag, ends[1]);
	io_close(&ends[0]);
	io_close(&ends[1]);
	return AV_OK;
}

/* Both live, but one did not make sense to the other. Where that does not end it is as bad as a broker
 * that dies and dies: killed, it is counted as one. */
static void
rejoin_keeper(struct supervisor *sv)
{
	log_warn("the channel between broker and keeper ended; they get another");
	if (!restarts_take(&sv->restarts, clock_mono_ms()) ||
	    connect_children(sv, ROLE_BROKER, ROLE_KEEPER, CONTROL_BROKER_KEEPER) != AV_OK)
		child_kill(&sv->children[ROLE_BROKER]);
}

static void
on_tag(struct supervisor *sv, struct child *c, unsigned char tag)
{
	switch (tag) {
	case CONTROL_READY:
		child_read_errors(c);
		child_set_ready(c);
		break;
	case CONTROL_WANT_STOP:
		sv->want_stop = sv->want_stop || c->role == ROLE_KEEPER;
		break;
	case CONTROL_WANT_RESTART:
		sv->want_restart = sv->want_restart || c->role == ROLE_KEEPER;
		break;
	case CONTROL_JUDGE_SILENT:
		if (c->role == ROLE_BROKER) {
			log_warn(
			    "the judge missed its deadline or made no sense; it is started again");
			child_kill(&sv->children[ROLE_JUDGE]);
		}
		break;
	case CONTROL_KEEPER_LOST:
		if (c->role == ROLE_BROKER)
			rejoin_keeper(sv);
		break;
	case CONTROL_BUSY:
		c->busy = true;
		break;
	case CONTROL_IDLE:
		c->busy = false;
		sv->idle_since_ms = clock_mono_ms();
		break;
	default:
		log_warn("the %s said something unknown", role_name(c->role));
		break;
	}
}

static void
on_control(struct supervisor *sv, struct child *c)
{
	unsigned char tags[64];
	bool closed;
	size_t n = child_read_tags(c, tags, sizeof(tags), &closed);

	for (size_t i = 0; i < n; i++)
		on_tag(sv, c, tags[i]);
	/* Without its control socket it cannot be led; SIGCHLD tells the rest. */
	if (closed) {
		io_close(&c->control_fd);
		child_kill(c);
	}
}

static void
reap(struct supervisor *sv)
{
	for (size_t i = 0; i < ROLE_COUNT; i++) {
		struct child *c = &sv->children[i];
		int status;
		if (c->pid <= 0 || waitpid(c->pid, &status, WNOHANG) != c->pid)
			continue;
		if (c->busy)
			sv->idle_since_ms = clock_mono_ms();
		child_ended(c, status);
	}
}

/* A broker that is being started has got, or will get, the same on its command line. The judge has
 * its own on the command line only: to replace it would cost the call that it is judging. */
static void
reload(struct supervisor *sv)
{
	const struct limits before = sv->limits;
	struct fault f = {0};
	int fd = -1;

	if (sv->o->limits_file[0] == '\0')
		return;
	if (limits_read(&sv->limits, sv->o->limits_file, &f) != AV_OK) {
		log_error("limits stay as they are: %s. %s", f.message, f.remedy);
		return;
	}
	if (limits_pipe(&sv->limits, &fd) == AV_OK &&
	    child_tell(&sv->children[ROLE_BROKER], CONTROL_RELOAD, fd))
		log_info("limits read anew");
	else
		log_warn("limits read anew; they count from the broker's next start");
	io_close(&fd);
	if (!limits_same(&before, &sv->limits, ROLE_JUDGE))
		log_warn("check-ms and check-memory-bytes count from the judge's next start: "
		         "`aivault restart`");
}

static void
on_signals(struct supervisor *sv)
{
	signals_read(sv->s);
	if (sv->s->child)
		reap(sv);
	if (sv->s->hup)
		reload(sv);
	if (sv->s->term)
		sv->want_stop = true;
	sv->s->child = sv->s->hup = sv->s->term = false;
}

/* Waits for one thing to happen, at most until `deadline_ms` (0: for ever), and notes it. */
static void
step(struct supervisor *sv, uint64_t deadline_ms)
{
	struct pollfd p[POLL_FDS];
	uint64_t now = clock_mono_ms();
	int timeout = -1;

	if (deadline_ms != 0)
		timeout = deadline_ms <= now       ? 0
		    : deadline_ms - now > 3600000u ? 3600000
		                                   : (int)(deadline_ms - now);
	p[0] = (struct pollfd){.fd = sv->s->fd, .events = POLLIN};
	for (size_t i = 0; i < ROLE_COUNT; i++) {
		p[1 + 2 * i] = (struct pollfd){.fd = sv->children[i].control_fd, .events = POLLIN};
		p[2 + 2 * i] = (struct pollfd){.fd = sv->children[i].error_fd, .events = POLLIN};
	}
	p[POLL_LIFE] = (struct pollfd){.fd = sv->p != NULL ? sv->p->life_fd : -1, .events = POLLIN};
	if (poll(p, POLL_FDS, timeout) < 0) {
		if (errno != EINTR)
			log_error("poll: %s", strerror(errno));
		return;
	}
	for (size_t i = 0; i < ROLE_COUNT; i++) {
		if (p[2 + 2 * i].revents != 0)
			child_read_errors(&sv->children[i]);
		if (p[1 + 2 * i].revents != 0)
			on_control(sv, &sv->children[i]);
	}
	if (p[0].revents != 0)
		on_signals(sv);
	/* Nothing is ever said there: it is its end. */
	if (p[POLL_LIFE].revents != 0) {
		io_close(&sv->p->life_fd);
		sv->want_stop = true;
	}
}

static enum av_err
wait_ready(struct supervisor *sv, enum role role, struct fault *f)
{
	struct child *c = &sv->children[role];
	uint64_t deadline = clock_mono_ms() + START_MS;

	while (!c->ready) {
		if (c->pid == 0)
			return child_fault(c, f);
		if (clock_mono_ms() >= deadline)
			return fault_set(f, AV_ETIMEOUT, "child_silent", "",
			    "the %s did not get ready", role_name(role));
		if (sv->want_stop)
			return AV_OK;
		step(sv, deadline);
	}
	return AV_OK;
}

static enum av_err
start_judge(struct supervisor *sv, struct fault *f)
{
	enum av_err e =
	    child_start(&sv->children[ROLE_JUDGE], limits_args(&sv->limits, ROLE_JUDGE), f);

	if (e == AV_OK &&
	    connect_children(sv, ROLE_KEEPER, ROLE_JUDGE, CONTROL_KEEPER_JUDGE) != AV_OK)
		e = fault_set(
		    f, AV_ESYS, "channel", "", "no channel to the judge: %s", strerror(errno));
	return e;
}

static enum av_err
start_broker(struct supervisor *sv, struct fault *f)
{
	struct child *broker = &sv->children[ROLE_BROKER];
	enum av_err e = child_start(broker, limits_args(&sv->limits, ROLE_BROKER), f);

	if (e != AV_OK)
		return e;
	if (connect_children(sv, ROLE_BROKER, ROLE_KEEPER, CONTROL_BROKER_KEEPER) != AV_OK)
		return fault_set(
		    f, AV_ESYS, "channel", "", "no channel to the broker: %s", strerror(errno));
	return AV_OK;
}

static enum av_err
join_broker_and_judge(struct supervisor *sv, struct fault *f)
{
	if (connect_children(sv, ROLE_BROKER, ROLE_JUDGE, CONTROL_BROKER_JUDGE) != AV_OK)
		return fault_set(
		    f, AV_ESYS, "channel", "", "no channel to the judge: %s", strerror(errno));
	return AV_OK;
}

static void
hand_out_sockets(struct supervisor *sv)
{
	struct child *broker = &sv->children[ROLE_BROKER];
	struct child *keeper = &sv->children[ROLE_KEEPER];

	if (sv->p == NULL) {
		(void)child_tell(broker, CONTROL_AGENT_SOCKET, sv->l->agent_fd);
		(void)child_tell(keeper, CONTROL_OPERATOR_SOCKET, sv->l->operator_fd);
		return;
	}
	(void)child_tell(broker, CONTROL_AGENT_CONNECTION, sv->p->agent_fd);
	(void)child_tell(keeper, CONTROL_OPERATOR_CONNECTION, sv->p->operator_fd);
	/* Theirs alone now, so that the command sees it when they hang up. */
	io_close(&sv->p->agent_fd);
	io_close(&sv->p->operator_fd);
}

static enum av_err
start_all(struct supervisor *sv, struct fault *f)
{
	enum av_err e = child_start(&sv->children[ROLE_KEEPER], NULL, f);

	if (e == AV_OK)
		e = wait_ready(sv, ROLE_KEEPER, f);
	if (e != AV_OK || sv->want_stop)
		return e;
	if (sv->p == NULL && sv->l->agent_fd < 0)
		e = listen_open(sv->l, sv->o, f);
	if (e == AV_OK)
		e = start_judge(sv, f);
	if (e == AV_OK)
		e = start_broker(sv, f);
	if (e == AV_OK)
		e = join_broker_and_judge(sv, f);
	if (e != AV_OK)
		return e;
	hand_out_sockets(sv);
	e = wait_ready(sv, ROLE_JUDGE, f);
	if (e == AV_OK)
		e = wait_ready(sv, ROLE_BROKER, f);
	return e;
}

static bool
judge_rests(const struct supervisor *sv)
{
	return sv->judge_rests_until_ms > clock_mono_ms();
}

/* A script that breaks the judge again and again costs the calls that need a judge, and no daemon: the
 * next judge comes later. */
static bool
may_start_judge(struct supervisor *sv)
{
	struct fault f = {0};

	if (sv->children[ROLE_JUDGE].pid != 0 || judge_rests(sv))
		return false;
	(void)child_fault(&sv->children[ROLE_JUDGE], &f);
	if (restarts_take(&sv->judges, clock_mono_ms())) {
		log_warn("%s; it is started again", f.message);
		return true;
	}
	if (sv->judge_rests_until_ms == 0)
		log_error("the policy ended too often (more than %u restarts in %u s): calls are "
		          "denied until it is started again",
		    RESTARTS_MAX, RESTARTS_WINDOW_MS / 1000);
	sv->judge_rests_until_ms = clock_mono_ms() + JUDGE_REST_MS;
	return false;
}

static enum av_err
may_start_broker(struct supervisor *sv, bool *may, struct fault *f)
{
	*may = sv->children[ROLE_BROKER].pid == 0;
	if (!*may)
		return AV_OK;
	(void)child_fault(&sv->children[ROLE_BROKER], f);
	log_warn("%s; it is started again", f->message);
	if (!restarts_take(&sv->restarts, clock_mono_ms()))
		return fault_set(f, AV_EUNAVAIL, "too_many_restarts", "Look at the messages above",
		    "the broker ended too often (more than %u restarts in %u s)", RESTARTS_MAX,
		    RESTARTS_WINDOW_MS / 1000);
	return AV_OK;
}

/* AV_OK also while nothing had to be done. */
static enum av_err
restart_dead(struct supervisor *sv, struct fault *f)
{
	bool broker, judge = may_start_judge(sv);
	enum av_err e = may_start_broker(sv, &broker, f);

	if (e == AV_OK && judge)
		e = start_judge(sv, f);
	if (e == AV_OK && broker)
		e = start_broker(sv, f);
	if (e == AV_OK && (judge || broker) && sv->children[ROLE_JUDGE].pid != 0)
		e = join_broker_and_judge(sv, f);
	if (e == AV_OK && broker)
		(void)child_tell(&sv->children[ROLE_BROKER], CONTROL_AGENT_SOCKET, sv->l->agent_fd);
	return e;
}

/* Asks, waits, then insists. */
static void
stop_children(struct supervisor *sv, enum role first, enum role last, uint64_t patience_ms)
{
	uint64_t deadline = clock_mono_ms() + patience_ms;
	bool killed = false;

	for (size_t i = first; i <= last; i++) {
		struct child *c = &sv->children[i];
		if (c->pid > 0 && !child_tell(c, CONTROL_STOP, -1))
			child_kill(c);
	}
	for (;;) {
		bool running = false;
		for (size_t i = first; i <= last; i++)
			running = running || sv->children[i].pid > 0;
		if (!running)
			return;
		if (!killed && clock_mono_ms() >= deadline) {
			for (size_t i = first; i <= last; i++)
				child_kill(&sv->children[i]);
			killed = true;
		}
		step(sv, killed ? 0 : deadline);
	}
}

static void
stop_all(struct supervisor *sv)
{
	stop_children(sv, ROLE_BROKER, ROLE_BROKER, STOP_BROKER_MS);
	/* The keeper goes last: it writes down what the others end with. */
	stop_children(sv, ROLE_JUDGE, ROLE_JUDGE, STOP_OTHERS_MS);
	stop_children(sv, ROLE_KEEPER, ROLE_KEEPER, STOP_OTHERS_MS);
}

/* The earlier of two times, of which 0 is never. */
static uint64_t
earlier(uint64_t a, uint64_t b)
{
	return a == 0 || (b != 0 && b < a) ? b : a;
}

/* Nothing to do until then; 0: for ever. */
static uint64_t
idle_deadline(const struct supervisor *sv)
{
	if (sv->o->idle_exit_s == 0 || any_busy(sv))
		return 0;
	return sv->idle_since_ms + sv->o->idle_exit_s * 1000;
}

static enum av_err
run(struct supervisor *sv, struct fault *f)
{
	enum av_err e;

	while (!sv->want_stop) {
		uint64_t deadline = idle_deadline(sv);

		/* Its connections went with the broker and the keeper, and cannot be had again. */
		if (sv->p != NULL && (sv->want_restart || sv->children[ROLE_BROKER].pid == 0))
			return AV_OK;
		if (sv->children[ROLE_KEEPER].pid == 0) {
			(void)child_fault(&sv->children[ROLE_KEEPER], f);
			return AV_EUNAVAIL;
		}
		e = restart_dead(sv, f);
		if (e != AV_OK)
			return e;
		if (sv->want_restart) {
			sv->want_restart = false;
			stop_all(sv);
			e = start_all(sv, f);
			if (e != AV_OK)
				return e;
			log_info("restarted");
			continue;
		}
		if (deadline != 0 && clock_mono_ms() >= deadline) {
			log_info("idle for %llu s; ending", (unsigned long long)sv->o->idle_exit_s);
			return AV_OK;
		}
		step(sv, earlier(deadline, sv->judge_rests_until_ms));
	}
	return AV_OK;
}

enum av_err
supervise(const struct options *o, struct listen *l, struct signals *s, struct private *p,
    void (*ready)(void *), void *ctx, struct fault *f)
{
	struct supervisor sv = {.o = o, .l = l, .s = s, .p = p, .limits = o->limits};
	enum av_err e;

	for (size_t i = 0; i < ROLE_COUNT; i++)
		child_init(&sv.children[i], (enum role)i);
	e = start_all(&sv, f);
	if (e == AV_OK) {
		sv.idle_since_ms = clock_mono_ms();
		if (!sv.want_stop)
			ready(ctx);
		e = run(&sv, f);
	}
	listen_withdraw(l);
	stop_all(&sv);
	for (size_t i = 0; i < ROLE_COUNT; i++)
		child_clear(&sv.children[i]);
	return e;
}
