/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/broker.h"

#include "base/io.h"
#include "base/log.h"
#include "broker/keeper_client.h"
#include "broker/listener.h"
#include "broker/policy_client.h"
#include "broker/resolve_cache.h"
#include "broker/upstream.h"
#include "wire/control.h"

#include <string.h>

#define BROKER_IDLE_MS 200
#define BROKER_STOP_MS 10000

static void
broker_tell(enum control_tag tag)
{
	if (io_send_fds(CONTROL_FD, (unsigned char)tag, NULL, 0) != AV_OK)
		log_debug("the supervisor does not listen");
}

static void
broker_leave(struct broker *b)
{
	uv_stop(&b->loop);
}

static void
broker_on_stop_timer(uv_timer_t *timer)
{
	struct broker *b = timer->data;

	log_warn("%zu calls were still running at the end of the grace period", b->running);
	broker_leave(b);
}

static void
broker_on_last_turn(uv_timer_t *timer)
{
	broker_leave(timer->data);
}

void
broker_maybe_leave(struct broker *b)
{
	/* In one more turn, so that the last outcome is written. */
	if (b->stopping && b->running == 0 && listener_count(b->listener) == 0)
		uv_timer_start(&b->stop_timer, broker_on_last_turn, 0, 0);
}

static void
broker_stop(struct broker *b)
{
	if (b->stopping)
		return;
	b->stopping = true;
	io_close(&b->agent_fd);
	uv_timer_start(&b->stop_timer, broker_on_stop_timer, BROKER_STOP_MS, 0);
	listener_stop(b->listener);
	broker_maybe_leave(b);
}

static void
broker_on_idle_timer(uv_timer_t *timer)
{
	struct broker *b = timer->data;

	if (b->running == 0 && b->busy_told) {
		b->busy_told = false;
		broker_tell(CONTROL_IDLE);
	}
}

void
broker_call_begins(struct broker *b)
{
	b->running++;
	if (!b->busy_told) {
		b->busy_told = true;
		broker_tell(CONTROL_BUSY);
	}
}

void
broker_call_ends(struct broker *b)
{
	b->running--;
	if (b->running != 0)
		return;
	if (b->stopping)
		broker_maybe_leave(b);
	else if (!uv_is_active((uv_handle_t *)&b->idle_timer))
		uv_timer_start(&b->idle_timer, broker_on_idle_timer, BROKER_IDLE_MS, 0);
}

void
broker_tell_judge_silent(struct broker *b)
{
	(void)b;
	broker_tell(CONTROL_JUDGE_SILENT);
}

void
broker_tell_keeper_lost(struct broker *b)
{
	(void)b;
	broker_tell(CONTROL_KEEPER_LOST);
}

static void
broker_maybe_ready(struct broker *b)
{
	if (b->ready_told || !listener_is_open(b->listener) ||
	    !keeper_client_has_channel(b->keeper) || !policy_client_has_channel(b->policy))
		return;
	b->ready_told = true;
	broker_tell(CONTROL_READY);
}

/* An agent that came before the keeper's state is known would be turned away for nothing. */
void
broker_on_keeper_state(struct broker *b)
{
	int fd = b->agent_fd;

	b->agent_fd = -1;
	if (fd >= 0 && b->agent_is_connected)
		listener_take(b->listener, fd);
	else if (fd >= 0 && listener_use(b->listener, fd) != AV_OK)
		log_error("the agent socket is of no use");
	broker_maybe_ready(b);
}

