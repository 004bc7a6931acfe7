/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/command.h"
#include "cli/invocation.h"
#include "cli/print.h"

#include "base/io.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#define READER_GONE "reader_gone"

static const struct option options[] = {
    INVOCATION_OPTIONS,
    {"stream", NULL, false, "accepted: every answer is streamed"},
    {NULL, NULL, false, NULL},
};

static enum av_err
on_head(void *ctx, unsigned status, struct header_list *headers, struct fault *f)
{
	(void)ctx;
	(void)status;
	(void)headers;
	(void)f;
	return AV_OK;
}

static enum av_err
on_body(void *ctx, struct str bytes, struct fault *f)
{
	(void)ctx;
	if (io_write_all(STDOUT_FILENO, bytes.p, bytes.len) != AV_OK)
		return fault_set(f, AV_ESYS, errno == EPIPE ? READER_GONE : "stdout", "",
		    "standard output cannot be written: %s", strerror(errno));
	return AV_OK;
}

static int
run(struct args *a)
{
	static const struct client_handler handler = {NULL, on_head, on_body};
	struct invocation v;
	struct fault f = {0};
	char code[64] = "";
	enum av_err e;
	int rc = 0;

	invocation_init(&v);
	e = invocation_build(&v, a, &f);
	if (e == AV_OK)
		e = invocation_send(&v, &handler, code, sizeof(code), &f);
	if (e == AV_EUSAGE)
		rc = usage_fault(&cmd_invoke, &f);
	else if (e != AV_OK && strcmp(f.reason, READER_GONE) == 0)
		rc = 1; /* `| head` has what it wanted; there is nothing to tell */
	else if (e != AV_OK)
		rc = code[0] != '\0' ? print_failure(code, f.message, f.remedy) : print_fault(&f);
	invocation_clear(&v);
	return rc;
}

const struct command cmd_invoke = {
    .name = "invoke",
    .alias = "call|capability invoke|capability call",
    .arguments = "CAPABILITY [OPTIONS]",
    .about = "Call a capability; its answer's body goes to standard output as it arrives",
    .details =
        "The upstream's status does not change the exit code: 4xx and 5xx end with 0. Errors of\n"
        "aivault itself, and a transfer that was cut, end with 1.\n"
        "A body that begins like JSON gets content-type application/json, unless one was given.\n",
    .options = options,
    .min_positional = 1,
    .max_positional = 1,
    .run = run,
};
