/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/request.h"

#include "broker/envelope.h"

#include <string.h>

#define ROUTE_PREFIX "/i/"

static void
text_copy(char *out, size_t room, struct str s)
{
	size_t n = s.len < room - 1 ? s.len : room - 1;

	if (n > 0)
		memcpy(out, s.p, n);
	out[n] = '\0';
}

void
invoke_target_split(struct str rest, struct str *capability, struct str *target, bool *has_path)
{
	struct str path = rest, query = {NULL, 0};
	bool has_query = str_cut(rest, '?', &path, &query);
	size_t i;

	for (i = 0; i + 3 <= path.len; i++) {
		if (memcmp(path.p + i, "/-/", 3) == 0) {
			*capability = (struct str){path.p, i};
			*target = (struct str){rest.p + i + 2, rest.len - i - 2};
			*has_path = true;
			return;
		}
	}
	*capability = path;
	*target = (struct str){rest.p + path.len, has_query ? rest.len - path.len : 0};
	*has_path = false;
}

/* Takes one context header off. AV_EINVAL where it is given twice, too long or not text. */
static enum av_err
context_take(struct header_list *l, struct str name, char *out, size_t room, struct fault *f)
{
	const struct header *h = header_list_find(l, name);

	out[0] = '\0';
	if (h == NULL)
		return AV_OK;
	if (header_list_count(l, name) > 1 || h->value.len >= room || !str_is_utf8(h->value))
		return fault_set(f, AV_EINVAL, "context_header", "Give it once, as UTF-8 text.",
		    "The header %.*s is repeated, longer than %zu bytes or not text.",
		    STR_FMT(name), room - 1);
	text_copy(out, room, h->value);
	(void)header_list_remove(l, name);
	return AV_OK;
}

static enum av_err
timeout_read(struct str text, uint64_t *out, struct fault *f)
{
	if (str_to_u64(text, 1, REQUEST_TIMEOUT_MAX_MS, out) != AV_OK)
		return fault_set(f, AV_EINVAL, "timeout", "Give milliseconds as a plain number.",
		    "The time-out must be between 1 and %u milliseconds.", REQUEST_TIMEOUT_MAX_MS);
	return AV_OK;
}

static enum av_err
timeout_take(struct header_list *l, uint64_t *out, struct fault *f)
{
	char text[24];
	enum av_err e = context_take(l, STR_LIT("aivault-timeout-ms"), text, sizeof(text), f);

	*out = 0;
	return e != AV_OK || text[0] == '\0' ? e : timeout_read(str_of(text), out, f);
}

static enum av_err
capability_set(struct invoke_request *out, struct str id, struct fault *f)
{
	if (!id_is_valid(id) || id.len > REQUEST_ID_TEXT)
		return fault_set(f, AV_EINVAL, "capability_id",
		    "Use /i/<capability>/-/<path>; see GET /aivault/capabilities.",
		    "That is not a capability's id.");
	text_copy(out->capability, sizeof(out->capability), id);
	return AV_OK;
}

static enum av_err
method_set(struct invoke_request *out, struct str method, struct fault *f)
{
	if (!method_is_known(method))
		return fault_set(f, AV_EINVAL, "method",
		    "Use GET, HEAD, POST, PUT, PATCH, DELETE or OPTIONS.",
		    "The method is not supported.");
	text_copy(out->method, sizeof(out->method), method);
	return AV_OK;
}

static enum av_err
credential_check(const char *id, struct fault *f)
{
	if (id[0] != '\0' && !credential_id_is_valid(str_of(id)))
		return fault_set(f, AV_EINVAL, "credential_id", "See `aivault credential list`.",
		    "The credential named is not a credential's id.");
	return AV_OK;
}

enum av_err
invoke_context_take(struct header_list *l, char credential[REQUEST_CREDENTIAL_TEXT + 1],
    struct caller *c, struct fault *f)
{
	enum av_err e = context_take(
	    l, STR_LIT("aivault-credential"), credential, REQUEST_CREDENTIAL_TEXT + 1, f);

