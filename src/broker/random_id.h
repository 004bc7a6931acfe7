/* SPDX-License-Identifier: Apache-2.0 */
/* random_id.h - the id of a request: 16 bytes of the kernel's randomness as lower-case hex. */
#ifndef AV_BROKER_RANDOM_ID_H
#define AV_BROKER_RANDOM_ID_H

#include "base/err.h"

#define RANDOM_ID_LEN 32u

enum av_err random_id(char out[RANDOM_ID_LEN + 1]) AV_MUST_USE;

#endif
