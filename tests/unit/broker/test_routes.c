/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "broker/routes.h"

static void
test_each_route_has_its_handler(void **state)
{
	static const struct {
		const char *method;
		const char *target;
		enum route_kind kind;
		const char *rest;
	} rows[] = {
	    {"GET", "/i/openai/models/-/v1/models?x=1", ROUTE_INVOKE, "openai/models/-/v1/models"},
	    {"DELETE", "/i/", ROUTE_INVOKE, ""},
	    {"GET", "/aivault/health", ROUTE_HEALTH, ""},
	    {"GET", "/aivault/health?now", ROUTE_HEALTH, ""},
	    {"POST", "/aivault/health", ROUTE_METHOD, ""},
	    {"HEAD", "/aivault/health", ROUTE_METHOD, ""},
	    {"GET", "/aivault/capabilities", ROUTE_CAPABILITIES, ""},
	    {"GET", "/aivault/capabilities/openai/models", ROUTE_CAPABILITY, "openai/models"},
	    {"PUT", "/aivault/capabilities/openai/models", ROUTE_METHOD, ""},
	    {"POST", "/aivault/proxy", ROUTE_PROXY, ""},
	    {"GET", "/aivault/proxy", ROUTE_METHOD, ""},
	    {"GET", "/v/openai/v1/models", ROUTE_UNSUPPORTED, "openai/v1/models"},
	    {"GET", "/", ROUTE_NONE, ""},
	    {"GET", "/i", ROUTE_NONE, ""},
	    {"GET", "/aivault/healthy", ROUTE_NONE, ""},
	    {"GET", "/aivault/secrets", ROUTE_NONE, ""},
	    {"POST", "/aivault/tokens/proxy", ROUTE_NONE, ""},
	    {"GET", "/I/openai/models/-/v1/models", ROUTE_NONE, ""},
	    {"GET", "//i/openai", ROUTE_NONE, ""},
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct str rest;
		enum route_kind kind =
		    route_find(str_of(rows[i].method), str_of(rows[i].target), &rest);

		if (kind != rows[i].kind || !str_eq_cstr(rest, rows[i].rest))
			fail_msg("%s %s: route %d, rest %.*s", rows[i].method, rows[i].target,
			    (int)kind, STR_FMT(rest));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_each_route_has_its_handler),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
