/* SPDX-License-Identifier: Apache-2.0 */
/*
 * header_list.h - an ordered list of HTTP header fields.
 *
 * Names are checked as tokens (RFC 9110 section 5.6.2) and kept lower-cased; values lose blanks at
 * both ends and are refused with CR, LF, NUL or any other control byte but HTAB. Owns its bytes.
 */
#ifndef AV_HTTP_HEADER_LIST_H
#define AV_HTTP_HEADER_LIST_H

#include "base/err.h"
#include "base/str.h"

#define HEADER_MAX_COUNT 100u
#define HEADER_MAX_BYTES (64u * 1024u) /* all names and values together */

struct header {
	struct str name; /* lower case; borrows from the list */
	struct str value;
};

struct header_list {
	struct header *items;
	size_t count;
	size_t cap;
	size_t bytes;
};

void header_list_init(struct header_list *l);
void header_list_clear(struct header_list *l); /* wipes values */
/* AV_EFORMAT: bad name or value; AV_ELIMIT: too many, too long. */
enum av_err header_list_add(struct header_list *l, struct str name, struct str value) AV_MUST_USE;
/* Replaces every field of that name by one (appends where there is none). */
enum av_err header_list_set(struct header_list *l, struct str name, struct str value) AV_MUST_USE;
size_t header_list_remove(struct header_list *l, struct str name); /* how many went */
/* Takes away `Connection` and what it names: these are for one connection only (RFC 9110 section 7.6.1).
 * AV_ENOMEM. */
enum av_err header_list_drop_hop(struct header_list *l) AV_MUST_USE;
/* The first field of that name, or NULL. Names are matched without case. */
const struct header *header_list_find(const struct header_list *l, struct str name);
size_t header_list_count(const struct header_list *l, struct str name);

/* The two checks that header_list_add makes. */
bool header_name_is_valid(struct str name);
bool header_value_is_valid(struct str value);

/* Name classes; each takes a name in any case, and reads '_' as '-'. */
bool header_is_hop_by_hop(struct str name); /* RFC 9110 7.6.1 and keep-alive, proxy-connection */
/* Set by us or dangerous to forward: hop-by-hop, host, content-length, expect, upgrade,
 * sec-websocket-*, x-http-method-override and kin, x-original-url, x-rewrite-url, forwarded,
 * x-forwarded-*, aivault-*. */
bool header_is_reserved(struct str name);
bool header_is_auth_class(struct str name); /* contract.md, behaviour 8 */
/* May this response header reach the agent? (contract.md, behaviour 7) */
bool header_is_response_safe(struct str name);

#endif
