/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/envelope.h"

#include "base/json_reader.h"
#include "http/target.h"

#include <string.h>

#define ENVELOPE_KEY_MAX 256u
#define ENVELOPE_METHOD_MAX 64u
#define REMEDY "Send {capability, request: {method, path, headers, body}}; see the manual."

/* A key of one of the three objects, and what takes its value. */
struct envelope_key {
	const char *name;
	bool needed;
	enum av_err (*take)(struct envelope *v, struct json_reader *r, struct fault *f);
};

struct envelope_object {
	const char *what;
	const struct envelope_key *keys;
	size_t count;
};

#define KEYS_MAX 16u

void
envelope_init(struct envelope *v)
{
	memset(v, 0, sizeof(*v));
	buf_init(&v->capability, ENVELOPE_ID_MAX);
	buf_init(&v->credential, ENVELOPE_ID_MAX);
	buf_init(&v->workspace, ENVELOPE_ID_MAX);
	buf_init(&v->group, ENVELOPE_ID_MAX);
	buf_init(&v->method, ENVELOPE_METHOD_MAX);
	/* One more than there may be, so that it is the target's own rule that refuses it. */
	buf_init(&v->path, TARGET_MAX + 1);
	header_list_init(&v->headers);
	buf_init(&v->body, ENVELOPE_MAX + 3);
	buf_init(&v->header_name, HEADER_MAX_BYTES);
	buf_init(&v->header_value, HEADER_MAX_BYTES);
}

void
envelope_clear(struct envelope *v)
{
	buf_clear(&v->capability);
	buf_clear(&v->credential);
	buf_clear(&v->workspace);
	buf_clear(&v->group);
	buf_clear(&v->method);
	buf_clear(&v->path);
	header_list_clear(&v->headers);
	buf_clear(&v->body);
	buf_clear(&v->header_name);
	buf_clear(&v->header_value);
}

static struct str
span(const struct buf *b)
{
	return (struct str){b->len > 0 ? (const char *)b->data : "", b->len};
}

/* ---- values --------------------------------------------------------------------------------------- */

static enum av_err
take_text(struct json_reader *r, struct buf *out, const char *key, struct fault *f)
{
	enum json_kind kind;
	enum av_err e = json_reader_peek(r, &kind);

	if (e == AV_OK && kind == JSON_NULL)
		return json_reader_skip(r);
	if (e == AV_OK && kind != JSON_STRING) {
		/* What is wrong inside it is the nearer fault. */
		e = json_reader_skip(r);
		return e != AV_OK ? e
		                  : fault_set(f, AV_EINVAL, "envelope_type", REMEDY,
		                        "The envelope's %s is no string.", key);
	}
	return e == AV_OK ? json_reader_string(r, out) : e;
}

static enum av_err
take_capability(struct envelope *v, struct json_reader *r, struct fault *f)
{
	return take_text(r, &v->capability, "capability", f);
}

static enum av_err
take_credential(struct envelope *v, struct json_reader *r, struct fault *f)
{
	return take_text(r, &v->credential, "credential", f);
}

static enum av_err
take_workspace(struct envelope *v, struct json_reader *r, struct fault *f)
{
	return take_text(r, &v->workspace, "workspaceId", f);
}

static enum av_err
take_group(struct envelope *v, struct json_reader *r, struct fault *f)
{
	return take_text(r, &v->group, "groupId", f);
}

static enum av_err
take_timeout(struct envelope *v, struct json_reader *r, struct fault *f)
{
	enum json_kind kind;
	enum av_err e = json_reader_peek(r, &kind);

	if (e == AV_OK && kind == JSON_NUMBER)
		return json_reader_number(r, &v->timeout);
	if (e == AV_OK)
		e = json_reader_skip(r);
	if (e != AV_OK || kind == JSON_NULL)
		return e;
	return fault_set(f, AV_EINVAL, "envelope_type", "Give milliseconds as a plain number.",
	    "The envelope's timeoutMs is no number.");
}

static enum av_err
take_method(struct envelope *v, struct json_reader *r, struct fault *f)
{
	return take_text(r, &v->method, "request.method", f);
}

static enum av_err
take_path(struct envelope *v, struct json_reader *r, struct fault *f)
{
	enum av_err e = take_text(r, &v->path, "request.path", f);

	if (e == AV_ELIMIT && buf_err(&v->path) == AV_ELIMIT)
		return fault_set(&r->fault, e, "path_too_long", "Shorten the path or the query.",
		    "Path and query are over %u bytes.", TARGET_MAX);
	return e;
}

