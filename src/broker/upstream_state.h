/* SPDX-License-Identifier: Apache-2.0 */
/*
 * upstream_state.h - what the parts of the upstream side know of each other: upstream.c (libcurl on
 * the loop), connection.c (one connection), kept.c (those without a user), transfer.c (one request's
 * life), transfer_out.c (its bytes up), transfer_in.c (the answer's bytes down). For no one else.
 */
#ifndef AV_BROKER_UPSTREAM_STATE_H
#define AV_BROKER_UPSTREAM_STATE_H

#include "broker/connection.h"
#include "broker/decode.h"
#include "broker/kept.h"
#include "broker/sockets.h"
#include "broker/upstream.h"
#include "http/message.h"

#include <curl/curl.h>

/* Development switches (contract.md); all zero in other builds. */
struct upstream_dev {
	struct curl_slist *connect_to;
	struct header_list exempt; /* names: hosts that the address check lets pass */
	bool other_ports;
};

struct upstream {
	struct broker *b;
	CURLM *multi;
	CURLSH *share; /* TLS sessions */
	uv_timer_t *timer;
	struct later_item due; /* what libcurl wants to do at once */
	const char *ca_path;
	struct transfer *live; /* list */
	struct kept kept;
	struct sockets sockets;
	uint64_t epoch; /* connections of an earlier one are not kept */
	struct upstream_dev dev;
	uint8_t room[CONNECTION_READ_MAX];
};

struct transfer {
	struct upstream *u;
	struct transfer *next;
	struct transfer **link;
	struct connection *connection; /* NULL once it is over */
	const struct upstream_ops *ops; /* NULL: cancelled */
	void *ctx;
	uv_timer_t timer;
	struct later_item work;
	uint64_t progress_ms;
	uint64_t end_ms; /* 0 = none */
	uint64_t rings_ms;
	uint32_t first_byte_ms;
	uint32_t idle_ms;

	struct buf
	    out; /* the request, as much of it as is made and has not gone; secrets among it */
	size_t out_off;
	uint64_t body_left; /* to be read from the call; UINT64_MAX: chunked */
	uint64_t sent; /* body bytes */
	bool sent_any; /* the upstream may know of the request */
	bool body_is_made; /* all of it is in `out`, or has gone */
	bool send_broken; /* nothing more can be sent; an answer may be there all the same */
	bool send_paused; /* until transfer_wake_send() */

	struct message *answer;
	bool is_head; /* the method is HEAD */
	bool coded; /* the answer is, whether it has a body or not */
	struct decoder *decoder; /* NULL: there is nothing to decode */
	struct buf rest; /* what came and the call did not want yet: */
	size_t rest_body; /* first so much of a body, then bytes not parsed */
	bool began; /* the answer's first byte is here */
	bool head_seen;
	bool recv_paused; /* until transfer_wake_recv() */
	bool read_on; /* there is more to read that no event tells of */
	bool wake_recv;
	bool wake_send;

	bool busy; /* one of our functions is above us: it will end what wants ending */
	bool over; /* `fault` says how */
	bool reusable;
	struct fault fault;
};

/* Head, and a piece of the body. */
#define TRANSFER_OUT_MAX (256u * 1024u)

/* ---- transfer_out.c ---- */

/* The head, and the body where it is short: into t->out. */
enum av_err transfer_out_begin(
    struct transfer *t, const struct upstream_request *rq, struct fault *f) AV_MUST_USE;
/* Sends what can be sent now. */
void transfer_out_go_on(struct transfer *t);
bool transfer_out_is_done(const struct transfer *t);
/* There are bytes that the connection did not take. */
bool transfer_out_is_blocked(const struct transfer *t);

/* ---- transfer_in.c ---- */

/* Reads what there is. */
void transfer_in_go_on(struct transfer *t);
/* Goes through what was put aside, and reads on. */
void transfer_in_resume(struct transfer *t);

/* ---- transfer.c ---- */

/* Starts the clock of the next silence anew: the first byte's, or between bytes once there is a
 * head. */
void transfer_arm(struct transfer *t);
void transfer_note_progress(struct transfer *t);
/* Reads on when others have had their turn. */
void transfer_read_later(struct transfer *t);
/* It is over: with a whole answer, or with this fault ("The upstream failed: `text`."). The first one
 * said counts. */
void transfer_succeed(struct transfer *t, bool reusable);
void transfer_fail(struct transfer *t, enum av_err err, const char *reason, const char *text);

/* ---- upstream_dev.c ---- */

/* Reads the development switches; nothing in builds without AV_DEV. */
enum av_err upstream_dev_init(struct upstream_dev *d) AV_MUST_USE;
void upstream_dev_clear(struct upstream_dev *d);

#endif
