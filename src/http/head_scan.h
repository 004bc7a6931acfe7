/* SPDX-License-Identifier: Apache-2.0 */
/*
 * head_scan.h - the line structure of a message head or a trailer, byte by byte.
 *
 * Lines end in CR LF and nothing else; no control byte but HTAB; a field line is a token, ':' and
 * the rest; no line begins with a blank (obsolete folding, RFC 9112 5.2). Stops after the empty
 * line. Keeps no text, so that the verdict does not depend on how the input was cut.
 */
#ifndef AV_HTTP_HEAD_SCAN_H
#define AV_HTTP_HEAD_SCAN_H

#include "base/err.h"
#include "base/str.h"

struct head_scan {
	size_t total; /* bytes so far */
	size_t line; /* 0: the start line */
	size_t column;
	bool cr; /* the last byte was CR */
	bool in_name;
	bool done; /* the empty line was seen */
};

/* With `start_line`, the first line is free text; without, all are field lines (a trailer). */
void head_scan_init(struct head_scan *s, bool start_line);
/* Takes bytes up to and with the end of a line, or all; *used says how many. *line_end: a line
 * just ended. An empty start line is reported as a line of no columns, never as the end. */
enum av_err head_scan_line(struct head_scan *s, const uint8_t *in, size_t len, size_t *used,
    bool *line_end, struct fault *f) AV_MUST_USE;

#endif
