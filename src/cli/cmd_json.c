/* SPDX-License-Identifier: Apache-2.0 */
#include "base/json_reader.h"
#include "cli/command.h"
#include "cli/invocation.h"
#include "cli/json_args.h"
#include "cli/print.h"

#include <stdlib.h>

#define BODY_MAX (64u * 1024u * 1024u)

static const struct option options[] = {
    INVOCATION_OPTIONS,
    {NULL, NULL, false, NULL},
};

struct result {
	unsigned status;
	struct buf credential;
	struct buf url;
	struct buf body;
};

static void
keep(struct buf *to, const struct header_list *headers, const char *name)
{
	const struct header *h = header_list_find(headers, str_of(name));

	if (h != NULL && h->value.len > 0)
		(void)buf_append(to, h->value.p, h->value.len);
}

static enum av_err
on_head(void *ctx, unsigned status, struct header_list *headers, struct fault *f)
{
	struct result *r = ctx;

	(void)f;
	r->status = status;
	keep(&r->credential, headers, "aivault-credential");
	keep(&r->url, headers, "aivault-upstream");
	return AV_OK;
}

static enum av_err
on_body(void *ctx, struct str bytes, struct fault *f)
{
	struct result *r = ctx;

	if (buf_append(&r->body, bytes.p, bytes.len) != AV_OK)
		return fault_set(f, AV_ELIMIT, "json_size", "Use aivault invoke",
		    "the answer is over %u MiB", BODY_MAX / (1024u * 1024u));
	return AV_OK;
}

/* Its text is embedded as it came, so nothing but strict JSON will do. */
static enum av_err
check_json(const struct result *r, struct fault *f)
{
	struct str text = {(const char *)r->body.data, r->body.len};
	struct json_reader reader;
	enum av_err e = json_reader_init(&reader, text, f);

	if (e == AV_OK)
		e = json_reader_skip(&reader);
	if (e == AV_OK)
		e = json_reader_end(&reader);
	if (e == AV_ELIMIT)
		return fault_set(f, e, "json_depth", "Use aivault invoke to see it",
		    "the upstream's answer (status %u) has more than %u levels of JSON", r->status,
		    JSON_DEPTH_MAX);
	if (e != AV_OK)
		return fault_set(f, e, "not_json", "Use aivault invoke to see it",
		    "the upstream's answer (status %u) is not JSON", r->status);
	return AV_OK;
}

static void
add_string(struct buf *out, const char *key, struct str value)
{
	char *copy = str_dup(value);
	cJSON *item = cJSON_CreateString(copy == NULL ? "" : copy);
	char *text = cJSON_PrintUnformatted(item);

	(void)buf_appendf(out, "\"%s\":", key);
	if (text != NULL)
		(void)buf_append_str(out, text);
	else
		out->err = AV_ENOMEM;
	cJSON_free(text);
	cJSON_Delete(item);
	free(copy);
}

static struct str
view(const struct buf *b)
{
	return (struct str){(const char *)b->data, b->len};
}

static int
print_result(const struct invocation *v, const struct result *r)
{
	struct fault f = {0};
	struct buf out;
	int rc;

	if (check_json(r, &f) != AV_OK)
		return print_fault(&f);
	buf_init(&out, BODY_MAX + 65536);
	(void)buf_append_str(&out, "{\"planned\":{");
	add_string(&out, "capability", str_of(v->capability));
	(void)buf_append_byte(&out, ',');
	add_string(&out, "credential", view(&r->credential));
	(void)buf_append_byte(&out, ',');
	add_string(&out, "method", view(&v->method));
	(void)buf_append_byte(&out, ',');
	add_string(&out, "url", view(&r->url));
	(void)buf_appendf(&out, "},\"response\":{\"status\":%u,\"json\":", r->status);
	(void)buf_append(&out, r->body.data, r->body.len);
	(void)buf_append_str(&out, "}}");
	rc = buf_err(&out) == AV_OK ? print_json(view(&out))
	                            : print_failure("vault_unavailable", "out of memory", "");
	buf_clear(&out);
	return rc;
}

static int
run(struct args *a)
{
	struct result r = {0};
	struct client_handler handler = {&r, on_head, on_body};
	struct invocation v;
	struct fault f = {0};
	char code[64] = "";
	enum av_err e;
	int rc;

	buf_init(&r.credential, 1024);
	buf_init(&r.url, 65536);
	buf_init(&r.body, BODY_MAX);
	invocation_init(&v);
	e = invocation_build(&v, a, &f);
	if (e == AV_OK)
		e = invocation_send(&v, &handler, code, sizeof(code), &f);
	if (e == AV_EUSAGE)
		rc = usage_fault(&cmd_json, &f);
	else if (e != AV_OK)
		rc = code[0] != '\0' ? print_failure(code, f.message, f.remedy) : print_fault(&f);
	else
		rc = print_result(&v, &r);
	buf_clear(&r.credential);
	buf_clear(&r.url);
	buf_clear(&r.body);
	invocation_clear(&v);
	return rc;
}

const struct command cmd_json = {
    .name = "json",
    .alias = "capability json",
    .arguments = "CAPABILITY [OPTIONS]",
    .about = "Call a capability and print what was planned and the JSON that came back",
    .details = "Options are those of aivault invoke.\n",
    .options = options,
    .min_positional = 1,
    .max_positional = 1,
    .run = run,
};
