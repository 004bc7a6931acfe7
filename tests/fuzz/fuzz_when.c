/* SPDX-License-Identifier: Apache-2.0 */
/* Input: a point in time, a duration, a number or a mode, as it stands on a command line. */
#include "cli/when.h"
#include "daemon/options.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define MUST(x)                  \
	do {                     \
		if (!(x))        \
			abort(); \
	} while (0)

#define NOW_MS 1700000000000

/* A number has one form only. */
static void
check_numbers(struct str s)
{
	uint64_t n = 0, seconds = 0;
	char again[32];

	if (str_to_u64(s, 3, UINT64_MAX, &n) == AV_OK) {
		(void)snprintf(again, sizeof(again), "%" PRIu64, n);
		MUST(n >= 3 && str_eq_cstr(s, again));
	}
	if (str_to_seconds(s, 1000000, &seconds) == AV_OK) {
		MUST(seconds <= 1000000 && s.len > 0);
		MUST(strchr("0123456789smhd", s.p[s.len - 1]) != NULL);
	}
}

static void
check_time(struct str s)
{
	int64_t ms = 0;
	char again[64];
	struct tm tm;
	time_t t;

	if (when_parse_at(s, NOW_MS, &ms) != AV_OK)
		return;
	if (s.len < 10 || s.p[4] != '-') {
		MUST(ms <= NOW_MS || s.len >= 12);
		return;
	}
	/* A date that is one comes out again; the 31st of a shorter month is the next one's. */
	t = (time_t)(ms / 1000);
	MUST(ms >= 0 && gmtime_r(&t, &tm) != NULL);
	MUST(strftime(again, sizeof(again), "%Y-%m-%dT%H:%M:%SZ", &tm) > 0);
	if (tm.tm_mday > 3 && tm.tm_sec > 0)
		MUST(memcmp(again, s.p, s.len < 20 ? s.len : 20) == 0);
}

static void
check_mode(struct str s)
{
	mode_t mode = 0;
	char *text = str_dup(s);

	if (text != NULL && options_parse_mode(text, &mode) == AV_OK)
		MUST(mode <= 0777);
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str s = {size > 0 ? (const char *)data : "", size};

	if (size > 64)
		return 0;
	check_numbers(s);
	check_time(s);
	check_mode(s);
	return 0;
}
