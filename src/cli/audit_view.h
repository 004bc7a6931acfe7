/* SPDX-License-Identifier: Apache-2.0 */
/*
 * audit_view.h - a JSON array of audit events as a table, as lines of JSON, as CSV (RFC 4180).
 *
 * In the table a call is one row: its outcome is joined to its decision by the request id.
 */
#ifndef AV_CLI_AUDIT_VIEW_H
#define AV_CLI_AUDIT_VIEW_H

#include "base/str.h"

/* Each returns the exit code. */
int audit_print_table(struct str events);
int audit_print_lines(struct str events);
/* A line to read for each, in their order, without titles. */
int audit_print_stream(struct str events);
int audit_print_csv(struct str events);

#endif
