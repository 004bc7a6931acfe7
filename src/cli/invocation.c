/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/invocation.h"

#include "base/io.h"
#include "cli/answer.h"
#include "cli/discover.h"
#include "cli/request_json.h"
#include "http/message.h"
#include "http/target.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define BODY_TEXT_MAX (16u * 1024u * 1024u)

void
invocation_init(struct invocation *v)
{
	memset(v, 0, sizeof(*v));
	buf_init(&v->method, 64);
	buf_init(&v->target, TARGET_MAX + 512);
	header_list_init(&v->headers);
	buf_init(&v->body, BODY_TEXT_MAX);
	multipart_init(&v->multipart);
	v->body_fd = -1;
}

void
invocation_clear(struct invocation *v)
{
	buf_clear(&v->method);
	buf_clear(&v->target);
	header_list_clear(&v->headers);
	buf_clear(&v->body);
	multipart_clear(&v->multipart);
	if (v->body_fd > STDIN_FILENO)
		io_close(&v->body_fd);
}

enum av_err
invocation_header(struct header_list *l, const char *text, struct fault *f)
{
	size_t n = strcspn(text, "=:");
	enum av_err e;

	if (text[n] == '\0' || str_trim((struct str){text, n}).len == 0)
		return fault_set(f, AV_EINVAL, "header_syntax", "", "--header takes K=V or 'K: v'");
	e = header_list_add(l, str_trim((struct str){text, n}), str_of(text + n + 1));
	if (e == AV_ELIMIT)
		return fault_set(f, e, "header_limit", "",
		    "more than %u headers or %u bytes of them", HEADER_MAX_COUNT, HEADER_MAX_BYTES);
	if (e != AV_OK)
		return fault_set(f, AV_EINVAL, "header_syntax",
		    "Names are letters, digits and -; values have no control bytes",
		    "the header %.*s is malformed", n > 60 ? 60 : (int)n, text);
	return AV_OK;
}

static bool
looks_like_json(struct str s)
{
	while (s.len > 0 && (s.p[0] == ' ' || s.p[0] == '\t' || s.p[0] == '\r' || s.p[0] == '\n')) {
		s.p++;
		s.len--;
	}
	return s.len > 0 && (s.p[0] == '{' || s.p[0] == '[');
}

static enum av_err
open_body(struct invocation *v, const char *path, struct fault *f)
{
	v->has_body = true;
	if (strcmp(path, "-") == 0) {
		v->body_fd = STDIN_FILENO;
		return AV_OK;
	}
	v->body_fd = io_open_input(path);
	if (v->body_fd < 0)
		return fault_set(f, AV_EINVAL, "body_file", "",
		    "the body's file %.300s is not accessible: %s", path, strerror(errno));
	return AV_OK;
}

/* The first byte of a regular file, without moving in it. */
static struct str
peek_body(const struct invocation *v, char room[64])
{
	ssize_t n;

	if (v->body_fd < 0)
		return (struct str){(const char *)v->body.data, v->body.len};
	n = pread(v->body_fd, room, 64, 0);
	return (struct str){room, n < 0 ? 0 : (size_t)n};
}

static enum av_err
add_context(struct invocation *v, const struct args *a, struct fault *f)
{
	static const struct {
		const char *option;
		const char *header;
	} context[] = {{"credential", "aivault-credential"}, {"workspace-id", "aivault-workspace"},
	    {"group-id", "aivault-group"}, {"timeout-ms", "aivault-timeout-ms"}};
	uint64_t unused;

	if (args_number(a, "timeout-ms", 1, 86400000, 1, &unused, f) != AV_OK)
		return AV_EUSAGE;
	if (args_has(a, "group-id") && !args_has(a, "workspace-id"))
		return fault_set(f, AV_EINVAL, "workspace_missing", "",
		    "--workspace-id is required with --group-id");
	for (size_t i = 0; i < sizeof(context) / sizeof(context[0]); i++) {
		const char *value = args_value(a, context[i].option);
		if (value == NULL)
			continue;
		if (str_trim(str_of(value)).len == 0)
			return fault_set(
			    f, AV_EINVAL, "blank", "", "--%s is blank", context[i].option);
		if (header_list_set(&v->headers, str_of(context[i].header), str_of(value)) != AV_OK)
			return fault_set(f, AV_EINVAL, "context_syntax", "",
			    "--%s has bytes that may not stand there", context[i].option);
	}
	return AV_OK;
}

