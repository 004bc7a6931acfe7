/* SPDX-License-Identifier: Apache-2.0 */
/*
 * client.h - one HTTP/1.1 exchange on the agent socket, both bodies streamed.
 *
 * The request's body comes from memory or from a descriptor that the CLI opened itself; the
 * answer's is handed on run by run as it arrives. An answer that comes before the whole body was
 * sent is taken, and the rest of the body is left unsent.
 */
#ifndef AV_CLI_CLIENT_H
#define AV_CLI_CLIENT_H

#include "base/err.h"
#include "base/str.h"
#include "http/header_list.h"

#include <stdbool.h>
#include <stdint.h>

enum body_kind { BODY_NONE, BODY_BYTES, BODY_FD, BODY_PARTS };

/* A piece of a body whose length is known. */
struct body_part {
	const char *text; /* where fd is -1 */
	int fd; /* a regular file, read from its place on; not closed */
	uint64_t size;
};

struct client_request {
	struct str method;
	struct str target; /* origin-form, checked by client_send */
	const struct header_list *headers; /* without host, content-length, transfer-encoding */
	enum body_kind body_kind;
	struct str body; /* BODY_BYTES */
	int body_fd; /* BODY_FD: read to its end; not closed */
	const struct body_part *parts; /* BODY_PARTS, one after the other */
	size_t part_count;
};

struct client_handler {
	void *ctx;
	/* The answer's head is whole; headers borrow until client_exchange() returns. */
	enum av_err (*head)(
	    void *ctx, unsigned status, struct header_list *headers, struct fault *f);
	/* The next run of body bytes. */
	enum av_err (*body)(void *ctx, struct str bytes, struct fault *f);
};

/* AV_ECUT: the answer ended early. AV_EUNAVAIL: no answer at all. Errors of the handler come back
 * as they are. */
enum av_err client_exchange(int sock, const struct client_request *r,
    const struct client_handler *h, struct fault *f) AV_MUST_USE;

#endif
