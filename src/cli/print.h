/* SPDX-License-Identifier: Apache-2.0 */
/*
 * print.h - everything that people read: the one error line, headings, tables, JSON.
 *
 * Colour only on a terminal and never with NO_COLOR set. Text that came from elsewhere is escaped:
 * control bytes, invalid UTF-8 and characters that turn the direction of text become \xNN.
 */
#ifndef AV_CLI_PRINT_H
#define AV_CLI_PRINT_H

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/* `aivault: <code>: <message>. <remedy>.` on standard error. Returns the exit code. */
int print_fault(const struct fault *f);
/* The same with a code of its own ("not_supported", or what the daemon sent). Returns 1. */
int print_failure(const char *code, const char *message, const char *remedy);
/* A line for standard error that is no error: `aivault: <text>`. */
void print_note(struct str text);

bool print_has_colour(FILE *to);
void print_heading(const char *text);
/* "  Label:  value", the label padded to `width`. */
void print_field(const char *label, int width, const char *value);
/* Escaped and cut to `max` bytes of input; `out` is a fresh buffer. */
enum av_err escape_text(struct buf *out, struct str s, size_t max);
/* "1 secret", "2 secrets", "3 capabilities". */
void plural(char *out, size_t out_len, uint64_t n, const char *one, const char *many);

/* Valid JSON text, laid out anew with 2 spaces; tokens stay byte for byte as they were. */
enum av_err json_layout(struct buf *out, struct str text, unsigned depth) AV_MUST_USE;
/* JSON text whose strings a terminal shows as they are: what changes how a line looks, or does not show,
 * (C1 controls, direction marks, characters of no width) becomes \uXXXX, which says the same. */
enum av_err json_escape(struct buf *out, struct str text) AV_MUST_USE;
/* Both, with a newline, to standard output. Returns the exit code. */
int print_json(struct str text);
/* The same for the answer to what is done already ("the secret was stored"; "": nothing was), which
 * is said where the answer is lost. */
int print_json_of(struct str text, const char *done);
/* Writes and flushes; the exit code: 0, or 1 where standard output took it not, and that is said. */
int print_bytes(struct str bytes);
/* Standard output could not be written, errno says why: tells it, but not of a reader that went away
 * (`| head`). What is printed from now on is dropped, so that it is told once. Returns 1. */
int print_lost(const char *done);
/* At the end of a command with the exit code `rc`: writes what printf() left. Returns the exit code. */
int print_finish(int rc);

/* A table with right widths: cells are added row by row. */
#define TABLE_MAX_COLUMNS 12u
struct table {
	const char *titles[TABLE_MAX_COLUMNS];
	size_t columns;
	char **cells;
	size_t count;
	size_t cap;
};
void table_init(struct table *t, const char *const *titles, size_t columns);
enum av_err table_add(struct table *t, struct str cell) AV_MUST_USE; /* escapes it */
void table_print(const struct table *t, FILE *to);
void table_clear(struct table *t);

#endif
