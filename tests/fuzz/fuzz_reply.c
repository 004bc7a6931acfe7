/* SPDX-License-Identifier: Apache-2.0 */
/* Input: all that the daemon says on the operator socket. The command line takes one result from
 * it, or says what is wrong; what it then shows has no byte that a terminal would obey. */
#include "base/io.h"
#include "cli/operator.h"
#include "cli/print.h"

#include <stdlib.h>
#include <sys/socket.h>

#define MUST(x)                  \
	do {                     \
		if (!(x))        \
			abort(); \
	} while (0)

#define REPLY_MAX 65536u

static void
check_shown(struct str s)
{
	struct buf out;

	buf_init(&out, 8 * REPLY_MAX);
	MUST(escape_text(&out, s, REPLY_MAX) == AV_OK);
	for (size_t i = 0; i < out.len; i++)
		MUST(out.data[i] >= 0x20 && out.data[i] != 0x7f);
	MUST(out.len == 0 || str_is_utf8((struct str){(const char *)out.data, out.len}));
	buf_clear(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str none = {NULL, 0};
	struct fault f = {0};
	struct buf result;
	enum av_err e;
	int ends[2];

	if (size > REPLY_MAX)
		return 0;
	buf_init(&result, REPLY_MAX);
	MUST(io_socketpair(ends) == AV_OK && io_write_all(ends[1], data, size) == AV_OK);
	MUST(shutdown(ends[1], SHUT_WR) == 0);
	e = operator_call(ends[0], "status", "{}", none, &result, &f);
	if (e != AV_OK) {
		MUST(f.err == e);
		check_shown(str_of(f.message));
		check_shown(str_of(f.remedy));
	} else {
		check_shown((struct str){(const char *)result.data, result.len});
	}
	buf_clear(&result);
	io_close(&ends[0]);
	io_close(&ends[1]);
	return 0;
}
