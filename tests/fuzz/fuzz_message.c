/* SPDX-License-Identifier: Apache-2.0 */
/* Input: a byte (bit 0: response, bit 1: answer to HEAD), a byte (size of the pieces), then bytes
 * of a connection. Whole or in pieces, the messages must come out the same. */
#include "http/message.h"

#include "base/buf.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define MUST(x)                  \
	do {                     \
		if (!(x))        \
			abort(); \
	} while (0)
#define MAX_MESSAGES 4u

/* All that came out, as text; and where the input stood at the end. */
struct outcome {
	struct buf text;
	size_t used;
	enum av_err err;
};

static void
note_head(struct buf *out, struct message *m)
{
	const struct header_list *l = message_headers(m);
	uint64_t length = 0;

	MUST(l->count <= HEADER_MAX_COUNT && l->bytes <= HEADER_MAX_BYTES);
	(void)message_content_length(m, &length);
	MUST(!message_is_chunked(m) || length == 0);
	buf_appendf(out, "<%u %.*s %.*s %d%d%d %llu>", message_status(m),
	    STR_FMT(message_method(m)), STR_FMT(message_target(m)), message_keep_alive(m),
	    message_is_upgrade(m), message_is_chunked(m), (unsigned long long)length);
	for (size_t i = 0; i < l->count; i++) {
		MUST(header_name_is_valid(l->items[i].name));
		MUST(header_value_is_valid(l->items[i].value));
		buf_appendf(out, "<%.*s: ", STR_FMT(l->items[i].name));
		buf_append(out, l->items[i].value.p, l->items[i].value.len);
		buf_append_byte(out, '>');
	}
}

static void
run(struct outcome *o, enum message_kind kind, bool head_request, const uint8_t *in, size_t len,
    size_t step)
{
	enum message_event event = MESSAGE_NEED_MORE;
	size_t end = step < len ? step : len, messages = 0;
	struct message *m;

	memset(o, 0, sizeof(*o));
	buf_init(&o->text, 16u << 20);
	MUST(message_new(kind, head_request, &m) == AV_OK);
	for (;;) {
		struct fault f = {0};
		struct str body;
		size_t used;
		o->err = message_feed(m, in + o->used, end - o->used, &used, &event, &body, &f);
		MUST(used <= end - o->used);
		o->used += used;
		if (o->err != AV_OK) {
			MUST(f.reason[0] != '\0' && !message_keep_alive(m));
			buf_appendf(&o->text, "<%s>", f.reason);
			break;
		}
		if (event == MESSAGE_HEAD)
			note_head(&o->text, m);
		else if (event == MESSAGE_BODY)
			MUST(body.len > 0 && buf_append(&o->text, body.p, body.len) == AV_OK);
		else if (event == MESSAGE_DONE) {
			buf_append_str(&o->text, "<done>");
			if (++messages == MAX_MESSAGES || !message_keep_alive(m))
				break;
			message_reset(m, head_request);
		} else if (end == len) {
			o->err = message_eof(m, &event);
			MUST(o->used == len);
			break;
		} else {
			end = len - end < step ? len : end + step;
		}
	}
	message_free(m);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct outcome whole, pieces;
	enum message_kind kind;
	bool head_request;

	if (size < 2)
		return 0;
	kind = data[0] & 1 ? MESSAGE_RESPONSE : MESSAGE_REQUEST;
	head_request = kind == MESSAGE_RESPONSE && (data[0] & 2) != 0;
	run(&whole, kind, head_request, data + 2, size - 2, size);
	run(&pieces, kind, head_request, data + 2, size - 2, 1u + data[1] % 32u);
	MUST(whole.err == pieces.err);
	MUST(whole.err != AV_OK || whole.used == pieces.used);
	MUST(whole.text.len == pieces.text.len);
	MUST(whole.text.len == 0 || memcmp(whole.text.data, pieces.text.data, whole.text.len) == 0);
	buf_clear(&whole.text);
	buf_clear(&pieces.text);
	return 0;
}
