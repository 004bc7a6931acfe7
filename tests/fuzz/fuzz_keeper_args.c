/* SPDX-License-Identifier: Apache-2.0 */
/* Arguments of operator calls: whatever is taken has the stated shape. */
#include "keeper/json.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const spec[] = {
	    "s:name", "b:create", "n:limit", "l:aliases", "p:authHeaders", NULL};
	struct string_list list = {0};
	struct pair_list pairs = {0};
	struct fault f = {0};
	cJSON *args = NULL;
	if (json_args((struct str){(const char *)data, size}, spec, &args, &f) != AV_OK) {
		if (f.err == AV_OK || args != NULL)
			abort();
		return 0;
	}
	struct str name = arg_text(args, "name");
	if (!str_is_utf8(name) || arg_number(args, "limit", 0) < 0)
		abort();
	if (arg_list(args, "aliases", &list) == AV_OK && list.count > size)
		abort();
	if (arg_pairs(args, "authHeaders", &pairs) == AV_OK && pairs.count > size)
		abort();
	string_list_clear(&list);
	pair_list_clear(&pairs);
	cJSON_Delete(args);
	return 0;
}
