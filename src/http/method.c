/* SPDX-License-Identifier: Apache-2.0 */
#include "http/method.h"

bool
method_is_known(struct str method)
{
	static const char *const known[] = {
	    "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (str_eq_cstr(method, known[i]))
			return true;
	return false;
}
