/* SPDX-License-Identifier: Apache-2.0 */
/*
 * reply.h - the bytes of an answer: status line, header lines, problem+json (RFC 9457).
 *
 * Everything appends to a buffer; the buffer's sticky error is the one thing to look at.
 */
#ifndef AV_BROKER_REPLY_H
#define AV_BROKER_REPLY_H

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

#include <stdint.h>

#define REQUEST_ID_LEN 32u

/* "HTTP/1.1 404 Not Found\r\n" */
void reply_status_line(struct buf *out, unsigned status);
/* "Name: value\r\n" */
void reply_header(struct buf *out, const char *name, struct str value);
/* A JSON string with its quotes. Bytes that are not UTF-8 become U+FFFD. */
void reply_json_string(struct buf *out, struct str s);
/* The body for a fault: {type,title,status,detail,error,message,reason,remedy,requestId}. */
void reply_problem_body(struct buf *out, const struct fault *f, const char *request_id);

#endif
