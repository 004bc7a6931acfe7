/* SPDX-License-Identifier: Apache-2.0 */
/* Input: an envelope. What is accepted is within its limits, its text is whole UTF-8, and one byte
 * less of it is not accepted as the same envelope. */
#include "broker/envelope.h"

#include <stdlib.h>
#include <string.h>

#define MUST(x)                  \
	do {                     \
		if (!(x))        \
			abort(); \
	} while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str text = {size > 0 ? (const char *)data : "", size};
	struct envelope v;
	struct fault f = {0};
	enum av_err e;

	envelope_init(&v);
	e = envelope_parse(&v, text, &f);
	if (e != AV_OK) {
		MUST(f.err == e && f.reason[0] != '\0' && f.message[0] != '\0');
	} else {
		MUST(str_is_utf8(text));
		MUST(v.capability.len <= ENVELOPE_ID_MAX && v.headers.count <= HEADER_MAX_COUNT);
		MUST(v.body.len <= size);
		MUST(data[size - 1] == '}' || strchr(" \t\r\n", data[size - 1]) != NULL);
	}
	envelope_clear(&v);
	return 0;
}
