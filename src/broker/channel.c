/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/channel.h"

#include "base/io.h"
#include "base/log.h"

#include <stdlib.h>
#include <string.h>

#define CHANNEL_READ (64u * 1024u)
#define CHANNEL_KEEP (256u * 1024u)
#define CHANNEL_IN_MAX (FRAME_MAX + FRAME_HEADER_LEN + CHANNEL_READ)
#define CHANNEL_OUT_MAX (128u * 1024u * 1024u)

struct channel {
	uv_pipe_t pipe;
	uv_write_t write;
	struct later_item flush;
	struct later *later;
	const struct channel_ops *ops;
	void *ctx;
	struct buf in;
	struct buf out;
	struct buf flying; /* what uv_write holds */
	bool closing;
};

static void
channel_on_close(uv_handle_t *handle)
{
	struct channel *ch = handle->data;

	buf_clear(&ch->in);
	buf_clear(&ch->out);
	buf_clear(&ch->flying);
	free(ch);
}

void
channel_close(struct channel *ch)
{
	if (ch == NULL || ch->closing)
		return;
	ch->closing = true;
	later_cancel(ch->later, &ch->flush);
	uv_close((uv_handle_t *)&ch->pipe, channel_on_close);
}

static void
channel_fail(struct channel *ch, bool nonsense)
{
	if (ch->closing)
		return;
	channel_close(ch);
	ch->ops->closed(ch->ctx, nonsense);
}

static void
channel_on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *out)
{
	struct channel *ch = handle->data;
	uint8_t *p = NULL;

	(void)suggested;
	if (buf_reserve(&ch->in, CHANNEL_READ, &p) == AV_OK)
		*out = uv_buf_init((char *)p, CHANNEL_READ);
	else
		*out = uv_buf_init(NULL, 0);
}

static void
channel_on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *b)
{
	struct channel *ch = stream->data;
	size_t off = 0;

	(void)b;
	if (n < 0) {
		channel_fail(ch, false);
		return;
	}
	buf_commit(&ch->in, (size_t)n);
	while (!ch->closing) {
		struct frame f;
		size_t used = 0;
		enum av_err e = frame_parse(ch->in.data + off, ch->in.len - off, &f, &used);

		if (e == AV_ETRUNC)
			break;
		if (e == AV_OK)
			e = ch->ops->frame(ch->ctx, &f);
		if (e != AV_OK) {
			log_error(
			    "a peer process sent a frame that does not parse: %s", av_err_text(e));
			channel_fail(ch, true);
			return;
		}
		av_wipe(ch->in.data + off, used);
		off += used;
		later_turn(ch->later);
	}
	if (!ch->closing)
		buf_consume(&ch->in, off);
}

static void channel_flush(struct channel *ch);

static void
channel_on_written(uv_write_t *w, int status)
{
	struct channel *ch = w->data;

	if (status < 0) {
		channel_fail(ch, false);
		return;
	}
	/* A burst must not leave its memory behind. */
	if (ch->flying.cap > CHANNEL_KEEP)
		buf_clear(&ch->flying);
	else
		buf_reset(&ch->flying);
	channel_flush(ch);
}

static void
channel_flush(struct channel *ch)
{
	uv_buf_t b;
	int n;

	if (ch->closing || ch->out.len == 0 || ch->flying.len != 0)
		return;
	b = uv_buf_init((char *)ch->out.data, (unsigned)ch->out.len);
	n = uv_try_write((uv_stream_t *)&ch->pipe, &b, 1);
	if (n < 0 && n != UV_EAGAIN) {
		channel_fail(ch, false);
		return;
	}
	if (n > 0)
		buf_consume(&ch->out, (size_t)n);
	if (ch->out.len != 0) {
		struct buf empty = ch->flying;

		ch->flying = ch->out;
		ch->out = empty;
		b = uv_buf_init((char *)ch->flying.data, (unsigned)ch->flying.len);
		ch->write.data = ch;
		if (uv_write(&ch->write, (uv_stream_t *)&ch->pipe, &b, 1, channel_on_written) != 0)
			channel_fail(ch, false);
	}
}

static void
channel_run_flush(struct later_item *item)
{
	channel_flush((struct channel *)((char *)item - offsetof(struct channel, flush)));
}

enum av_err
channel_open(uv_loop_t *loop, struct later *later, int fd, const struct channel_ops *ops, void *ctx,
    struct channel **out)
{
	struct channel *ch = calloc(1, sizeof(*ch));

	if (ch == NULL) {
		io_close(&fd);
		return AV_ENOMEM;
	}
	ch->later = later;
	ch->ops = ops;
	ch->ctx = ctx;
	ch->flush.run = channel_run_flush;
	buf_init(&ch->in, CHANNEL_IN_MAX);
	buf_init(&ch->out, CHANNEL_OUT_MAX);
	buf_init(&ch->flying, CHANNEL_OUT_MAX);
	if (uv_pipe_init(loop, &ch->pipe, 0) != 0) {
		free(ch);
		io_close(&fd);
		return AV_ESYS;
	}
	ch->pipe.data = ch;
	if (uv_pipe_open(&ch->pipe, fd) != 0) {
		io_close(&fd);
		channel_close(ch);
		return AV_ESYS;
	}
	if (uv_read_start((uv_stream_t *)&ch->pipe, channel_on_alloc, channel_on_read) != 0) {
		channel_close(ch);
		return AV_ESYS;
	}
	*out = ch;
	return AV_OK;
}

struct buf *
channel_out(struct channel *ch)
{
	return &ch->out;
}

void
channel_kick(struct channel *ch)
{
	if (!ch->closing)
		later_add(ch->later, &ch->flush);
}