/* One body there may be; *given: this is it. */
static enum av_err
take_body_mode(struct envelope *v, struct json_reader *r, bool *given, struct fault *f)
{
	enum json_kind kind;
	enum av_err e = json_reader_peek(r, &kind);

	*given = e == AV_OK && kind != JSON_NULL;
	if (*given && v->body_given)
		return fault_set(f, AV_EINVAL, "envelope_body_mode", "Give one of them.",
		    "The envelope has both body and bodyBase64.");
	v->body_given = v->body_given || *given;
	return e;
}

static enum av_err
take_body(struct envelope *v, struct json_reader *r, struct fault *f)
{
	bool given;
	enum av_err e = take_body_mode(v, r, &given, f);

	return e == AV_OK ? take_text(r, &v->body, "request.body", f) : e;
}

static enum av_err
take_base64(struct envelope *v, struct json_reader *r, struct fault *f)
{
	struct buf text;
	uint8_t *room;
	size_t n;
	bool given;
	enum av_err e = take_body_mode(v, r, &given, f);

	buf_init(&text, ENVELOPE_MAX);
	if (e == AV_OK)
		e = take_text(r, &text, "request.bodyBase64", f);
	n = text.len / 4 * 3 + 3;
	if (e == AV_OK && text.len > 0) {
		e = buf_reserve(&v->body, n, &room);
		if (e != AV_OK)
			fault_set(f, e, "out_of_memory", "", "Out of memory.");
		else if (b64_decode((struct str){(const char *)text.data, text.len}, room, &n) ==
		    AV_OK)
			buf_commit(&v->body, n);
		else
			e = fault_set(f, AV_EINVAL, "envelope_base64",
			    "Use the standard alphabet with padding (RFC 4648 section 4).",
			    "The envelope's bodyBase64 is not base64.");
	}
	buf_clear(&text);
	return e;
}

static enum av_err
refuse_url(struct envelope *v, struct json_reader *r, struct fault *f)
{
	(void)v;
	(void)r;
	return fault_set(f, AV_EINVAL, "envelope_url",
	    "Give method and path; the capability has the host.",
	    "An envelope may not choose where a request goes: url is refused.");
}

static enum av_err
refuse_file(struct envelope *v, struct json_reader *r, struct fault *f)
{
	(void)v;
	(void)r;
	return fault_set(f, AV_EINVAL, "envelope_file",
	    "Send the bytes, or use `aivault invoke --body-file-path`.",
	    "aivault opens no file for a caller: bodyFilePath is refused.");
}

static enum av_err
refuse_multipart(struct envelope *v, struct json_reader *r, struct fault *f)
{
	(void)v;
	(void)r;
	return fault_set(f, AV_EINVAL, "envelope_multipart",
	    "Build the body, or use `aivault invoke --multipart-field|--multipart-file`.",
	    "aivault builds no multipart body for a caller: multipart and multipartFiles are "
	    "refused.");
}

/* ---- objects -------------------------------------------------------------------------------------- */

static enum av_err
take_member(const struct envelope_object *o, struct envelope *v, struct json_reader *r,
    struct str key, bool seen[KEYS_MAX], struct fault *f)
{
	size_t i;
	enum av_err e;

	for (i = 0; i < o->count; i++) {
		if (!str_eq_cstr(key, o->keys[i].name))
			continue;
		if (seen[i])
			return fault_set(f, AV_EINVAL, "envelope_duplicate_key",
			    "Give each key once.", "The key %s stands twice in %s.",
			    o->keys[i].name, o->what);
		seen[i] = true;
		return o->keys[i].take(v, r, f);
	}
	e = json_reader_skip(r);
	if (e != AV_OK)
		return e;
	return fault_set(f, AV_EINVAL, "envelope_key", REMEDY,
	    "There is a key in %s that is not known there.", o->what);
}

static enum av_err
take_object(
    const struct envelope_object *o, struct envelope *v, struct json_reader *r, struct fault *f)
{
	bool seen[KEYS_MAX] = {false}, more = true;
	struct buf key;
	enum av_err e = json_reader_enter(r, JSON_OBJECT);
	size_t i;

	buf_init(&key, ENVELOPE_KEY_MAX);
	while (e == AV_OK && more) {
		buf_reset(&key);
		e = json_reader_next(r, JSON_OBJECT, &key, &more);
		if (e == AV_OK && more)
			e = take_member(o, v, r, span(&key), seen, f);
	}
	for (i = 0; i < o->count && e == AV_OK; i++) {
		if (o->keys[i].needed && !seen[i])
			e = fault_set(f, AV_EINVAL, "envelope_missing", REMEDY,
			    "There is no %s in %s.", o->keys[i].name, o->what);
	}
	buf_clear(&key);
	return e;
}

