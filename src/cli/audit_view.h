/* SPDX-License-Identifier: Apache-2.0 */
/*
 * audit_view.h - a JSON array of audit events as a table, as lines of JSON, as CSV (RFC 4180).
 *
 * The keeper has joined a call's outcome to its decision, but for those that are followed.
 */
#ifndef AV_CLI_AUDIT_VIEW_H
#define AV_CLI_AUDIT_VIEW_H

#include "base/str.h"

#include <stdint.h>

struct cJSON;

/* Each returns the exit code. */
int audit_print_table(struct str events);
int audit_print_lines(struct str events);
/* A line to read for each, in their order, without titles. */
int audit_print_stream(struct str events);
int audit_print_csv(struct str events);
/* The `id` of the last event, 0 without one; *count: how many there are. */
double audit_last_id(struct str events, uint64_t *count);
/* Of audit.verify's answer: what is wrong, and where. */
void audit_describe_problem(const struct cJSON *report, char *out, size_t out_len);

#endif
