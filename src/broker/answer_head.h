/* SPDX-License-Identifier: Apache-2.0 */
/*
 * answer_head.h - the head of an upstream's answer, line by line as libcurl hands it over.
 */
#ifndef AV_BROKER_ANSWER_HEAD_H
#define AV_BROKER_ANSWER_HEAD_H

#include "base/err.h"
#include "base/str.h"
#include "http/header_list.h"

#include <stdbool.h>
#include <stdint.h>

/* Takes one line, with its end or without. A status line empties the list: another head begins. The
 * empty line sets *end. AV_EFORMAT, AV_ELIMIT: *reason is "upstream_malformed" or
 * "upstream_head_too_large"; a folded line is malformed. */
enum av_err answer_head_take(struct header_list *l, struct str line, bool *end, const char **reason)
    AV_MUST_USE;
/* libcurl will decode the body. */
bool answer_head_is_coded(const struct header_list *l);
/* RFC 9112 section 6.3: the head says the body's length in one way, or in none. libcurl overlooks a length
 * that is no number, lets the last of two win, and takes codings that it does not know for none. */
bool answer_head_is_plain(const struct header_list *l);
/* The body's length that the agent may rely on; UINT64_MAX: none is known, or it will not hold. */
uint64_t answer_head_length(const struct header_list *l);

#endif
