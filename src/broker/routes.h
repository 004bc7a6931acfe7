/* SPDX-License-Identifier: Apache-2.0 */
/*
 * routes.h - one table: method, path, handler. What is not in it is answered with 404.
 */
#ifndef AV_BROKER_ROUTES_H
#define AV_BROKER_ROUTES_H

#include "base/str.h"

#include <stdbool.h>

struct session;

enum route_kind {
	ROUTE_NONE = 0, /* 404 */
	ROUTE_METHOD, /* 405: the path is known, the method is not */
	ROUTE_INVOKE, /* ANY /i/... */
	ROUTE_PROXY, /* POST /aivault/proxy */
	ROUTE_CAPABILITIES, /* GET /aivault/capabilities */
	ROUTE_CAPABILITY, /* GET /aivault/capabilities/<id> */
	ROUTE_HEALTH, /* GET /aivault/health */
	ROUTE_UNSUPPORTED, /* known names of later: 501 */
};

/* `target` is a raw origin-form target. *rest gets what follows a prefix route, without query. */
enum route_kind route_find(struct str method, struct str target, struct str *rest);
/* Hands the exchange whose head just came to its handler. */
void routes_dispatch(struct session *s);

#endif
