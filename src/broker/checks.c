/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/checks.h"

#include "http/message.h"
#include "reach/reach.h"
#include "wire/judge.h"

#include <string.h>

/* Servers behind gateways read '_' as '-' in a header's name, so the two are one here. */
static bool
header_name_is(struct str name, const char *word)
{
	size_t i;

	if (name.len != strlen(word))
		return false;
	for (i = 0; i < name.len; i++) {
		char a = name.p[i] == '_' ? '-' : name.p[i];
		char b = word[i] == '_' ? '-' : word[i];

		if (a >= 'A' && a <= 'Z')
			a = (char)(a - 'A' + 'a');
		if (b >= 'A' && b <= 'Z')
			b = (char)(b - 'A' + 'a');
		if (a != b)
			return false;
	}
	return true;
}

static bool
header_is_managed(struct str name, const struct keeper_resolved *r)
{
	size_t i;

	for (i = 0; i < r->managed_headers.count; i++) {
		if (header_name_is(name, r->managed_headers.items[i]))
			return true;
	}
	return false;
}

struct str
checks_host_name(struct str host)
{
	struct str name = host, port;

	(void)str_cut(host, ':', &name, &port);
	return name;
}

static enum av_err
check_headers(const struct check_subject *c, struct fault *f)
{
	struct header_list *l = c->headers;
	size_t i = 0;

	if (header_list_drop_hop(l) != AV_OK)
		return fault_set(f, AV_ENOMEM, "out_of_memory", "", "Out of memory.");
	(void)header_list_remove(l, STR_LIT("accept-encoding"));
	while (i < l->count) {
		struct str name = l->items[i].name;

		if (header_is_auth_class(name) || header_is_managed(name, c->resolved))
			return fault_set(f, AV_EPOLICY, "auth_header",
			    "Leave it out: aivault adds the credential.",
			    "The header %.*s is set by aivault and may not be sent.",
			    STR_FMT(name));
		if (header_is_reserved(name)) {
			(void)header_list_remove(l, name);
			continue;
		}
		if (header_list_count(l, name) > 1)
			return fault_set(f, AV_EPOLICY, "duplicate_header", "Send it once.",
			    "The header %.*s is there more than once.", STR_FMT(name));
		i++;
	}
	return AV_OK;
}

static enum av_err
check_query(const struct check_subject *c, struct fault *f)
{
	const struct string_list *managed = &c->resolved->managed_query;
	struct str query = {(const char *)c->target->query.data, c->target->query.len};
	struct buf scratch;
	struct str name, value;
	size_t pos = 0;
	enum av_err e = AV_OK;

	if (managed->count == 0 || !c->target->has_query)
		return AV_OK;
	buf_init(&scratch, 2 * TARGET_MAX);
	while (e == AV_OK && query_next(query, &pos, &scratch, &name, &value)) {
		if (string_list_has(managed, name))
			e = fault_set(f, AV_EPOLICY, "auth_query",
			    "Leave it out: aivault adds the credential.",
			    "The query parameter %.*s is broker-managed and may not be sent.",
			    STR_FMT(name));
	}
	if (e == AV_OK && buf_err(&scratch) != AV_OK)
		e = fault_set(f, AV_EPOLICY, "auth_query", "Send a shorter query.",
		    "The query could not be checked.");
	buf_clear(&scratch);
	return e;
}

static enum av_err
check_sizes(const struct check_subject *c, struct fault *f)
{
	const struct keeper_resolved *r = c->resolved;
	const struct header *coding;

	if (!c->has_body)
		return AV_OK;
	if (c->body_size != UINT64_MAX && c->body_size > r->max_request_bytes)
		return fault_set(f, AV_ETOOBIG, "request_too_big", "Send less.",
		    "The body has %llu bytes; this capability has a size limit of %llu.",
		    (unsigned long long)c->body_size, (unsigned long long)r->max_request_bytes);
	if (r->capability.inspect == INSPECT_NONE)
		return AV_OK;
	coding = header_list_find(c->headers, STR_LIT("content-encoding"));
	if (coding != NULL && !str_ieq_cstr(coding->value, "identity"))
		return fault_set(f, AV_EPOLICY, "body_encoded", "Send the body uncompressed.",
		    "A policy reads this body, so it may have no content-encoding.");
	if (c->body_size != UINT64_MAX && c->body_size > JUDGE_BODY_MAX)
		return fault_set(f, AV_ETOOBIG, "body_too_big_to_inspect", "Send less.",
		    "A policy reads this body, so it may have at most %u bytes.", JUDGE_BODY_MAX);
	return AV_OK;
}

enum av_err
checks_request(const struct check_subject *c, struct fault *f)
{
	const struct keeper_resolved *r = c->resolved;
	struct str path = {(const char *)c->target->path.data, c->target->path.len};
	enum av_err e;

	if (!method_is_known(c->method))
		return fault_set(f, AV_EPOLICY, "method_not_allowed", "", "Unknown method.");
	e = reach_allows(&r->capability, c->method, checks_host_name(str_of(r->host)), path, f);
	if (e == AV_OK)
		e = check_headers(c, f);
	if (e == AV_OK)
		e = check_query(c, f);
	if (e == AV_OK)
		e = check_sizes(c, f);
	return e;
}

enum av_err
checks_inspected_body(struct str body, struct fault *f)
{
	if (body.len > 0 && !str_is_utf8(body))
		return fault_set(f, AV_EPOLICY, "body_not_utf8", "Send UTF-8.",
		    "A policy reads this body, so it must be UTF-8 text.");
	return AV_OK;
}

enum av_err
checks_apply_ops(struct header_list *headers, const struct keeper_resolved *resolved,
    const struct header_op *ops, size_t count, struct fault *f)
{
	size_t i;

	for (i = 0; i < count; i++) {
		struct str name = ops[i].name;
		enum av_err e = AV_OK;

		if (header_is_auth_class(name) || header_is_reserved(name) ||
		    header_is_managed(name, resolved) || str_ieq_cstr(name, "accept-encoding"))
			e = AV_EPOLICY;
		else if (ops[i].drop)
			(void)header_list_remove(headers, name);
		else
			e = header_list_set(headers, name, ops[i].value);
		if (e != AV_OK)
			return fault_set(f, AV_EPOLICY, "policy_error",
			    "Mend the policy: this header is not its to change.",
			    "A policy tried to change the header %.*s.", STR_FMT(name));
	}
	return AV_OK;
}
