/* SPDX-License-Identifier: Apache-2.0 */
/*
 * session_state.h - what the parts of a session know of each other: session.c (life, and the turns of
 * an exchange), session_in.c (bytes from the client, to the parser and the handler), session_out.c
 * (answers, and bytes to the client). For no one else.
 */
#ifndef AV_BROKER_SESSION_STATE_H
#define AV_BROKER_SESSION_STATE_H

#include "broker/later.h"
#include "broker/listener.h"
#include "broker/session.h"

#include <uv.h>

#define SESSION_READ (64u * 1024u) /* asked for at once */
#define SESSION_IN_HIGH (64u * 1024u) /* unparsed bytes above which we stop reading */
#define SESSION_IN_MAX (SESSION_IN_HIGH + SESSION_READ)
#define SESSION_OUT_MAX (8u * 1024u * 1024u) /* capability lists; streams stop far below */
#define SESSION_KEEP (64u * 1024u) /* an empty buffer larger than this is given back */
#define SESSION_REQUESTS_A_TURN 4u /* then others have theirs, however much was pipelined */
#define SESSION_HEAD_MS 60000u /* a head must be whole by then */

enum session_state {
	SESSION_HEAD, /* waits for a request, or reads its head */
	SESSION_CALL, /* a handler has the exchange */
	SESSION_DISCARD, /* answered; the rest of the request is dropped */
	SESSION_LINGER, /* the last answer is on its way out, then close */
};

struct session {
	uv_pipe_t pipe;
	uv_write_t write;
	struct later_item work; /* pump and flush */
	struct listener_node node;
	struct broker *b;
	struct caller caller;
	struct message *msg;
	const struct exchange_ops *ops;
	void *ctx;
	enum session_state state;
	char request_id[REQUEST_ID_LEN + 1];

	struct buf in;
	size_t in_off;
	struct buf out;
	struct buf flying;
	uint64_t discarded;
	uint64_t deadline_ms; /* 0 = none */
	uint64_t progress_ms; /* of writing, and when there began to be something to write */
	bool owes; /* there is something to write */
	uint32_t idle_ms; /* as it was when the request began */

	bool closing; /* uv_close was called */
	bool closed; /* and has ended */
	bool reading;
	bool request_done; /* the request is whole */
	bool is_head; /* the method is HEAD */
	bool has_body;
	bool expects; /* waits for 100 Continue */
	bool http10;
	bool half_closed; /* the client sends no more, but reads */
	bool close_after;
	bool begun; /* a streamed answer's head is out */
	bool chunked;
	bool no_body;
	bool was_high;
	bool pumping;
	bool resting; /* has had its requests for this turn */
	unsigned begun_now; /* requests in this turn */
};

uint64_t session_now(const struct session *s); /* of the loop, in ms */
/* Closes the connection; a handler that still has the exchange is told. */
void session_close(struct session *s);
void session_release_handler(struct session *s);
/* Frees what is closed, once nobody has it any more. */
void session_maybe_free(struct session *s);

/* A client that sends no more still gets answers to what it has sent. */
bool session_stays_open(const struct session *s);
void session_next_request(struct session *s);
/* Closes once the last answer is out. */
void session_linger(struct session *s);

/* session_in.c: parses what has come, as far as there is room for it. May close. */
void session_pump(struct session *s);
/* Reads while there is room for what comes. */
void session_steer_reading(struct session *s);

/* session_out.c: writes what the socket takes now. May close. */
void session_flush(struct session *s);
/* What was appended to `out` goes out soon. */
void session_queue(struct session *s);

#endif
