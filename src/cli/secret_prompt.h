/* SPDX-License-Identifier: Apache-2.0 */
/*
 * secret_prompt.h - asks for one line on a terminal, without echo.
 *
 * The terminal hands over each byte as it comes (non-canonical mode), since the kernel's own line
 * editing would cut a line after 4,095 bytes. Its mode is put back on every way out: signals that end
 * or stop the process wait until that is done, and take effect then.
 */
#ifndef AV_CLI_SECRET_PROMPT_H
#define AV_CLI_SECRET_PROMPT_H

#include "base/buf.h"
#include "base/err.h"

#include <stddef.h>

/* Appends at most `max` bytes to *out, which the caller clears. `file_option`: the option, without
 * "--", that takes from a file what cannot be typed. What is refused leaves *out empty. */
enum av_err secret_prompt(int fd, const char *prompt, const char *file_option, size_t max,
    struct buf *out, struct fault *f) AV_MUST_USE;

#endif