static enum av_err
add_payload(struct invocation *v, const struct args *a, struct fault *f)
{
	static const char *const manual[] = {"method", "path", "header", "body", "body-file-path",
	    "multipart-field", "multipart-file"};
	const char *v_json = args_value(a, "request");
	const char *v_file = args_value(a, "request-file");

	if (v_json != NULL && v_file != NULL)
		return fault_set(
		    f, AV_EINVAL, "two_requests", "", "give --request or --request-file, not both");
	for (size_t i = 0; i < sizeof(manual) / sizeof(manual[0]); i++) {
		if (args_has(a, manual[i]))
			return fault_set(f, AV_EINVAL, "mixed_request", "",
			    "--%s cannot be mixed with --request or --request-file", manual[i]);
	}
	return v_json != NULL ? request_json_text(v, str_of(v_json), f)
	                      : request_json_file(v, v_file, f);
}

static enum av_err
add_multipart(struct invocation *v, const struct args *a, struct fault *f)
{
	char type[96];
	enum av_err e = multipart_build(&v->multipart, a, f);

	if (e != AV_OK || v->multipart.parts == NULL)
		return e;
	if (v->has_body)
		return fault_set(f, AV_EINVAL, "two_bodies", "",
		    "only one body mode: give --body, --body-file-path or --multipart-...");
	v->has_body = true;
	/* Another type could not name the boundary. */
	(void)snprintf(
	    type, sizeof(type), "multipart/form-data; boundary=%s", v->multipart.boundary);
	if (header_list_set(&v->headers, STR_LIT("content-type"), str_of(type)) != AV_OK)
		return fault_set(
		    f, AV_ELIMIT, "header_limit", "", "more than %u headers", HEADER_MAX_COUNT);
	return AV_OK;
}

static enum av_err
add_manual(struct invocation *v, const struct args *a, struct fault *f)
{
	const char *text;
	size_t pos = 0;
	enum av_err e = AV_OK;

	while (e == AV_OK && (text = args_next(a, "header", &pos)) != NULL)
		e = invocation_header(&v->headers, text, f);
	if (e != AV_OK)
		return e;
	if (args_has(a, "body") && args_has(a, "body-file-path"))
		return fault_set(f, AV_EINVAL, "two_bodies", "",
		    "only one body mode: give --body or --body-file-path, not both");
	text = args_value(a, "body");
	if (text != NULL) {
		v->has_body = true;
		if (buf_append_str(&v->body, text) != AV_OK)
			return fault_set(f, AV_ELIMIT, "body_size", "Use --body-file-path",
			    "--body may have %u bytes", BODY_TEXT_MAX);
	}
	text = args_value(a, "body-file-path");
	if (text != NULL)
		e = open_body(v, text, f);
	if (e == AV_OK)
		e = add_multipart(v, a, f);
	if (e != AV_OK)
		return e;
	text = args_value(a, "method");
	if (text != NULL && buf_append_str(&v->method, text) != AV_OK)
		return fault_set(f, AV_EINVAL, "method", "", "--method is no HTTP method");
	text = args_value(a, "path");
	if (text != NULL && buf_append_str(&v->target, text) != AV_OK)
		return fault_set(
		    f, AV_ELIMIT, "path_size", "", "a path may have %u bytes", TARGET_MAX);
	if ((args_has(a, "method") && v->method.len == 0) ||
	    (args_has(a, "path") && v->target.len == 0))
		return fault_set(f, AV_EINVAL, "blank", "", "--method and --path may not be blank");
	return AV_OK;
}