static void
broker_on_tag(struct broker *b, unsigned char tag, int *fds, size_t n)
{
	enum av_err e = AV_OK;
	int fd = n > 0 ? fds[0] : -1;
	size_t i;

	switch (tag) {
	case CONTROL_BROKER_KEEPER:
		if (fd >= 0)
			e = keeper_client_use(b->keeper, fd);
		break;
	case CONTROL_BROKER_JUDGE:
		if (fd >= 0)
			e = policy_client_use(b->policy, fd);
		break;
	case CONTROL_AGENT_SOCKET:
	case CONTROL_AGENT_CONNECTION:
		if (fd < 0 || b->stopping) {
			io_close(&fd);
			break;
		}
		io_close(&b->agent_fd);
		b->agent_fd = fd;
		b->agent_is_connected = tag == CONTROL_AGENT_CONNECTION;
		if (keeper_client_is_up(b->keeper))
			broker_on_keeper_state(b);
		break;
	case CONTROL_RELOAD:
		if (fd >= 0)
			e = broker_options_read(&b->opt, fd);
		io_close(&fd);
		break;
	case CONTROL_STOP:
		broker_stop(b);
		/* fall through */
	default:
		io_close(&fd);
		break;
	}
	for (i = 1; i < n; i++)
		io_close(&fds[i]);
	if (e != AV_OK)
		log_error("a descriptor from the supervisor is of no use: %s", av_err_text(e));
	broker_maybe_ready(b);
}

static void
broker_on_control(uv_poll_t *poll, int status, int events)
{
	struct broker *b = poll->data;
	unsigned char tag = 0;
	int fds[4] = {-1, -1, -1, -1};
	size_t n = sizeof(fds) / sizeof(fds[0]);

	(void)events;
	if (status < 0 || io_recv_fds(CONTROL_FD, &tag, fds, &n) != AV_OK) {
		log_info("the supervisor is gone");
		uv_poll_stop(&b->control);
		broker_leave(b);
		return;
	}
	broker_on_tag(b, tag, fds, n);
}

enum av_err
broker_init(struct broker *b, const struct broker_options *opt, const char *ca_path)
{
	enum av_err e;

	memset(b, 0, sizeof(*b));
	b->agent_fd = -1;
	b->opt = *opt;
	if (uv_loop_init(&b->loop) != 0)
		return AV_ESYS;
	if (later_init(&b->later, &b->loop) != 0 ||
	    uv_poll_init(&b->loop, &b->control, CONTROL_FD) != 0 ||
	    uv_timer_init(&b->loop, &b->idle_timer) != 0 ||
	    uv_timer_init(&b->loop, &b->stop_timer) != 0)
		return AV_ESYS;
	b->control.data = b;
	b->idle_timer.data = b;
	b->stop_timer.data = b;
	e = listener_new(b, &b->listener);
	if (e == AV_OK)
		e = keeper_client_new(b, &b->keeper);
	if (e == AV_OK)
		e = policy_client_new(b, &b->policy);
	if (e == AV_OK)
		e = resolve_cache_new(&b->resolved);
	if (e == AV_OK)
		e = upstream_new(b, ca_path, &b->upstream);
	if (e == AV_OK && uv_poll_start(&b->control, UV_READABLE, broker_on_control) != 0)
		e = AV_ESYS;
	return e;
}

void
broker_run(struct broker *b)
{
	(void)uv_run(&b->loop, UV_RUN_DEFAULT);
}

void
broker_clear(struct broker *b)
{
	io_close(&b->agent_fd);
	listener_close_all(b->listener);
	/* What has ended just now has outcomes to tell. */
	(void)uv_run(&b->loop, UV_RUN_NOWAIT);
	policy_client_free(b->policy);
	upstream_free(b->upstream);
	keeper_client_free(b->keeper);
	resolve_cache_free(b->resolved);
	b->policy = NULL;
	b->upstream = NULL;
	b->keeper = NULL;
	b->resolved = NULL;
	uv_close((uv_handle_t *)&b->control, NULL);
	uv_close((uv_handle_t *)&b->idle_timer, NULL);
	uv_close((uv_handle_t *)&b->stop_timer, NULL);
	(void)uv_run(&b->loop, UV_RUN_NOWAIT);
	listener_free(b->listener);
	b->listener = NULL;
	later_close(&b->later);
	(void)uv_run(&b->loop, UV_RUN_NOWAIT);
	if (uv_loop_close(&b->loop) != 0)
		log_debug("the loop still had handles at the end");
}
