/* SPDX-License-Identifier: Apache-2.0 */
/*
 * transfer.h - what upstream.c (the loop's side of libcurl) and transfer.c (one request's options
 * and callbacks) know of each other. For no one else.
 */
#ifndef AV_BROKER_TRANSFER_H
#define AV_BROKER_TRANSFER_H

#include "broker/kept.h"
#include "broker/sockets.h"
#include "broker/upstream.h"

#include <curl/curl.h>

#define UPSTREAM_POOL 64u /* easy handles kept for the next request */

/* Development switches (contract.md); all zero in other builds. */
struct upstream_dev {
	struct curl_slist *connect_to;
	struct header_list exempt; /* names: hosts that the address check lets pass */
	bool other_ports;
	bool http1_only;
};

struct upstream {
	struct broker *b;
	CURLM *multi;
	CURLSH *share; /* TLS sessions */
	uv_timer_t *timer;
	struct later_item due; /* what libcurl wants to do at once */
	const char *ca_path;
	CURL *pool[UPSTREAM_POOL];
	size_t pool_count;
	struct transfer *live; /* list */
	struct kept open;      /* every socket of libcurl's */
	struct sockets sockets; /* those that the loop watches for libcurl */
	int depth;             /* > 0: inside libcurl */
	struct upstream_dev dev;
};

struct transfer {
	struct upstream *u;
	struct transfer *next;
	struct transfer **link;
	CURL *easy;
	struct curl_slist *lines;
	const struct upstream_ops *ops; /* NULL: cancelled */
	void *ctx;
	uv_timer_t timer;
	struct later_item work;
	struct header_list headers;
	char errbuf[CURL_ERROR_SIZE];
	uint64_t progress_ms;
	uint64_t end_ms; /* 0 = none */
	uint32_t first_byte_ms;
	uint32_t idle_ms;
	uint64_t sent;
	enum av_err why; /* set before we make libcurl stop */
	const char *reason;
	bool ended_by_us; /* the taker said stop */
	bool exempt;
	bool asked;      /* PREREQ was called: bytes may have left */
	bool opened;     /* a connection of its own */
	uint8_t interim; /* answers of 1xx so far */
	uint16_t port;   /* of ours on the connection, once asked */
	bool head_seen;
	bool recv_paused;
	bool send_paused;
	bool wake_recv;
	bool wake_send;
	bool added;
};

/* Sets every option of t->easy. */
enum av_err transfer_configure(struct transfer *t, const struct upstream_request *rq,
    struct fault *f) AV_MUST_USE;
/* Starts the clock of the next silence anew: the first byte's, or between bytes once there is a
 * head. */
void transfer_arm(struct transfer *t);
/* Turns libcurl's result into ours. */
void transfer_result(const struct transfer *t, CURLcode rc, struct upstream_result *out);

/* Reads the development switches; nothing in builds without AV_DEV. */
enum av_err upstream_dev_init(struct upstream_dev *d) AV_MUST_USE;
void upstream_dev_clear(struct upstream_dev *d);

#endif
