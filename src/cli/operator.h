/* SPDX-License-Identifier: Apache-2.0 */
/*
 * operator.h - one call to the keeper on operator.sock: op, JSON arguments, maybe secret bytes.
 *
 * Secret bytes stand in one buffer of ours between the caller's and the socket, which is wiped.
 * The keeper's notes go to standard error as they come.
 */
#ifndef AV_CLI_OPERATOR_H
#define AV_CLI_OPERATOR_H

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"
#include "cli/discover.h"

struct cJSON;

/* On a connection that is open already. `args`: JSON object. The result's JSON goes into *result. */
enum av_err operator_call(int fd, const char *op, const char *args, struct str secret,
    struct buf *result, struct fault *f) AV_MUST_USE;
/* Finds the daemon (starting it as `flags` allow) and calls. Takes `args` (NULL: {}); where the
 * vault may be made, sets "create":true when `creates`. */
enum av_err operator_run(const char *op, struct cJSON *args, struct str secret, bool creates,
    struct buf *result, struct fault *f) AV_MUST_USE;
/* As operator_run, for an op that answers again and again: each answer goes to `each`, whose exit
 * code, if not 0, ends it; it is in *rc. SIGINT and SIGTERM end it between two answers: AV_OK. */
enum av_err operator_follow(const char *op, struct cJSON *args,
    int (*each)(void *ctx, struct str json), void *ctx, int *rc, struct fault *f) AV_MUST_USE;
/* operator_run, then prints the result as JSON or the fault. Returns the exit code. */
int operator_print(const char *op, struct cJSON *args, struct str secret, bool creates);

#endif
