/* SPDX-License-Identifier: Apache-2.0 */
/*
 * head.h - a message head that head_scan.h let pass: its start line, its fields, its framing.
 *
 * Gathers the bytes in one buffer of its own and reads them once they are whole. Everything that
 * message.h lists as refused is refused here. Links no parser.
 */
#ifndef AV_HTTP_HEAD_H
#define AV_HTTP_HEAD_H

#include "base/buf.h"
#include "http/head_scan.h"
#include "http/message.h"

struct head {
	enum message_kind kind;
	struct buf text;
	struct head_scan scan;
	struct header_list headers;
	struct str method; /* borrow from text; set when it is whole */
	struct str target;
	unsigned status; /* responses */
	unsigned minor; /* of HTTP/1.x */
	bool blank_seen; /* an empty line before the request */
	bool has_length;
	bool chunked;
	bool close; /* tokens of Connection */
	bool keep;
	bool upgrade; /* the token and the field */
	uint64_t length;
};

void head_init(struct head *h, enum message_kind kind);
void head_clear(struct head *h); /* wipes and frees */
void head_reset(struct head *h); /* wipes; ready for the next head */
/* Takes bytes up to the end of the head. *whole: everything above is set. */
enum av_err head_feed(struct head *h, const uint8_t *in, size_t len, size_t *used, bool *whole,
    struct fault *f) AV_MUST_USE;

#endif
