/* SPDX-License-Identifier: Apache-2.0 */
/* Input: a host, as an operator or a script might give it. */
#include "reach/host.h"

#include <stdint.h>
#include <stdlib.h>

#define MUST(x)                  \
	do {                     \
		if (!(x))        \
			abort(); \
	} while (0)

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct str s = {(const char *)data, size};
	struct str name, same, exact;
	struct fault f = {0};
	uint16_t port;
	bool wildcard, dot = false;

	if (host_parse(s, true, &name, &port, &f) != AV_OK) {
		MUST(f.reason[0] != '\0' && name.len == 0);
		MUST(host_parse(s, false, &name, &port, NULL) != AV_OK);
		return 0;
	}
	MUST(name.len > 2 && name.len <= 253 && name.len <= size);
	wildcard = str_starts(name, STR_LIT("*."));
	MUST((host_parse(s, false, &exact, &port, NULL) == AV_OK) == !wildcard);
	MUST(
	    host_parse(name, true, &same, &port, NULL) == AV_OK && str_eq(name, same) && port == 0);
	for (size_t i = wildcard ? 2 : 0; i < name.len; i++) {
		char c = name.p[i];
		MUST((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.');
		dot = dot || c == '.';
	}
	MUST(dot);
	MUST(wildcard || host_matches(s, name));
	if (wildcard) {
		struct str apex = {name.p + 2, name.len - 2};
		MUST(!host_matches(s, apex));
		MUST(host_parse(apex, false, &exact, &port, NULL) == AV_OK);
	}
	return 0;
}
