/* SPDX-License-Identifier: Apache-2.0 */
/* Input: a byte (bit 0: to a HEAD, bit 1: read as an answer of the daemon's own), then all that the
 * daemon says on the agent socket. The command line takes one answer, in order, or says what is
 * wrong with it. */
#include "base/io.h"
#include "cli/answer.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define MUST(x)                  \
	do {                     \
		if (!(x))        \
			abort(); \
	} while (0)

#define ANSWER_BYTES_MAX 65536u

struct seen {
	unsigned heads;
	size_t bytes;
};

static enum av_err
on_head(void *ctx, unsigned status, struct header_list *headers, struct fault *f)
{
	struct seen *seen = ctx;

	(void)f;
	MUST(seen->heads == 0 && seen->bytes == 0 && status >= 200 && status <= 999);
	for (size_t i = 0; i < headers->count; i++)
		MUST(header_name_is_valid(headers->items[i].name) &&
		    header_value_is_valid(headers->items[i].value));
	MUST(header_list_find(headers, STR_LIT("aivault-error")) == NULL);
	seen->heads++;
	return AV_OK;
}

static enum av_err
on_body(void *ctx, struct str bytes, struct fault *f)
{
	struct seen *seen = ctx;

	(void)f;
	MUST(seen->heads == 1 && bytes.len > 0);
	seen->bytes += bytes.len;
	return AV_OK;
}

static void
check_only(const uint8_t *data, size_t size)
{
	struct answer a;
	struct buf out;
	struct fault f = {0};

	answer_init(&a);
	buf_init(&out, 1024);
	MUST(buf_append(&a.body, data, size) == AV_OK);
	if (answer_only(&a, "methods", "method", &out, &f) != AV_OK)
		MUST(f.err != AV_OK && f.message[0] != '\0');
	buf_clear(&out);
	answer_clear(&a);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct client_request r = {.target = STR_LIT("/i/a/b/-/c"), .body_fd = -1};
	struct seen seen = {0, 0};
	struct client_handler h = {&seen, on_head, on_body};
	struct header_list none;
	struct own_error own;
	struct fault f = {0};
	char code[64] = "";
	enum av_err e;
	int ends[2];

	if (size == 0 || size > ANSWER_BYTES_MAX)
		return 0;
	if ((data[0] & 2) != 0)
		check_only(data + 1, size - 1);
	r.method = (data[0] & 1) != 0 ? STR_LIT("HEAD") : STR_LIT("GET");
	header_list_init(&none);
	r.headers = &none;
	MUST(io_socketpair(ends) == AV_OK && io_write_all(ends[1], data + 1, size - 1) == AV_OK);
	MUST(shutdown(ends[1], SHUT_WR) == 0);
	own_error_init(&own, &h);
	e = client_exchange(ends[0], &r, own_error_handler(&own), &f);
	MUST(e != AV_OK || own.ours || seen.heads == 1);
	MUST(!own.ours || seen.heads == 0);
	MUST(e == AV_OK || (f.err == e && f.message[0] != '\0'));
	MUST((data[0] & 1) == 0 || seen.bytes == 0);
	e = own_error_finish(&own, e, code, sizeof(code), &f);
	MUST(e == AV_OK || (f.err == e && f.message[0] != '\0'));
	MUST(!own.ours || (e != AV_OK && strlen(code) < sizeof(code)));
	header_list_clear(&none);
	io_close(&ends[0]);
	io_close(&ends[1]);
	return 0;
}
