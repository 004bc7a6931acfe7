/* SPDX-License-Identifier: Apache-2.0 */
/*
 * message.h - an incremental HTTP/1.1 parser: llhttp in strict mode plus our refusals.
 *
 * Requests: refused on top of llhttp: no Host or two, obsolete line folding, empty header names,
 * versions but 1.0 and 1.1, any transfer-encoding but `chunked` alone, transfer-encoding in 1.0 or
 * beside content-length, two content-lengths, absolute-form and authority-form targets, '#' and
 * bytes outside 0x21..0x7e in the target, methods outside the nine of RFC 9110/5789, over
 * HEADER_MAX_COUNT fields or a head over HEAD_MAX bytes, bare LF or CR, trailers are dropped.
 *
 * The parser pulls: feed bytes, look at the events. Body bytes borrow from what was fed.
 */
#ifndef AV_HTTP_MESSAGE_H
#define AV_HTTP_MESSAGE_H

#include "base/err.h"
#include "http/header_list.h"
#include "http/method.h"

#include <stdbool.h>
#include <stdint.h>

#define HEAD_MAX (64u * 1024u)

enum message_kind { MESSAGE_REQUEST, MESSAGE_RESPONSE };

enum message_event {
	MESSAGE_NEED_MORE, /* all input used, nothing complete */
	MESSAGE_HEAD, /* the head is whole: method, target / status, headers are set */
	MESSAGE_BODY, /* *body is a run of decoded body bytes */
	MESSAGE_DONE, /* the message is whole; input after it is not touched */
};

struct message; /* opaque; owns head text and headers */

/* `head_request`: (responses only) the request was a HEAD, so there is no body. */
enum av_err message_new(
    enum message_kind kind, bool head_request, struct message **out) AV_MUST_USE;
void message_free(struct message *m);
/* Makes it ready for the next message on the same connection. */
void message_reset(struct message *m, bool head_request);

/*
 * Takes from in[0..len): *used bytes were consumed, *event tells what happened; call again with the
 * rest until MESSAGE_NEED_MORE or MESSAGE_DONE. On error *f (may be NULL) says why; the connection
 * must then be closed after the answer. Bytes after an error are never looked at.
 */
enum av_err message_feed(struct message *m, const uint8_t *in, size_t len, size_t *used,
    enum message_event *event, struct str *body, struct fault *f) AV_MUST_USE;
/* The peer closed: AV_OK with *event DONE if that ends the message properly (a response that is
 * delimited by the close), else AV_ETRUNC. */
enum av_err message_eof(struct message *m, enum message_event *event) AV_MUST_USE;

/* Valid from MESSAGE_HEAD on, until reset. */
struct str message_method(const struct message *m);
struct str message_target(const struct message *m);
unsigned message_status(const struct message *m);
struct header_list *message_headers(struct message *m);
unsigned message_minor_version(const struct message *m); /* 0 or 1, of HTTP/1.x */
bool message_keep_alive(const struct message *m);
bool message_is_upgrade(const struct message *m);
/* Content-length: true and *out; false: none given (chunked, none, or until close). */
bool message_content_length(const struct message *m, uint64_t *out);
bool message_is_chunked(const struct message *m);

#endif
