/* SPDX-License-Identifier: Apache-2.0 */
/* Bodies of stored rows: a first byte picks the kind. A row that is not ours becomes a record with a
 * fault, never a crash. */
#include "vault/credential.h"
#include "vault/secret_record.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct builtin none = {0};
	if (size < 1)
		return 0;
	struct row row = {.version = 1,
	    .genuine = (data[0] & 2) != 0,
	    .body = {(const char *)data + 1, size - 1}};
	if (data[0] & 1) {
		struct secret_record r;
		row.id = STR_LIT("00000000-0000-4000-8000-000000000000");
		if (secret_record_decode(&row, &r) == AV_OK && !row.genuine && r.fault.err == AV_OK)
			abort();
		secret_record_clear(&r);
	} else {
		struct credential c;
		row.id = STR_LIT("acme");
		if (credential_decode(&row, &none, &c) == AV_OK && !row.genuine &&
		    c.fault.err == AV_OK)
			abort();
		credential_clear(&c);
	}
	return 0;
}
