/* SPDX-License-Identifier: Apache-2.0 */
/*
 * invocation.h - one call of a capability: from the command line to the answer, for `invoke` and
 * `json`.
 *
 * The body's file is opened here, as the caller's user (I7). A call is sent at most once: nothing
 * here repeats it.
 */
#ifndef AV_CLI_INVOCATION_H
#define AV_CLI_INVOCATION_H

#include "base/buf.h"
#include "cli/args.h"
#include "cli/client.h"
#include "cli/multipart.h"

/* Options of both commands, without the last NULL row. */
#define INVOCATION_OPTIONS                                                                   \
	{"method", "NAME", false,                                                            \
	    "GET, POST, ... (default: the capability's, if it has one only)"},               \
	    {"path", "PATH", false,                                                          \
	        "path and query (default: the capability's, if it has one only)"},           \
	    {"header", "K=V", true, "a request header; 'K: v' works too"},                   \
	    {"body", "TEXT", false, "the body"},                                             \
	    {"body-file-path", "FILE", false,                                                \
	        "the body, streamed from FILE; - is standard input"},                        \
	    {"request", "JSON", false, "method, path, headers and body as one JSON object"}, \
	    {"request-file", "FILE", false, "the same from a file"},                         \
	    {"multipart-field", "K=V", true, "a field of a multipart/form-data body"},       \
	    {"multipart-file", "FIELD=PATH", true, "a file of it, streamed from PATH"},      \
	    {"timeout-ms", "N", false, "whole time for the call"},                           \
	    {"credential", "ID", false, "which credential, where several fit"},              \
	    {"workspace-id", "ID", false, "on behalf of this workspace"},                    \
	    {"group-id", "ID", false, "on behalf of this group of the workspace"},           \
	{                                                                                    \
		"client-ip", "IP", false, "accepted and ignored"                             \
	}

struct invocation {
	const char *capability;
	struct buf method;
	struct buf target; /* "/i/<capability>/-/<path>" */
	struct header_list headers;
	struct buf body; /* when the body is text */
	int body_fd; /* when it is a file; -1 otherwise */
	struct multipart multipart; /* when it is a form */
	bool has_body;
};

void invocation_init(struct invocation *v);
void invocation_clear(struct invocation *v);
/* Everything but the default method and path. AV_EUSAGE and others: *f. */
enum av_err invocation_build(
    struct invocation *v, const struct args *a, struct fault *f) AV_MUST_USE;
/* Sends it and hands the upstream's answer to `h`; an answer of aivault's own becomes *f, with the
 * daemon's code in code[0..code_len) (empty: use the error's). */
enum av_err invocation_send(struct invocation *v, const struct client_handler *h, char *code,
    size_t code_len, struct fault *f) AV_MUST_USE;
/* Splits "K=V" or "K: v". */
enum av_err invocation_header(struct header_list *l, const char *text, struct fault *f) AV_MUST_USE;

#endif
