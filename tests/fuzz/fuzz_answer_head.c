/* SPDX-License-Identifier: Apache-2.0 */
/* Input: the head of an upstream's answer. What is taken are whole fields; a length is believed only
 * where it is one plain number that nothing contradicts. */
#include "broker/answer_head.h"

#include <stdlib.h>
#include <string.h>

#define MUST(x)                                                                                    \
	do {                                                                                       \
		if (!(x))                                                                          \
			abort();                                                                   \
	} while (0)

static void
check_head(const struct header_list *l)
{
	uint64_t length = answer_head_length(l), n = 0;

	MUST(l->count <= HEADER_MAX_COUNT && l->bytes <= HEADER_MAX_BYTES);
	for (size_t i = 0; i < l->count; i++) {
		MUST(header_name_is_valid(l->items[i].name));
		MUST(header_value_is_valid(l->items[i].value));
	}
	if (length == UINT64_MAX)
		return;
	MUST(header_list_count(l, STR_LIT("content-length")) == 1 && !answer_head_is_coded(l));
	MUST(header_list_count(l, STR_LIT("transfer-encoding")) == 0);
	MUST(str_to_u64(header_list_find(l, STR_LIT("content-length"))->value, length, length, &n) ==
	     AV_OK);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *reason = NULL;
	struct header_list l;
	bool end = false;
	enum av_err e = AV_OK;

	header_list_init(&l);
	while (e == AV_OK && !end && size > 0) {
		const uint8_t *lf = memchr(data, '\n', size);
		size_t n = lf == NULL ? size : (size_t)(lf - data) + 1;

		e = answer_head_take(&l, (struct str){(const char *)data, n}, &end, &reason);
		MUST(e == AV_OK ? reason == NULL : strncmp(reason, "upstream_", 9) == 0);
		data += n;
		size -= n;
	}
	check_head(&l);
	header_list_clear(&l);
	return 0;
}
