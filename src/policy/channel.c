/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/channel.h"

#include "base/confine.h"
#include "base/io.h"
#include "wire/control.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#define READ_SIZE (256u * 1024u)

struct channel {
	struct judge *judge;
	int broker; /* -1: none yet */
	int keeper; /* tells counts; -1: none */
	struct buf counts;
	struct buf in;
	struct buf out;
	bool stop;
};

static void
hang_up(struct channel *c)
{
	io_close(&c->broker);
	buf_reset(&c->in);
	buf_reset(&c->out);
	judge_restart(c->judge);
}

static void
lose_keeper(struct channel *c)
{
	io_close(&c->keeper);
	buf_reset(&c->counts);
}

static enum av_err
take_counts(struct channel *c)
{
	size_t n = 0;
	bool again = false;
	enum av_err e = io_read_some(c->keeper, &c->counts, READ_SIZE, &n, &again);
	if (e == AV_ESYS || (e == AV_OK && n == 0 && !again)) {
		lose_keeper(c);
		return AV_OK;
	}
	return e == AV_OK ? judge_take_counts(c->judge, &c->counts) : e;
}

static enum av_err
take_control(struct channel *c)
{
	unsigned char tag = 0;
	int fds[4] = {-1, -1, -1, -1};
	size_t n = 4;
	enum av_err e = io_recv_fds(CONTROL_FD, &tag, fds, &n);
	if (e == AV_ETRUNC) {
		c->stop = true;
		return AV_OK;
	}
	if (e != AV_OK) {
		return e;
	}
	if (tag == CONTROL_BROKER_JUDGE && n == 1) {
		hang_up(c);
		c->broker = fds[0];
		fds[0] = -1;
		e = io_set_nonblock(c->broker, true);
	} else if (tag == CONTROL_KEEPER_JUDGE && n == 1) {
		lose_keeper(c);
		c->keeper = fds[0];
		fds[0] = -1;
		e = io_set_nonblock(c->keeper, true);
	} else if (tag == CONTROL_STOP) {
		c->stop = true;
	}
	for (size_t i = 0; i < n && i < 4; i++) {
		io_close(&fds[i]);
	}
	return e;
}

/* Writes what the broker takes now; the rest waits for POLLOUT. */
static void
flush(struct channel *c)
{
	while (c->out.len > 0) {
		ssize_t n = write(c->broker, c->out.data, c->out.len);
		if (n > 0) {
			buf_consume(&c->out, (size_t)n);
		} else if (n < 0 && errno == EINTR) {
			continue;
		} else {
			if (errno != EAGAIN && errno != EWOULDBLOCK) {
				hang_up(c);
			}
			return;
		}
	}
}

static enum av_err
take_asks(struct channel *c)
{
	size_t n = 0;
	bool again = false;
	enum av_err e = io_read_some(c->broker, &c->in, READ_SIZE, &n, &again);
	if (e == AV_ESYS || (e == AV_OK && n == 0 && !again)) {
		hang_up(c); /* the broker died; the supervisor brings another */
		return AV_OK;
	}
	return e;
}

static enum av_err
serve_broker(struct channel *c, short events)
{
	enum av_err e = AV_OK;
	if (events & (POLLIN | POLLHUP | POLLERR)) {
		e = take_asks(c);
	}
	/* The batch: all that has come is judged, then written at once. A full output buffer stops the
	 * judging, and emptying it takes it up again. */
	size_t before;
	bool was_high;
	do {
		before = c->in.len;
		was_high = c->out.len >= JUDGE_OUT_HIGH;
		if (e == AV_OK && c->broker >= 0) {
			e = judge_serve(c->judge, &c->in, &c->out);
		}
		if (e == AV_OK && c->broker >= 0) {
			flush(c);
		}
	} while (e == AV_OK && c->broker >= 0 && c->out.len < JUDGE_OUT_HIGH &&
	    (c->in.len != before || was_high));
	return e;
}

static enum av_err
loop(struct channel *c)
{
	enum av_err e = AV_OK;
	while (e == AV_OK && !c->stop) {
		struct pollfd p[3] = {
		    {CONTROL_FD, POLLIN, 0},
		    {c->broker, 0, 0},
		    {c->keeper, POLLIN, 0},
		};
		p[1].events = (short)((c->out.len < JUDGE_OUT_HIGH ? POLLIN : 0) |
		    (c->out.len > 0 ? POLLOUT : 0));
		if (poll(p, 3, -1) < 0) {
			if (errno == EINTR) {
				continue;
			}
			return AV_ESYS;
		}
		/* Counts first: what is asked is judged by them. */
		if (p[2].revents != 0) {
			e = take_counts(c);
		}
		if (e == AV_OK && p[1].revents != 0) {
			e = serve_broker(c, p[1].revents);
		}
		if (e == AV_OK && p[0].revents != 0) {
			e = take_control(c);
		}
	}
	return e;
}

enum av_err
channel_run(struct judge *j)
{
	struct channel c = {.judge = j, .broker = -1, .keeper = -1};
	buf_init(&c.counts, JUDGE_IN_MAX + READ_SIZE);
	buf_init(&c.in, JUDGE_IN_MAX + READ_SIZE);
	buf_init(&c.out, JUDGE_OUT_MAX);
	signal(SIGPIPE, SIG_IGN);
	struct confine_state confined = {0};
	enum av_err e = confine_basic(&confined);
	if (e == AV_OK) {
		e = confine_judge(&confined);
	}
	if (e == AV_OK) {
		e = io_send_fds(CONTROL_FD, CONTROL_READY, NULL, 0);
	}
	if (e == AV_OK) {
		e = loop(&c);
	}
	io_close(&c.broker);
	io_close(&c.keeper);
	buf_clear(&c.counts);
	buf_clear(&c.in);
	buf_clear(&c.out);
	return e;
}
