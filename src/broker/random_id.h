/* SPDX-License-Identifier: Apache-2.0 */
/*
 * random_id.h - the id of a request, as lower-case hex: 6 bytes of wall-clock milliseconds, then 10 of
 * the kernel's randomness (the order of RFC 9562 version 7, without its version bits).
 *
 * Time comes first so that the audit log's index grows at its end: wholly random ids made each row
 * rewrite a page of its own. An id names a request and gives no right, so 80 random bits are enough.
 */
#ifndef AV_BROKER_RANDOM_ID_H
#define AV_BROKER_RANDOM_ID_H

#include "base/err.h"

#define RANDOM_ID_LEN 32u
#define RANDOM_ID_TIME_BYTES 6u

enum av_err random_id(char out[RANDOM_ID_LEN + 1]) AV_MUST_USE;

#endif
