/* SPDX-License-Identifier: Apache-2.0 */
/*
 * channel.h - one broker's end: bytes in, frames answered at once or put aside for the batch.
 *
 * A frame that does not decode ends the channel: a broker that talks nonsense is not listened to.
 */
#ifndef AV_KEEPER_CHANNEL_H
#define AV_KEEPER_CHANNEL_H

#include "keeper/keeper.h"

#define CHANNEL_IN_MAX (4u * 1024u * 1024u)
#define CHANNEL_OUT_MAX (64u * 1024u * 1024u)
#define CHANNEL_PENDING_MAX (8u * 1024u * 1024u)

struct channel {
	int fd;
	struct buf in;
	struct buf out; /* may hold rendered auth: wiped when sent */
	struct buf pending; /* whole frames for the next batch: release, denied, outcome */
	size_t taken; /* so much of it is in the open transaction */
	bool has_release; /* one of them waits for its answer */
	uint64_t pending_since_ms; /* monotonic; 0: nothing waits */
	bool dead;
};

/* Takes fd (also on failure) and sends KEEPER_STATE. The oldest gives way when there is no room. */
enum av_err channel_add(struct keeper *k, int fd) AV_MUST_USE;
void channel_free(struct channel *c); /* NULL is fine; rows that still wait are lost, and logged */
/* Reads what is there and handles it; sets `dead` at the end of the stream or on nonsense. */
void channel_read(struct keeper *k, struct channel *c);
/* Handles every whole frame in c->in. */
void channel_take_frames(struct keeper *k, struct channel *c);
void channel_write(struct channel *c);
/* KEEPER_STATE to all. */
void channel_push_state(struct keeper *k);
/* KEEPER_REVOKED to all: running calls of that capability and credential ("" = any) end with *f.
 * After the change is committed. */
void channel_revoke(
    struct keeper *k, struct str capability, struct str credential, const struct fault *f);
/* Ends what is dead, and frees it once its rows are written. */
void channel_reap(struct keeper *k);

#endif
