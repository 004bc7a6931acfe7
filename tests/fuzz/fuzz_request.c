/* SPDX-License-Identifier: Apache-2.0 */
/* Input: an agent's HTTP request. Its route is one of the table's; what is taken for a call has ids
 * that are ids, a method that is known and no context left among the headers. */
#include "broker/request.h"
#include "broker/routes.h"

#include "reach/manifest.h"

#include <stdlib.h>
#include <string.h>

#define MUST(x)                  \
	do {                     \
		if (!(x))        \
			abort(); \
	} while (0)

static void
check_call(const struct invoke_request *r)
{
	static const char *const context[] = {
	    "aivault-credential", "aivault-workspace", "aivault-group", "aivault-timeout-ms"};

	MUST(id_is_valid(str_of(r->capability)) && method_is_known(str_of(r->method)));
	MUST(r->timeout_ms <= REQUEST_TIMEOUT_MAX_MS);
	MUST(str_is_utf8(str_of(r->caller.workspace)) && str_is_utf8(str_of(r->caller.group)));
	MUST(r->credential[0] == '\0' || credential_id_is_valid(str_of(r->credential)));
	for (size_t i = 0; i < sizeof(context) / sizeof(context[0]); i++)
		MUST(header_list_find(r->headers, str_of(context[i])) == NULL);
	if (r->has_path)
		MUST(r->target.len > 0 && r->target.p[0] == '/');
	else
		MUST(r->target.len == 0 || r->target.p[0] == '?');
	MUST(r->has_body || r->body_size == 0);
}

static void
on_head(struct message *m)
{
	static const struct caller nobody;
	struct str rest, target = message_target(m);
	struct invoke_request r;
	struct fault f = {0};
	enum route_kind kind = route_find(message_method(m), target, &rest);

	MUST(kind <= ROUTE_UNSUPPORTED && rest.len <= target.len);
	if (kind != ROUTE_INVOKE)
		return;
	if (invoke_request_parse(&r, m, &nobody, &f) == AV_OK)
		check_call(&r);
	else
		MUST(f.err == AV_EINVAL && f.reason[0] != '\0' && f.message[0] != '\0');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	enum message_event event = MESSAGE_NEED_MORE;
	struct message *m = NULL;
	struct fault f = {0};
	struct str body;
	size_t used = 0;

	MUST(message_new(MESSAGE_REQUEST, false, &m) == AV_OK);
	if (message_feed(m, data, size, &used, &event, &body, &f) == AV_OK && event == MESSAGE_HEAD)
		on_head(m);
	message_free(m);
	return 0;
}
