/* SPDX-License-Identifier: Apache-2.0 */
#include "keeper/channel.h"

#include "base/clock.h"
#include "base/log.h"
#include "keeper/list.h"
#include "keeper/resolve.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

static void
push_state(const struct keeper *k, struct channel *c)
{
	struct fault f = {0};
	enum av_err usable = keeper_usable(k, &f);
	/* One that does not open is one all the same: resolve then says what is wrong with it. */
	struct keeper_state s = {
	    .has_vault = usable != AV_ENOVAULT, .locked = usable == AV_ELOCKED};
	s.generation = k->vault != NULL ? k->vault->generation : 0;
	if (keeper_state_encode(&s, &c->out) != AV_OK)
		c->dead = true;
	channel_write(c);
}

enum av_err
channel_add(struct keeper *k, int fd)
{
	size_t at = 0;
	while (at < KEEPER_MAX_CHANNELS && k->channels[at] != NULL)
		at++;
	if (at == KEEPER_MAX_CHANNELS) {
		/* A broker that was replaced and whose end has not been seen yet. */
		channel_free(k->channels[0]);
		memmove(k->channels, k->channels + 1,
		    (KEEPER_MAX_CHANNELS - 1) * sizeof(k->channels[0]));
		at = KEEPER_MAX_CHANNELS - 1;
		k->channels[at] = NULL;
	}
	struct channel *c = calloc(1, sizeof(*c));
	if (c == NULL || io_set_nonblock(fd, true) != AV_OK) {
		free(c);
		io_close(&fd);
		return AV_ESYS;
	}
	c->fd = fd;
	buf_init(&c->in, CHANNEL_IN_MAX);
	buf_init(&c->out, CHANNEL_OUT_MAX);
	buf_init(&c->pending, CHANNEL_PENDING_MAX);
	k->channels[at] = c;
	push_state(k, c);
	return AV_OK;
}

/* Rows that could not be written as long as there was time. */
static void
log_lost(const struct channel *c)
{
	size_t rows = 0, n = 0;
	struct frame f;
	for (size_t at = c->taken; at < c->pending.len; at += n) {
		if (frame_parse(c->pending.data + at, c->pending.len - at, &f, &n) != AV_OK)
			break;
		rows += f.type != KEEPER_RELEASE;
	}
	if (rows > 0)
		log_error("audit: %zu rows of a broker were lost", rows);
}

void
channel_free(struct channel *c)
{
	if (c == NULL)
		return;
	log_lost(c);
	io_close(&c->fd);
	buf_clear(&c->in);
	buf_clear(&c->out);
	buf_clear(&c->pending);
	free(c);
}

static enum av_err
put_aside(struct channel *c, const uint8_t *whole, size_t len, bool release)
{
	enum av_err e = buf_append(&c->pending, whole, len);
	if (e != AV_OK)
		return e;
	c->has_release = c->has_release || release;
	if (c->pending_since_ms == 0)
		c->pending_since_ms = clock_mono_ms();
	return AV_OK;
}

static enum av_err
take_frame(
    struct keeper *k, struct channel *c, const struct frame *f, const uint8_t *whole, size_t len)
{
	struct keeper_resolve resolve;
	struct keeper_list list;
	enum av_err e = AV_EFORMAT;
	switch (f->type) {
	case KEEPER_RESOLVE:
		e = keeper_resolve_decode(f, &resolve);
		return e == AV_OK ? resolve_answer(k, &resolve, &c->out) : e;
	case KEEPER_LIST:
		e = keeper_list_decode(f, &list);
		return e == AV_OK ? list_answer(k, &list, &c->out) : e;
	case KEEPER_RELEASE:
		return put_aside(c, whole, len, true);
	case KEEPER_DENIED:
	case KEEPER_OUTCOME:
		return put_aside(c, whole, len, false);
	default:
		return e;
	}
}

void
channel_take_frames(struct keeper *k, struct channel *c)
{
	size_t at = 0;
	while (!c->dead) {
		struct frame f;
		size_t used = 0;
		enum av_err e = frame_parse(c->in.data + at, c->in.len - at, &f, &used);
		if (e == AV_ETRUNC)
			break;
		if (e == AV_OK)
			e = take_frame(k, c, &f, c->in.data + at, used);
		if (e != AV_OK) {
			log_error("broker channel: %s, closed", av_err_text(e));
			c->dead = true;
		}
		at += used;
	}
	buf_consume(&c->in, at < c->in.len ? at : c->in.len);
}

void
channel_read(struct keeper *k, struct channel *c)
{
	/* A few reads at most, so that the batch gets its turn. */
	for (int i = 0; i < 8 && !c->dead; i++) {
		size_t n = 0;
		bool again = false;
		enum av_err e = io_read_some(c->fd, &c->in, 256u * 1024u, &n, &again);
		if (again)
			break;
		if (e != AV_OK || n == 0) {
			c->dead = true;
			break;
		}
		if (c->in.len > CHANNEL_IN_MAX / 2)
			break;
	}
	channel_take_frames(k, c);
	channel_write(c);
}

void
channel_write(struct channel *c)
{
	while (c->out.len > 0) {
		ssize_t n = send(c->fd, c->out.data, c->out.len, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			if (errno != EAGAIN && errno != EWOULDBLOCK)
				c->dead = true;
			return;
		}
		if ((size_t)n == c->out.len)
			buf_reset(&c->out);
		else
			buf_consume(&c->out, (size_t)n);
	}
}

void
channel_push_state(struct keeper *k)
{
	for (size_t i = 0; i < KEEPER_MAX_CHANNELS; i++)
		if (k->channels[i] != NULL)
			push_state(k, k->channels[i]);
}

void
channel_revoke(
    struct keeper *k, struct str capability, struct str credential, const struct fault *f)
{
	struct keeper_revoked m = {.capability = capability, .credential = credential, .fault = *f};
	for (size_t i = 0; i < KEEPER_MAX_CHANNELS; i++) {
		struct channel *c = k->channels[i];
		if (c == NULL)
			continue;
		if (keeper_revoked_encode(&m, &c->out) != AV_OK)
			c->dead = true;
		channel_write(c);
	}
}

void
channel_reap(struct keeper *k)
{
	size_t kept = 0;
	for (size_t i = 0; i < KEEPER_MAX_CHANNELS; i++) {
		struct channel *c = k->channels[i];
		k->channels[i] = NULL;
		if (c == NULL)
			continue;
		if (c->dead && c->pending.len == 0) {
			channel_free(c);
			continue;
		}
		/* Rows that wait are written even when the broker that told them is gone. */
		if (c->dead) {
			io_close(&c->fd);
			buf_reset(&c->out);
		}
		k->channels[kept++] = c;
	}
}
