/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/lib.h"

#define DAY_MS 86400000
#define YEARS_MS 253402300800000 /* to the end of the year 9999 */

/* Year, month and day of a day number since 1970-01-01 (proleptic Gregorian): counts in eras of 400
 * years that begin on the first of March, where the leap day is a year's last. */
static void
civil_date(lua_Integer days, lua_Integer *year, lua_Integer *month, lua_Integer *day)
{
	lua_Integer z = days + 719468;
	lua_Integer era = z / 146097;
	lua_Integer in_era = z - era * 146097;
	lua_Integer y = (in_era - in_era / 1460 + in_era / 36524 - in_era / 146096) / 365;
	lua_Integer in_year = in_era - (365 * y + y / 4 - y / 100);
	lua_Integer m = (5 * in_year + 2) / 153;
	*day = in_year - (153 * m + 2) / 5 + 1;
	*month = m < 10 ? m + 3 : m - 9;
	*year = y + era * 400 + (*month <= 2 ? 1 : 0);
}

static void
set_number(lua_State *L, const char *name, lua_Integer value)
{
	lua_pushinteger(L, value);
	lua_setfield(L, -2, name);
}

/* time.parts(ms [, minutes east of UTC]) -> year month day hour minute second weekday (1: Monday) */
static int
time_parts(lua_State *L)
{
	lua_Integer ms = arg_int(L, 1), offset = arg_int_or(L, 2, 0);
	if (offset < -1440 || offset > 1440) {
		script_error(L, "time.parts: the offset is in minutes, -1440 to 1440");
	}
	if (ms < 0 || ms >= YEARS_MS) {
		script_error(L, "time.parts: the time must be in the years 1970 to 9999");
	}
	ms += offset * 60000 + DAY_MS; /* one day on: never negative below */
	lua_Integer days = ms / DAY_MS, in_day = ms % DAY_MS / 1000, year, month, day;
	civil_date(days - 1, &year, &month, &day);
	lua_createtable(L, 0, 7);
	set_number(L, "year", year);
	set_number(L, "month", month);
	set_number(L, "day", day);
	set_number(L, "hour", in_day / 3600);
	set_number(L, "minute", in_day / 60 % 60);
	set_number(L, "second", in_day % 60);
	set_number(L, "weekday", (days + 2) % 7 + 1); /* 1970-01-01 was a Thursday: 4 */
	return 1;
}

void
lib_time_open(lua_State *L)
{
	static const struct lib_function functions[] = {{"parts", time_parts}};
	lib_register(L, "time", functions, LIB_ARRAY_LEN(functions));
}
