/* SPDX-License-Identifier: Apache-2.0 */
/* clock.h - the two clocks: wall (ms since 1970, for rows and windows), monotonic (for deadlines). */
#ifndef AV_BASE_CLOCK_H
#define AV_BASE_CLOCK_H

#include <stdint.h>

int64_t clock_wall_ms(void);
uint64_t clock_mono_ns(void);
uint64_t clock_mono_ms(void);

#endif
