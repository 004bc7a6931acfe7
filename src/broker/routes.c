/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/routes.h"

#include "broker/invoke.h"
#include "broker/keeper_client.h"
#include "broker/proxy.h"
#include "broker/request.h"
#include "broker/session.h"

#include <stdlib.h>

struct route {
	const char *method; /* NULL = any */
	const char *path;
	bool prefix;
	enum route_kind kind;
};

static const struct route routes[] = {
    {NULL, "/i/", true, ROUTE_INVOKE},
    {"GET", "/aivault/health", false, ROUTE_HEALTH},
    {"GET", "/aivault/capabilities", false, ROUTE_CAPABILITIES},
    {"GET", "/aivault/capabilities/", true, ROUTE_CAPABILITY},
    {"POST", "/aivault/proxy", false, ROUTE_PROXY},
    {NULL, "/v/", true, ROUTE_UNSUPPORTED},
};

enum route_kind
route_find(struct str method, struct str target, struct str *rest)
{
	enum route_kind found = ROUTE_NONE;
	struct str path = target, query;
	size_t i;

	(void)str_cut(target, '?', &path, &query);
	*rest = (struct str){path.p, 0};
	for (i = 0; i < sizeof(routes) / sizeof(routes[0]); i++) {
		struct str p = str_of(routes[i].path);

		if (routes[i].prefix ? !str_starts(path, p) : !str_eq(path, p))
			continue;
		if (routes[i].method != NULL && !str_eq_cstr(method, routes[i].method)) {
			found = ROUTE_METHOD;
			continue;
		}
		*rest = (struct str){path.p + p.len, path.len - p.len};
		return routes[i].kind;
	}
	return found;
}

/* ---- /aivault/health ------------------------------------------------------------------------- */

static void
route_health(struct session *s)
{
	const struct keeper_client *k = session_broker(s)->keeper;
	struct buf json;

	buf_init(&json, 1024);
	(void)buf_appendf(&json, "{\"ok\":%s,\"version\":\"%s\",\"locked\":%s}\n",
	    keeper_client_is_up(k) ? "true" : "false", AV_VERSION,
	    keeper_client_locked(k) ? "true" : "false");
	session_json(s, 200, (struct str){(const char *)json.data, json.len});
	buf_clear(&json);
}

/* ---- /aivault/capabilities ------------------------------------------------------------------- */

struct listing {
	struct session *s;
	bool gone; /* the client went away */
	bool pending; /* the keeper still owes an answer */
	bool ended; /* the exchange is over */
};

static size_t
listing_room(void *ctx)
{
	(void)ctx;
	return 0; /* a body, if any, is dropped after the answer */
}

static void
listing_body(void *ctx, struct str bytes)
{
	(void)ctx;
	(void)bytes;
}

static void
listing_nothing(void *ctx)
{
	(void)ctx;
}

static void
listing_bad(void *ctx, const struct fault *f)
{
	struct listing *l = ctx;

	l->ended = true;
	session_problem(l->s, f, 0);
}

static void
listing_gone(void *ctx)
{
	struct listing *l = ctx;

	l->gone = true;
}

static const struct exchange_ops listing_ops = {
    .room = listing_room,
    .body = listing_body,
    .body_end = listing_nothing,
    .drained = listing_nothing,
    .bad = listing_bad,
    .gone = listing_gone,
};

static void
listing_on_answer(void *ctx, const struct keeper_answer *a)
{
	struct listing *l = ctx;

	l->pending = false;
	if (l->ended)
		;
	else if (l->gone)
		session_cut(l->s);
	else if (a->fault != NULL)
		session_problem(l->s, &a->fault->fault, a->fault->retry_after);
	else
		session_json(l->s, 200, a->listed->json);
	free(l);
}

static void
route_capabilities(struct session *s, struct str id)
{
	struct keeper_client *k = session_broker(s)->keeper;
	struct keeper_list m = {.capability = id, .caller = *session_caller(s)};
	char credential[REQUEST_CREDENTIAL_TEXT + 1];
	struct listing *l;
	struct fault f;

	if (id.len > 0 && !id_is_valid(id)) {
		fault_set(&f, AV_EINVAL, "capability_id", "See GET /aivault/capabilities.",
		    "That is not a capability's id.");
		session_problem(s, &f, 0);
		return;
	}
	/* What may be called is asked on behalf of whom it will be called for. */
	if (invoke_context_take(message_headers(session_message(s)), credential, &m.caller, &f) !=
	        AV_OK ||
	    keeper_client_check(k, &f) != AV_OK) {
		session_problem(s, &f, 0);
		return;
	}
	m.credential = str_of(credential);
	l = calloc(1, sizeof(*l));
	if (l != NULL) {
		l->s = s;
		session_take(s, &listing_ops, l);
		if (keeper_client_list(k, &m, listing_on_answer, l) == AV_OK)
			return;
		free(l);
	}
	fault_set(&f, AV_EUNAVAIL, "keeper_unavailable", "Try again in a moment.",
	    "The keeper could not be asked.");
	session_problem(s, &f, 0);
}

/* ---- dispatch -------------------------------------------------------------------------------- */

void
routes_dispatch(struct session *s)
{
	struct message *m = session_message(s);
	struct str rest;
	struct fault f;

	switch (route_find(message_method(m), message_target(m), &rest)) {
	case ROUTE_INVOKE:
		invoke_start(s);
		return;
	case ROUTE_PROXY:
		proxy_start(s);
		return;
	case ROUTE_HEALTH:
		route_health(s);
		return;
	case ROUTE_CAPABILITIES:
		route_capabilities(s, (struct str){"", 0});
		return;
	case ROUTE_CAPABILITY:
		route_capabilities(s, rest);
		return;
	case ROUTE_UNSUPPORTED:
		fault_set(&f, AV_ENOTSUP, "not_supported", "Use /i/<capability>/-/<path>.",
		    "This route is not supported yet.");
		break;
	case ROUTE_METHOD:
		fault_set(&f, AV_ENOTFOUND, "method", "Use GET, or POST for /aivault/proxy.",
		    "This route has no such method.");
		break;
	case ROUTE_NONE:
	default:
		fault_set(&f, AV_ENOTFOUND, "route",
		    "Use /i/<capability>/-/<path>, /aivault/capabilities or /aivault/health.",
		    "There is no such route.");
		break;
	}
	session_problem(s, &f, 0);
}
