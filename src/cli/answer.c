/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/answer.h"

#include "base/io.h"
#include "cli/discover.h"
#include "cli/json_args.h"

#include <stdio.h>
#include <string.h>

#define ANSWER_MAX (1024u * 1024u)

static void
copy_word(const struct header *h, char *out, size_t room)
{
	struct str s = h != NULL ? h->value : (struct str){"", 0};

	(void)snprintf(out, room, "%.*s", (int)(s.len < room ? s.len : room - 1), s.p);
}

static enum av_err
on_head(void *ctx, unsigned status, struct header_list *headers, struct fault *f)
{
	struct own_error *o = ctx;
	const struct header *h = header_list_find(headers, STR_LIT("aivault-error"));

	if (h == NULL)
		return o->below->head(o->below->ctx, status, headers, f);
	o->ours = true;
	copy_word(h, o->code, sizeof(o->code));
	copy_word(
	    header_list_find(headers, STR_LIT("aivault-reason")), o->reason, sizeof(o->reason));
	return AV_OK;
}

static enum av_err
on_body(void *ctx, struct str bytes, struct fault *f)
{
	struct own_error *o = ctx;

	if (!o->ours)
		return o->below->body(o->below->ctx, bytes, f);
	return buf_append(&o->body, bytes.p, bytes.len) == AV_ENOMEM ? AV_ENOMEM : AV_OK;
}

void
own_error_init(struct own_error *o, const struct client_handler *below)
{
	memset(o, 0, sizeof(*o));
	o->below = below;
	o->handler = (struct client_handler){o, on_head, on_body};
	buf_init(&o->body, ANSWER_MAX);
}

const struct client_handler *
own_error_handler(struct own_error *o)
{
	return &o->handler;
}

static enum av_err
err_of_code(const char *code)
{
	for (int e = AV_OK + 1; e < AV_ERR_COUNT; e++) {
		if (e != AV_EUSAGE && strcmp(code, av_err_code((enum av_err)e)) == 0)
			return (enum av_err)e;
	}
	return AV_EUNAVAIL;
}

enum av_err
own_error_finish(struct own_error *o, enum av_err e, char *code, size_t code_len, struct fault *f)
{
	if (o->ours) {
		cJSON *root = cJSON_ParseWithLength((const char *)o->body.data, o->body.len);
		const char *message = json_string(root, "message", json_string(root, "detail", ""));
		e = err_of_code(o->code);
		(void)snprintf(code, code_len, "%s", o->code);
		if (message[0] == '\0' && o->reason[0] != '\0')
			(void)fault_set(f, e, o->reason,
			    "An answer to HEAD has no room for more; GET tells the rest", "%s: %s",
			    av_err_text(e), o->reason);
		else
			(void)fault_set(f, e, json_string(root, "reason", "denied"),
			    json_string(root, "remedy", ""), "%s",
			    message[0] == '\0' ? av_err_text(e) : message);
		cJSON_Delete(root);
	}
	buf_clear(&o->body);
	return e;
}

void
answer_init(struct answer *a)
{
	buf_init(&a->body, ANSWER_MAX);
}

void
answer_clear(struct answer *a)
{
	buf_clear(&a->body);
}

static enum av_err
take_head(void *ctx, unsigned status, struct header_list *headers, struct fault *f)
{
	(void)ctx;
	(void)headers;
	if (status / 100 != 2)
		return fault_set(
		    f, AV_EUNAVAIL, "bad_answer", "", "the daemon answered with status %u", status);
	return AV_OK;
}

static enum av_err
take_body(void *ctx, struct str bytes, struct fault *f)
{
	struct answer *a = ctx;

	if (buf_append(&a->body, bytes.p, bytes.len) != AV_OK)
		return fault_set(
		    f, AV_ELIMIT, "answer_size", "", "the daemon's answer is too large");
	return AV_OK;
}

enum av_err
answer_fetch(struct answer *a, const char *target, const struct header_list *headers, bool start,
    struct fault *f)
{
	struct client_handler h = {a, take_head, take_body};
	struct own_error own;
	struct found found;
	char code[64];
	enum av_err e = discover(SOCKET_AGENT, start ? FIND_START : 0, &found, f);

	if (e != AV_OK)
		return e;
	own_error_init(&own, &h);
	struct client_request r = {
	    .method = STR_LIT("GET"), .target = str_of(target), .headers = headers, .body_fd = -1};
	e = client_exchange(found.fd, &r, own_error_handler(&own), f);
	e = own_error_finish(&own, e, code, sizeof(code), f);
	discover_close(&found);
	return e;
}

enum av_err
answer_fetch_capability(
    struct answer *a, const char *id, const struct header_list *headers, struct fault *f)
{
	static const char *const names[] = {
	    "aivault-credential", "aivault-workspace", "aivault-group"};
	struct header_list context;
	char target[256];
	enum av_err e = AV_OK;

	(void)snprintf(target, sizeof(target), "/aivault/capabilities/%.200s", id);
	header_list_init(&context);
	for (size_t i = 0; e == AV_OK && i < sizeof(names) / sizeof(names[0]); i++) {
		const struct header *h = header_list_find(headers, str_of(names[i]));
		if (h != NULL)
			e = header_list_add(&context, h->name, h->value);
	}
	e = e != AV_OK ? fault_set(f, e, "no_memory", "", "out of memory")
	               : answer_fetch(a, target, &context, true, f);
	header_list_clear(&context);
	return e;
}

enum av_err
answer_only(
    const struct answer *a, const char *key, const char *option, struct buf *out, struct fault *f)
{
	cJSON *root = cJSON_ParseWithLength((const char *)a->body.data, a->body.len);
	const cJSON *list = cJSON_GetObjectItemCaseSensitive(root, key);
	const cJSON *only = cJSON_GetArrayItem(list, 0);
	enum av_err e = AV_OK;

	if (cJSON_GetArraySize(list) != 1 || !cJSON_IsString(only))
		e = fault_set(f, AV_EINVAL, "no_default", "See: aivault capability describe",
		    "--%s is required: the capability has more than one", option);
	else if (buf_append_str(out, only->valuestring) != AV_OK)
		e = fault_set(f, AV_ENOMEM, "no_memory", "", "out of memory");
	cJSON_Delete(root);
	return e;
}