/* ---- the three objects ------------------------------------------------------------------------------ */

static enum av_err
take_header_name(struct envelope *v, struct json_reader *r, struct fault *f)
{
	return take_text(r, &v->header_name, "header's name", f);
}

static enum av_err
take_header_value(struct envelope *v, struct json_reader *r, struct fault *f)
{
	return take_text(r, &v->header_value, "header's value", f);
}

static enum av_err
take_header(struct envelope *v, struct json_reader *r, struct fault *f)
{
	static const struct envelope_key keys[] = {
	    {"name", true, take_header_name},
	    {"value", true, take_header_value},
	};
	static const struct envelope_object header = {
	    "a header", keys, sizeof(keys) / sizeof(keys[0])};
	enum av_err e;

	buf_reset(&v->header_name);
	buf_reset(&v->header_value);
	e = take_object(&header, v, r, f);
	if (e != AV_OK)
		return e;
	e = header_list_add(&v->headers, span(&v->header_name), span(&v->header_value));
	if (e == AV_ELIMIT && v->headers.count >= HEADER_MAX_COUNT)
		return fault_set(f, e, "envelope_too_many_headers", "Send fewer headers.",
		    "The envelope has over %u headers.", HEADER_MAX_COUNT);
	if (e == AV_ELIMIT)
		return fault_set(f, e, "envelope_headers_too_large", "Send shorter headers.",
		    "The envelope's headers are over %u bytes.", HEADER_MAX_BYTES);
	if (e != AV_OK)
		return fault_set(f, e, "envelope_header",
		    "Names are letters, digits and -; values have no control bytes.",
		    "A header of the envelope is malformed.");
	return AV_OK;
}

static enum av_err
take_headers(struct envelope *v, struct json_reader *r, struct fault *f)
{
	enum json_kind kind;
	bool more = true;
	enum av_err e = json_reader_peek(r, &kind);

	if (e == AV_OK && kind != JSON_ARRAY) {
		e = json_reader_skip(r);
		if (e != AV_OK || kind == JSON_NULL)
			return e;
		return fault_set(f, AV_EINVAL, "envelope_type", "Give [{name, value}].",
		    "The envelope's request.headers is no array.");
	}
	if (e == AV_OK)
		e = json_reader_enter(r, JSON_ARRAY);
	while (e == AV_OK && more) {
		e = json_reader_next(r, JSON_ARRAY, NULL, &more);
		if (e == AV_OK && more)
			e = take_header(v, r, f);
	}
	return e;
}

static enum av_err
take_request(struct envelope *v, struct json_reader *r, struct fault *f)
{
	static const struct envelope_key keys[] = {
	    {"method", true, take_method},
	    {"path", true, take_path},
	    {"headers", false, take_headers},
	    {"body", false, take_body},
	    {"bodyBase64", false, take_base64},
	    {"url", false, refuse_url},
	    {"bodyFilePath", false, refuse_file},
	    {"multipart", false, refuse_multipart},
	    {"multipartFiles", false, refuse_multipart},
	};
	static const struct envelope_object request = {
	    "the request", keys, sizeof(keys) / sizeof(keys[0])};

	return take_object(&request, v, r, f);
}

enum av_err
envelope_parse(struct envelope *v, struct str text, struct fault *f)
{
	static const struct envelope_key keys[] = {
	    {"capability", true, take_capability},
	    {"credential", false, take_credential},
	    {"workspaceId", false, take_workspace},
	    {"groupId", false, take_group},
	    {"timeoutMs", false, take_timeout},
	    {"request", true, take_request},
	};
	static const struct envelope_object envelope = {
	    "the envelope", keys, sizeof(keys) / sizeof(keys[0])};
	struct json_reader r;
	enum av_err e;

	f->err = AV_OK;
	if (text.len > ENVELOPE_MAX)
		return fault_set(f, AV_ETOOBIG, "envelope_too_big", "Use /i/<capability>/-/<path>.",
		    "The envelope is over %u bytes.", ENVELOPE_MAX);
	e = json_reader_init(&r, text, f);
	if (e != AV_OK)
		return e;
	e = take_object(&envelope, v, &r, f);
	if (e == AV_OK)
		e = json_reader_end(&r);
	if (r.fault.err != AV_OK) {
		*f = r.fault;
		e = r.fault.err;
	}
	return e;
}