	if (e == AV_OK)
		e = credential_check(credential, f);
	if (e == AV_OK)
		e = context_take(
		    l, STR_LIT("aivault-workspace"), c->workspace, sizeof(c->workspace), f);
	if (e == AV_OK)
		e = context_take(l, STR_LIT("aivault-group"), c->group, sizeof(c->group), f);
	return e;
}

/* ---- direct --------------------------------------------------------------------------------------- */

enum av_err
invoke_request_parse(
    struct invoke_request *out, struct message *m, const struct caller *c, struct fault *f)
{
	struct header_list *l = message_headers(m);
	struct str capability, target = message_target(m);
	enum av_err e;

	memset(out, 0, sizeof(*out));
	out->caller = *c;
	out->headers = l;
	target.p += sizeof(ROUTE_PREFIX) - 1;
	target.len -= sizeof(ROUTE_PREFIX) - 1;
	invoke_target_split(target, &capability, &out->target, &out->has_path);
	e = capability_set(out, capability, f);
	if (e == AV_OK)
		e = method_set(out, message_method(m), f);
	if (e == AV_OK)
		e = invoke_context_take(l, out->credential, &out->caller, f);
	if (e == AV_OK)
		e = timeout_take(l, &out->timeout_ms, f);
	if (e != AV_OK)
		return e;
	if (message_is_chunked(m)) {
		out->has_body = true;
		out->body_size = UINT64_MAX;
	} else {
		out->has_body = message_content_length(m, &out->body_size) && out->body_size > 0;
		if (!out->has_body)
			out->body_size = 0;
	}
	return AV_OK;
}

/* ---- from an envelope ----------------------------------------------------------------------------- */

static struct str
span(const struct buf *b)
{
	return (struct str){b->len > 0 ? (const char *)b->data : "", b->len};
}

static enum av_err
context_set(char *out, size_t room, const struct buf *text, const char *key, struct fault *f)
{
	struct str s = span(text);

	if (s.len >= room || (s.len > 0 && !header_value_is_valid(s)))
		return fault_set(f, AV_EINVAL, "context",
		    "Give it as UTF-8 text without control bytes.",
		    "The envelope's %s is over %zu bytes or holds control bytes.", key, room - 1);
	text_copy(out, room, s);
	return AV_OK;
}

static enum av_err
carrier_check(struct message *carrier, struct fault *f)
{
	static const char *const context[] = {
	    "aivault-credential", "aivault-workspace", "aivault-group", "aivault-timeout-ms"};
	size_t i;

	for (i = 0; i < sizeof(context) / sizeof(context[0]); i++) {
		if (header_list_find(message_headers(carrier), str_of(context[i])) != NULL)
			return fault_set(f, AV_EINVAL, "context_header",
			    "Put it into the envelope.",
			    "An envelope has its context inside; %s may not stand beside it.",
			    context[i]);
	}
	return AV_OK;
}

enum av_err
invoke_request_from_envelope(struct invoke_request *out, struct envelope *v,
    struct message *carrier, const struct caller *c, struct fault *f)
{
	enum av_err e = carrier_check(carrier, f);

	memset(out, 0, sizeof(*out));
	out->caller = *c;
	out->headers = &v->headers;
	out->target = span(&v->path);
	out->has_path = true;
	out->has_body = v->body.len > 0;
	out->body_size = v->body.len;
	if (e == AV_OK)
		e = capability_set(out, span(&v->capability), f);
	if (e == AV_OK)
		e = method_set(out, span(&v->method), f);
	if (e == AV_OK)
		e = context_set(
		    out->credential, sizeof(out->credential), &v->credential, "credential", f);
	if (e == AV_OK)
		e = credential_check(out->credential, f);
	if (e == AV_OK)
		e = context_set(out->caller.workspace, sizeof(out->caller.workspace), &v->workspace,
		    "workspaceId", f);
	if (e == AV_OK)
		e = context_set(
		    out->caller.group, sizeof(out->caller.group), &v->group, "groupId", f);
	if (e == AV_OK && v->timeout.len > 0)
		e = timeout_read(v->timeout, &out->timeout_ms, f);
	return e;
}
