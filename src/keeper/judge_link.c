/* SPDX-License-Identifier: Apache-2.0 */
#include "keeper/judge_link.h"

#include "base/clock.h"
#include "base/log.h"
#include "keeper/counters.h"
#include "keeper/keeper.h"

#include <errno.h>
#include <sys/socket.h>

void
judge_link_init(struct judge_link *l)
{
	l->fd = -1;
	buf_init(&l->out, JUDGE_LINK_OUT_MAX);
}

void
judge_link_close(struct judge_link *l)
{
	io_close(&l->fd);
	buf_clear(&l->out);
	buf_init(&l->out, JUDGE_LINK_OUT_MAX);
}

void
judge_link_write(struct judge_link *l)
{
	while (l->fd >= 0 && l->out.len > 0) {
		ssize_t n = send(l->fd, l->out.data, l->out.len, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			if (errno != EAGAIN && errno != EWOULDBLOCK)
				judge_link_close(l);
			return;
		}
		buf_consume(&l->out, (size_t)n);
	}
}

static enum av_err
tell_counter(void *ctx, const struct counts_fill *m)
{
	struct judge_link *l = ctx;
	return counts_fill_encode(m, &l->out);
}

void
judge_link_fill(struct keeper *k)
{
	struct judge_link *l = &k->judge;
	if (l->fd < 0)
		return;
	enum av_err e = counts_clear_encode(&l->out);
	/* A locked vault's counters count all the same. */
	if (e == AV_OK && k->vault != NULL)
		e = counters_each(k->vault->store, clock_wall_ms(), tell_counter, l);
	if (e != AV_OK)
		log_warn("the judge is not told all counters; they hold in the keeper");
	judge_link_write(l);
}

void
judge_link_use(struct keeper *k, int fd)
{
	judge_link_close(&k->judge);
	k->judge.fd = fd;
	judge_link_fill(k);
}

void
judge_link_refund(struct judge_link *l, struct charge *charges, size_t count)
{
	const struct counts_refund m = {charges, count};
	if (l->fd < 0 || count == 0)
		return;
	/* A judge that takes nothing for so long holds back longer than it need. */
	if (counts_refund_encode(&m, &l->out) == AV_OK)
		judge_link_write(l);
}
