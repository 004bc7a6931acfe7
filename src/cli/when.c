/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/when.h"

#include "base/clock.h"

#include <string.h>
#include <time.h>

#define AGO_MAX_S (100u * 366u * 86400u)

/* `width` decimal digits at the front of *s. */
static bool
take_digits(struct str *s, size_t width, int min, int max, int *out)
{
	int v = 0;

	if (s->len < width)
		return false;
	for (size_t i = 0; i < width; i++) {
		if (s->p[i] < '0' || s->p[i] > '9')
			return false;
		v = v * 10 + (s->p[i] - '0');
	}
	s->p += width;
	s->len -= width;
	*out = v;
	return v >= min && v <= max;
}

static bool
take_char(struct str *s, char c)
{
	if (s->len == 0 || s->p[0] != c)
		return false;
	s->p++;
	s->len--;
	return true;
}

static bool
parse_date(struct str s, int64_t *out_ms)
{
	struct tm tm, day;
	time_t t;

	memset(&tm, 0, sizeof(tm));
	if (!take_digits(&s, 4, 1970, 9999, &tm.tm_year) || !take_char(&s, '-') ||
	    !take_digits(&s, 2, 1, 12, &tm.tm_mon) || !take_char(&s, '-') ||
	    !take_digits(&s, 2, 1, 31, &tm.tm_mday))
		return false;
	if (s.len > 0) {
		if (!take_char(&s, 'T') || !take_digits(&s, 2, 0, 23, &tm.tm_hour) ||
		    !take_char(&s, ':') || !take_digits(&s, 2, 0, 59, &tm.tm_min) ||
		    !take_char(&s, ':') || !take_digits(&s, 2, 0, 60, &tm.tm_sec) ||
		    !take_char(&s, 'Z') || s.len != 0)
			return false;
	}
	tm.tm_year -= 1900;
	tm.tm_mon -= 1;
	/* A day that the month does not have would become one of the next month. */
	day = (struct tm){.tm_year = tm.tm_year, .tm_mon = tm.tm_mon, .tm_mday = tm.tm_mday};
	if (timegm(&day) == (time_t)-1 || day.tm_mday != tm.tm_mday)
		return false;
	t = timegm(&tm);
	*out_ms = (int64_t)t * 1000;
	return t != (time_t)-1;
}

enum av_err
when_parse_at(struct str s, int64_t now_ms, int64_t *out_ms)
{
	uint64_t n;

	if (s.len >= 12 && str_to_u64(s, 0, (uint64_t)1 << 52, &n) == AV_OK) {
		*out_ms = (int64_t)n;
		return AV_OK;
	}
	if (str_to_seconds(s, AGO_MAX_S, &n) == AV_OK) {
		*out_ms = now_ms - (int64_t)n * 1000;
		return AV_OK;
	}
	return parse_date(s, out_ms) ? AV_OK : AV_EFORMAT;
}

enum av_err
when_parse(struct str s, int64_t *out_ms)
{
	return when_parse_at(s, clock_wall_ms(), out_ms);
}
