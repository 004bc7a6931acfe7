/* SPDX-License-Identifier: Apache-2.0 */
/*
 * secret_input.h - gets a secret's bytes from the operator into a buffer that is wiped.
 *
 * Sources: `--value-file` (the file's bytes as they are, a last newline too), `--value` (works,
 * with a warning; its bytes are wiped from the argument vector), else standard input: a prompt
 * without echo on a terminal (one line, see secret_line.h), all of it otherwise, less one newline at
 * its end. A newline that stays at the end of a secret is told of on standard error.
 */
#ifndef AV_CLI_SECRET_INPUT_H
#define AV_CLI_SECRET_INPUT_H

#include "base/buf.h"
#include "cli/args.h"

#define SECRET_INPUT_MAX (64u * 1024u)

/* Appends to *out, which the caller clears. `prompt`: "Value of NAME". An empty secret is refused. */
enum av_err secret_input(
    struct args *a, const char *prompt, struct buf *out, struct fault *f) AV_MUST_USE;

/* The same for `--passphrase` and `--passphrase-file` (here too without one last newline). `twice`: on
 * a terminal it is asked for a second time, and must be the same. */
enum av_err passphrase_input(
    struct args *a, const char *prompt, bool twice, struct buf *out, struct fault *f) AV_MUST_USE;

#endif
