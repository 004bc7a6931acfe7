/* SPDX-License-Identifier: Apache-2.0 */
#include "keeper/loop.h"

#include "base/clock.h"
#include "base/log.h"
#include "keeper/batch.h"
#include "keeper/checkpoint_timer.h"
#include "keeper/derivation.h"
#include "keeper/operator_api.h"
#include "wire/control.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>

#define FIRST 4u
#define MAX_POLLED (FIRST + KEEPER_MAX_CHANNELS + KEEPER_MAX_CLIENTS)

static void
on_control(struct keeper *k)
{
	unsigned char tag = 0;
	int fds[4];
	size_t n = 4;
	if (io_recv_fds(k->control_fd, &tag, fds, &n) != AV_OK) {
		k->stopping = true;
		return;
	}
	int fd = n > 0 ? fds[0] : -1;
	for (size_t i = 1; i < n; i++)
		io_close(&fds[i]);
	switch (tag) {
	case CONTROL_BROKER_KEEPER:
		if (fd >= 0 && channel_add(k, fd) != AV_OK)
			log_error("a broker channel could not be added");
		judge_link_fill(k);
		return;
	case CONTROL_OPERATOR_SOCKET:
		io_close(&k->operator_fd);
		k->operator_fd = fd;
		if (fd >= 0 && io_set_nonblock(fd, true) != AV_OK)
			log_warn("the operator socket stays blocking");
		return;
	case CONTROL_OPERATOR_CONNECTION:
		k->is_private = true;
		if (fd >= 0)
			operator_accept(k, fd);
		return;
	case CONTROL_KEEPER_JUDGE:
		if (fd >= 0)
			judge_link_use(k, fd);
		return;
	case CONTROL_STOP:
		k->stopping = true;
		break;
	default:
		break;
	}
	io_close(&fd);
}

static void
on_operator(struct keeper *k)
{
	for (int i = 0; i < 8; i++) {
		int fd = accept4(k->operator_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
		if (fd < 0)
			return;
		operator_accept(k, fd);
	}
}

static size_t
collect(
    struct keeper *k, struct pollfd *p, struct channel **channels, struct operator_client **clients)
{
	size_t n = 0;
	p[n++] = (struct pollfd){.fd = k->control_fd, .events = POLLIN};
	p[n++] = (struct pollfd){.fd = k->operator_fd, .events = POLLIN};
	p[n++] = (struct pollfd){.fd = derivation_fd(k), .events = POLLIN};
	p[n++] = (struct pollfd){.fd = k->judge.fd, .events = k->judge.out.len > 0 ? POLLOUT : 0};
	for (size_t i = 0; i < KEEPER_MAX_CHANNELS; i++) {
		struct channel *c = k->channels[i];
		if (c == NULL || c->dead)
			continue;
		/* A broker that does not take its answers gets no more of them. */
		short in = c->out.len < CHANNEL_OUT_MAX / 4 ? POLLIN : 0;
		channels[n] = c;
		p[n++] = (struct pollfd){
		    .fd = c->fd, .events = (short)(in | (c->out.len > 0 ? POLLOUT : 0))};
	}
	for (size_t i = 0; i < KEEPER_MAX_CLIENTS; i++) {
		struct operator_client *c = k->clients[i];
		if (c == NULL)
			continue;
		clients[n] = c;
		p[n++] = (struct pollfd){.fd = c->fd, .events = c->out.len > 0 ? POLLOUT : POLLIN};
	}
	return n;
}

static int
wait_ms(const struct keeper *k)
{
	uint64_t now = clock_mono_ms();
	int due = operator_verifies(k) ? 0 : batch_due_ms(k, now);
	int checkpoint = checkpoint_due_ms(k, now);
	if (checkpoint >= 0 && (due < 0 || checkpoint < due))
		due = checkpoint;
	for (size_t i = 0; i < KEEPER_MAX_CLIENTS; i++)
		if (k->clients[i] != NULL && k->clients[i]->follow == NULL &&
		    (due < 0 || due > 1000))
			due = 1000;
	return due;
}

/* Who is not a broker writes to the store in transactions of its own. */
static void
close_batch(struct keeper *k)
{
	if (batch_is_open(k))
		batch_flush(k);
}

static void
serve(struct keeper *k, const struct pollfd *p, size_t n, struct channel *const *channels,
    struct operator_client *const *clients)
{
	for (size_t i = FIRST; i < n; i++) {
		if (p[i].revents == 0)
			continue;
		if (channels[i] != NULL) {
			if (p[i].revents & POLLOUT)
				channel_write(channels[i]);
			if (p[i].revents & (POLLIN | POLLHUP | POLLERR))
				channel_read(k, channels[i]);
		} else if (clients[i] != NULL) {
			close_batch(k);
			if (p[i].revents & POLLOUT)
				operator_client_write(clients[i]);
			else
				operator_client_read(k, clients[i]);
		}
	}
	if (batch_due_ms(k, clock_mono_ms()) == 0)
		batch_flush(k);
	else
		batch_gather(k);
	if (p[3].revents & (POLLHUP | POLLERR))
		judge_link_close(&k->judge);
	else if (p[3].revents != 0)
		judge_link_write(&k->judge);
	if (p[2].revents != 0) {
		close_batch(k);
		derivation_join(k);
		operator_resume(k);
		derivation_settle(k);
	}
	/* Last, because a new channel may push an old one out. */
	if ((p[0].revents | p[1].revents) != 0)
		close_batch(k);
	if (p[1].revents & POLLIN)
		on_operator(k);
	if (p[0].revents != 0)
		on_control(k);
}

static bool
answers_wait(const struct keeper *k)
{
	for (size_t i = 0; i < KEEPER_MAX_CLIENTS; i++)
		if (k->clients[i] != NULL && k->clients[i]->out.len > 0 && !k->clients[i]->dead &&
		    k->clients[i]->follow == NULL)
			return true;
	return false;
}

static void
tell_wishes(struct keeper *k)
{
	if (!(k->want_stop || k->want_restart) || answers_wait(k))
		return;
	unsigned char tag = k->want_restart ? CONTROL_WANT_RESTART : CONTROL_WANT_STOP;
	if (io_send_fds(k->control_fd, tag, NULL, 0) != AV_OK)
		k->stopping = true;
	k->want_stop = k->want_restart = false;
}

enum av_err
loop_run(struct keeper *k)
{
	while (!k->stopping) {
		struct pollfd p[MAX_POLLED];
		struct channel *channels[MAX_POLLED] = {0};
		struct operator_client *clients[MAX_POLLED] = {0};
		size_t n = collect(k, p, channels, clients);
		int r = poll(p, n, wait_ms(k));
		if (r < 0 && errno != EINTR)
			return AV_ESYS;
		if (r < 0)
			continue;
		serve(k, p, n, channels, clients);
		if (checkpoint_due_ms(k, clock_mono_ms()) == 0) {
			close_batch(k);
			checkpoint_make(k);
		}
		/* What is not committed yet is nobody's to see. */
		if (!batch_is_open(k))
			operator_feed_followers(k);
		if (operator_verify_on(k)) {
			close_batch(k);
			operator_resume(k);
		}
		channel_reap(k);
		operator_reap(k, clock_mono_ms());
		tell_wishes(k);
	}
	/* Outcomes that the broker sent before it ended are still in the socket. */
	batch_settle(k);
	return AV_OK;
}
