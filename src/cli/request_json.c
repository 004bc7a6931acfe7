/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/request_json.h"

#include "base/io.h"
#include "cli/json_args.h"

#include <errno.h>
#include <string.h>

#define REQUEST_MAX (16u * 1024u * 1024u)

static enum av_err
bad(struct fault *f, const char *what)
{
	return fault_set(f, AV_EINVAL, "request_json", "See: aivault help invoke",
	    "the request's JSON is wrong: %s", what);
}

static bool
has_only(const cJSON *o, const char *const *keys)
{
	const cJSON *item;

	cJSON_ArrayForEach(item, o)
	{
		const char *const *k = keys;
		while (*k != NULL && strcmp(*k, item->string) != 0)
			k++;
		if (*k == NULL)
			return false;
	}
	return true;
}

static enum av_err
add_headers(struct invocation *v, const cJSON *headers, struct fault *f)
{
	const cJSON *h;

	if (headers != NULL && !cJSON_IsArray(headers))
		return bad(f, "headers is no array");
	cJSON_ArrayForEach(h, headers)
	{
		const char *name = json_string(h, "name", NULL);
		const char *value = json_string(h, "value", NULL);
		if (name == NULL || value == NULL)
			return bad(f, "a header is {name, value}");
		if (header_list_add(&v->headers, str_of(name), str_of(value)) != AV_OK)
			return bad(f, "a header is malformed, or there are too many");
	}
	return AV_OK;
}

/* A string where there is one: *out, else NULL. Anything but a string or null is an error. */
static bool
text_at(const cJSON *o, const char *key, const char **out)
{
	const cJSON *v = cJSON_GetObjectItemCaseSensitive(o, key);

	*out = cJSON_IsString(v) ? v->valuestring : NULL;
	return v == NULL || cJSON_IsString(v) || cJSON_IsNull(v);
}

static enum av_err
add_request(struct invocation *v, const cJSON *o, struct fault *f)
{
	static const char *const keys[] = {
	    "method", "path", "headers", "body", "bodyFilePath", NULL};
	const char *method, *path, *body, *file;
	enum av_err e;

	if (!cJSON_IsObject(o) || !has_only(o, keys))
		return bad(f, "it may have method, path, headers, body and bodyFilePath");
	if (!text_at(o, "method", &method) || !text_at(o, "path", &path) ||
	    !text_at(o, "body", &body) || !text_at(o, "bodyFilePath", &file))
		return bad(f, "method, path, body and bodyFilePath are strings");
	if (body != NULL && file != NULL)
		return bad(f, "only one body mode: body or bodyFilePath");
	e = add_headers(v, cJSON_GetObjectItemCaseSensitive(o, "headers"), f);
	if (e != AV_OK)
		return e;
	if (method != NULL && buf_append_str(&v->method, method) != AV_OK)
		return bad(f, "method is too long");
	if (path != NULL && buf_append_str(&v->target, path) != AV_OK)
		return bad(f, "path is too long");
	if (body != NULL) {
		v->has_body = true;
		if (buf_append_str(&v->body, body) != AV_OK)
			return bad(f, "body is too long");
	}
	if (file != NULL) {
		v->has_body = true;
		v->body_fd = io_open_input(file);
		if (v->body_fd < 0)
			return fault_set(f, AV_EINVAL, "body_file", "",
			    "the body's file %.300s is not accessible: %s", file, strerror(errno));
	}
	return AV_OK;
}

/* cJSON ends a string at \u0000 without a word; such text never meant what it would become. */
static bool
has_nul_escape(struct str s)
{
	for (size_t i = 0; i + 1 < s.len; i++) {
		if (s.p[i] != '\\')
			continue;
		if (s.len - i >= 6 && memcmp(s.p + i, "\\u0000", 6) == 0)
			return true;
		i++;
	}
	return false;
}

static enum av_err
add_parsed(struct invocation *v, const cJSON *root, struct fault *f)
{
	static const char *const keys[] = {"capability", "credential", "request", NULL};
	const cJSON *request = cJSON_GetObjectItemCaseSensitive(root, "request");
	const char *capability, *credential;

	if (request == NULL)
		return add_request(v, root, f);
	if (!has_only(root, keys))
		return bad(f, "an envelope has capability, credential and request");
	if (!text_at(root, "capability", &capability) || !text_at(root, "credential", &credential))
		return bad(f, "capability and credential are strings");
	if (capability != NULL && str_trim(str_of(capability)).len > 0 &&
	    strcmp(capability, v->capability) != 0)
		return bad(f, "its capability is not the one on the command line");
	if (credential != NULL &&
	    header_list_set(&v->headers, STR_LIT("aivault-credential"), str_of(credential)) !=
	        AV_OK)
		return bad(f, "credential has bytes that may not stand there");
	return add_request(v, request, f);
}

enum av_err
request_json_text(struct invocation *v, struct str text, struct fault *f)
{
	cJSON *root;
	enum av_err e;

	if (text.len > REQUEST_MAX)
		return bad(f, "it is over 16 MiB");
	root = json_parse(text);
	if (root == NULL)
		e = bad(f, "it does not parse");
	else if (has_nul_escape(text))
		e = bad(f, "\\u0000 may not stand in it");
	else if (!cJSON_IsObject(root))
		e = bad(f, "it is no object");
	else
		e = add_parsed(v, root, f);
	cJSON_Delete(root);
	return e;
}

enum av_err
request_json_file(struct invocation *v, const char *path, struct fault *f)
{
	struct buf text;
	int fd = io_open_input(path);
	bool again;
	size_t n = 1;
	enum av_err e = AV_OK;

	if (fd < 0)
		return fault_set(f, AV_EINVAL, "request_file", "", "%.300s cannot be read: %s",
		    path, strerror(errno));
	buf_init(&text, REQUEST_MAX);
	while (e == AV_OK && n > 0)
		e = io_read_some(fd, &text, 65536, &n, &again);
	io_close(&fd);
	if (e == AV_OK)
		e = request_json_text(v, (struct str){(const char *)text.data, text.len}, f);
	else
		(void)fault_set(
		    f, e, "request_file", "", "%.300s cannot be read or is over 16 MiB", path);
	buf_clear(&text);
	return e;
}
