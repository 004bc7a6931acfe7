/* SPDX-License-Identifier: Apache-2.0 */
/*
 * answer.h - answers of aivault itself: problem+json errors, and /aivault/capabilities/<id>.
 *
 * An answer with the header Aivault-Error is ours, whatever its status; any other is the
 * upstream's and goes to the handler underneath.
 */
#ifndef AV_CLI_ANSWER_H
#define AV_CLI_ANSWER_H

#include "base/buf.h"
#include "cli/client.h"

struct own_error {
	const struct client_handler *below;
	struct client_handler handler;
	bool ours;
	char code[64];
	char reason[64];
	struct buf body;
};

/* `below` gets what is not an error of ours. */
void own_error_init(struct own_error *o, const struct client_handler *below);
const struct client_handler *own_error_handler(struct own_error *o);
/* Turns an error of ours into *f and its code; passes `e` on otherwise. Clears *o. */
enum av_err own_error_finish(
    struct own_error *o, enum av_err e, char *code, size_t code_len, struct fault *f);

/* A small JSON answer of the daemon's own. */
struct answer {
	struct buf body;
};
void answer_init(struct answer *a);
void answer_clear(struct answer *a);
/* `headers` may have the call's context in it; nothing else of it is sent. */
enum av_err answer_fetch_capability(struct answer *a, const char *id,
    const struct header_list *headers, struct fault *f) AV_MUST_USE;
/* Appends the only string of the array `key`; AV_EINVAL, naming --`option`, where there are more. */
enum av_err answer_only(const struct answer *a, const char *key, const char *option,
    struct buf *out, struct fault *f) AV_MUST_USE;
/* GET `target` of the daemon itself, with `headers`; starts one only where `start`. */
enum av_err answer_fetch(struct answer *a, const char *target, const struct header_list *headers,
    bool start, struct fault *f) AV_MUST_USE;

#endif
