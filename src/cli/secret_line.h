/* SPDX-License-Identifier: Apache-2.0 */
/*
 * secret_line.h - one line typed or pasted on a terminal, byte by byte, as the terminal sends it.
 *
 * Return ends it, backspace takes the last character back, ^U all of them, ^C gives up, ^D ends it
 * while it is empty. The marks around a bracketed paste (ESC [ 200 ~ and ESC [ 201 ~) are dropped.
 * Any other control byte, text after the line's end and a line over its limit are refused: a secret
 * is stored as it was meant or not at all.
 */
#ifndef AV_CLI_SECRET_LINE_H
#define AV_CLI_SECRET_LINE_H

#include "base/buf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SECRET_LINE_MARK 6u /* bytes of a paste's mark */

enum line_state {
	LINE_OPEN,
	LINE_ENDED, /* what comes now may be line ends and marks only */
	LINE_INTERRUPTED,
	LINE_CONTROL, /* refused: a control byte */
	LINE_MORE, /* refused: more than one line */
	LINE_TOO_LONG
};

struct secret_line {
	struct buf *out; /* borrowed */
	size_t max;
	enum line_state state;
	size_t mark; /* bytes of a mark that have come */
	uint8_t mark_kind; /* its fourth byte: '0' begins a paste, '1' ends one */
	bool pasting;
	bool broken; /* a line end came inside the paste */
};

/* The line's bytes go to *out, at most `max` of them. */
void secret_line_init(struct secret_line *l, struct buf *out, size_t max);
/* Takes the next byte. Once refused or interrupted it stays so, whatever comes. */
void secret_line_take(struct secret_line *l, uint8_t c);

#endif