enum av_err
invocation_build(struct invocation *v, const struct args *a, struct fault *f)
{
	enum av_err e;
	char room[64];

	v->capability = a->positional[0];
	if (!id_is_valid(str_of(v->capability)))
		return fault_set(f, AV_ENOCAP, "capability_id", "See: aivault capability list",
		    "capability not found: %.100s is no capability id", v->capability);
	if (args_has(a, "request") || args_has(a, "request-file"))
		e = add_payload(v, a, f);
	else
		e = add_manual(v, a, f);
	if (e == AV_OK)
		e = add_context(v, a, f);
	if (e == AV_OK && v->has_body &&
	    header_list_find(&v->headers, STR_LIT("content-type")) == NULL &&
	    looks_like_json(peek_body(v, room)) &&
	    header_list_add(&v->headers, STR_LIT("content-type"), STR_LIT("application/json")) !=
	        AV_OK)
		e = fault_set(
		    f, AV_ELIMIT, "header_limit", "", "more than %u headers", HEADER_MAX_COUNT);
	return e;
}

/* What the user left away is asked for, and taken where there is one choice only. */
static enum av_err
fill_defaults(struct invocation *v, struct fault *f)
{
	struct answer answer;
	enum av_err e;

	if (v->method.len > 0 && v->target.len > 0)
		return AV_OK;
	answer_init(&answer);
	e = answer_fetch_capability(&answer, v->capability, &v->headers, f);
	if (e == AV_OK && v->method.len == 0)
		e = answer_only(&answer, "methods", "method", &v->method, f);
	if (e == AV_OK && v->target.len == 0)
		e = answer_only(&answer, "paths", "path", &v->target, f);
	answer_clear(&answer);
	return e;
}

static enum av_err
make_target(struct invocation *v, struct fault *f)
{
	struct str path = {(const char *)v->target.data, v->target.len};
	struct buf full;
	enum av_err e;

	if (path.len == 0 || path.p[0] != '/')
		return fault_set(f, AV_EINVAL, "path_start", "", "the path must start with /");
	buf_init(&full, v->target.max);
	(void)buf_appendf(&full, "/i/%s/-", v->capability);
	e = buf_append(&full, path.p, path.len);
	if (e != AV_OK) {
		buf_clear(&full);
		return fault_set(
		    f, AV_ELIMIT, "path_size", "", "a path may have %u bytes", TARGET_MAX);
	}
	buf_clear(&v->target);
	v->target = full;
	return AV_OK;
}

static enum body_kind
body_kind(const struct invocation *v)
{
	if (!v->has_body)
		return BODY_NONE;
	if (v->multipart.parts != NULL)
		return BODY_PARTS;
	return v->body_fd >= 0 ? BODY_FD : BODY_BYTES;
}

enum av_err
invocation_send(struct invocation *v, const struct client_handler *h, char *code, size_t code_len,
    struct fault *f)
{
	struct found found = {.fd = -1};
	struct own_error own;
	enum av_err e = fill_defaults(v, f);

	code[0] = '\0';
	if (e == AV_OK)
		e = make_target(v, f);
	if (e != AV_OK)
		return e;
	struct str method = {(const char *)v->method.data, v->method.len};
	if (!method_is_known(method))
		return fault_set(f, AV_EINVAL, "method",
		    "Use GET, HEAD, POST, PUT, PATCH, DELETE or OPTIONS, in capitals",
		    "%.*s is no method that aivault sends", method.len > 40 ? 40 : (int)method.len,
		    method.p);
	e = discover(SOCKET_AGENT, FIND_START, &found, f);
	if (e != AV_OK)
		return e;
	struct client_request r = {
	    .method = method,
	    .target = {(const char *)v->target.data, v->target.len},
	    .headers = &v->headers,
	    .body_kind = body_kind(v),
	    .body = {(const char *)v->body.data, v->body.len},
	    .body_fd = v->body_fd,
	    .parts = v->multipart.parts,
	    .part_count = v->multipart.count,
	};
	own_error_init(&own, h);
	e = client_exchange(found.fd, &r, own_error_handler(&own), f);
	e = own_error_finish(&own, e, code, code_len, f);
	discover_close(&found);
	return e;
}
