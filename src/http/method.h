/* SPDX-License-Identifier: Apache-2.0 */
/* method.h - the request methods that aivault passes on. */
#ifndef AV_HTTP_METHOD_H
#define AV_HTTP_METHOD_H

#include "base/str.h"

#include <stdbool.h>

/* The methods that a request may have: GET HEAD POST PUT PATCH DELETE OPTIONS (exact case). */
bool method_is_known(struct str method);

#endif
