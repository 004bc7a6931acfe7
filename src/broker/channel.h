/* SPDX-License-Identifier: Apache-2.0 */
/*
 * channel.h - one end of a socket that carries frames (base/frame.h) to another of our processes.
 *
 * Frames that are appended in one turn of the loop leave in one write. Bytes of a received frame
 * are wiped as soon as its handler returns: a frame may hold secret bytes.
 */
#ifndef AV_BROKER_CHANNEL_H
#define AV_BROKER_CHANNEL_H

#include "base/buf.h"
#include "base/frame.h"
#include "broker/later.h"

struct channel;

struct channel_ops {
	/* An error closes the channel, as a frame that cannot be parsed does. */
	enum av_err (*frame)(void *ctx, const struct frame *f);
	/* The peer is gone, or said what does not parse (nonsense). The channel is closed already; drop
	 * the pointer. */
	void (*closed)(void *ctx, bool nonsense);
};

/* Takes fd, on failure too. */
enum av_err channel_open(uv_loop_t *loop, struct later *later, int fd,
    const struct channel_ops *ops, void *ctx, struct channel **out) AV_MUST_USE;
/* Closes without a call of `closed`. The memory goes when the loop has let go of it. */
void channel_close(struct channel *ch);
/* Where to append whole frames; call channel_kick() afterwards. */
struct buf *channel_out(struct channel *ch);
void channel_kick(struct channel *ch);

#endif
