/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "broker/envelope.h"
#include "base/json_reader.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define R(members) "{\"capability\":\"acme/any\",\"request\":{" members "}}"
#define MP "\"method\":\"POST\",\"path\":\"/v1\""

static struct str
span(const struct buf *b)
{
	return (struct str){b->len > 0 ? (const char *)b->data : "", b->len};
}

static void
expect(struct str text, enum av_err err, const char *reason)
{
	struct envelope v;
	struct fault f = {0};
	enum av_err e;

	envelope_init(&v);
	e = envelope_parse(&v, text, &f);
	if (e != err || (e != AV_OK && strcmp(f.reason, reason) != 0))
		fail_msg("%.*s: %s, %s: %s", text.len > 200 ? 200 : (int)text.len, text.p,
		    av_err_name(e), f.reason, f.message);
	if (e != AV_OK) {
		assert_true(f.message[0] != '\0' && f.remedy[0] != '\0');
		assert_int_equal(f.err, e);
	}
	envelope_clear(&v);
}

static void
test_every_field_is_taken(void **state)
{
	static const char text[] =
	    " {\"capability\":\"acme\\/any\", \"credential\":\"acme\",\"workspaceId\":\"w\",\n"
	    "\"groupId\":\"g\",\"timeoutMs\":5000,\"request\":{\"method\":\"PUT\",\"path\":\"/"
	    "a?b=c\","
	    "\"headers\":[{\"name\":\"X-One\",\"value\":\"1\"},{\"value\":\" two "
	    "\",\"name\":\"x-two\"}],"
	    "\"body\":\"hi\",\"bodyBase64\":null}}\r\n";
	struct envelope v;
	struct fault f;

	(void)state;
	envelope_init(&v);
	assert_int_equal(envelope_parse(&v, STR_LIT(text), &f), AV_OK);
	assert_true(str_eq_cstr(span(&v.capability), "acme/any"));
	assert_true(str_eq_cstr(span(&v.credential), "acme"));
	assert_true(str_eq_cstr(span(&v.workspace), "w"));
	assert_true(str_eq_cstr(span(&v.group), "g"));
	assert_true(str_eq_cstr(v.timeout, "5000"));
	assert_true(str_eq_cstr(span(&v.method), "PUT"));
	assert_true(str_eq_cstr(span(&v.path), "/a?b=c"));
	assert_true(str_eq_cstr(span(&v.body), "hi"));
	assert_int_equal(v.headers.count, 2);
	assert_true(str_eq_cstr(header_list_find(&v.headers, STR_LIT("x-two"))->value, "two"));
	envelope_clear(&v);
}

static void
test_body_keeps_every_byte(void **state)
{
	static const struct {
		const char *json;
		struct str body;
	} rows[] = {
	    {R(MP ",\"body\":\"a\\u0000b\""), {"a\0b", 3}},
	    {R(MP ",\"body\":\"{\\\"n\\\":9007199254740993}\""), {"{\"n\":9007199254740993}", 22}},
	    {R(MP ",\"body\":\"\\ud83d\\ude00\\u00e9\\u20ac\""),
	        {"\xf0\x9f\x98\x80\xc3\xa9\xe2\x82\xac", 9}},
	    {R(MP ",\"body\":\"\xf0\x9f\x98\x80\""), {"\xf0\x9f\x98\x80", 4}},
	    {R(MP ",\"body\":\"\\b\\f\\n\\r\\t\\/\\\\\\\"\""), {"\b\f\n\r\t/\\\"", 8}},
	    {R(MP ",\"bodyBase64\":\"AP+AfwA=\""), {"\0\xff\x80\x7f\0", 5}},
	    {R(MP ",\"bodyBase64\":\"\""), {"", 0}},
	    {R(MP ",\"body\":null"), {"", 0}},
	    {R(MP), {"", 0}},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct envelope v;
		struct fault f;

		envelope_init(&v);
		if (envelope_parse(&v, str_of(rows[i].json), &f) != AV_OK)
			fail_msg("%s: %s", rows[i].json, f.message);
		assert_int_equal(v.body.len, rows[i].body.len);
		assert_true(str_eq(span(&v.body), rows[i].body));
		envelope_clear(&v);
	}
}

static void
test_each_refusal_has_its_reason(void **state)
{
	static const struct {
		const char *json;
		enum av_err err;
		const char *reason;
	} rows[] = {
	    {"", AV_EFORMAT, "json"},
	    {"[]", AV_EFORMAT, "json"},
	    {"{}", AV_EINVAL, "envelope_missing"},
	    {"{\"capability\":\"a/b\"}", AV_EINVAL, "envelope_missing"},
	    {"{\"request\":{" MP "}}", AV_EINVAL, "envelope_missing"},
	    {R("\"method\":\"GET\""), AV_EINVAL, "envelope_missing"},
	    {R("\"path\":\"/\""), AV_EINVAL, "envelope_missing"},
	    {R(MP ",\"url\":\"https://evil.test/\""), AV_EINVAL, "envelope_url"},
	    {R(MP ",\"url\":null"), AV_EINVAL, "envelope_url"},
	    {R(MP ",\"bodyFilePath\":\"/etc/passwd\""), AV_EINVAL, "envelope_file"},
	    {R(MP ",\"multipart\":{}"), AV_EINVAL, "envelope_multipart"},
	    {R(MP ",\"multipartFiles\":[]"), AV_EINVAL, "envelope_multipart"},
	    {R(MP ",\"host\":\"evil.test\""), AV_EINVAL, "envelope_key"},
	    {R(MP ",\"Body\":\"x\""), AV_EINVAL, "envelope_key"},
	    {"{\"capability\":\"a/b\",\"url\":1,\"request\":{" MP "}}", AV_EINVAL, "envelope_key"},
	    {R(MP ",\"path\":\"/v2\""), AV_EINVAL, "envelope_duplicate_key"},
	    {R(MP ",\"p\\u0061th\":\"/v2\""), AV_EINVAL, "envelope_duplicate_key"},
	    {R(MP ",\"body\":\"a\",\"body\":\"b\""), AV_EINVAL, "envelope_duplicate_key"},
	    {"{\"capability\":\"a/b\",\"capability\":\"a/c\",\"request\":{" MP "}}", AV_EINVAL,
	        "envelope_duplicate_key"},
	    {R(MP ",\"headers\":[{\"name\":\"a\",\"name\":\"b\",\"value\":\"c\"}]"), AV_EINVAL,
	        "envelope_duplicate_key"},
	    {R(MP ",\"body\":\"\",\"bodyBase64\":\"eA==\""), AV_EINVAL, "envelope_body_mode"},
	    {R(MP ",\"bodyBase64\":\"eA==\",\"body\":\"x\""), AV_EINVAL, "envelope_body_mode"},
	    {R(MP ",\"bodyBase64\":\"eA\""), AV_EINVAL, "envelope_base64"},
	    {R(MP ",\"bodyBase64\":\"e A=\""), AV_EINVAL, "envelope_base64"},
	    {R(MP ",\"bodyBase64\":\"eB==\""), AV_EINVAL, "envelope_base64"},
	    {R(MP ",\"body\":{\"a\":1}"), AV_EINVAL, "envelope_type"},
	    {R(MP ",\"body\":12"), AV_EINVAL, "envelope_type"},
	    {R("\"method\":1,\"path\":\"/\""), AV_EINVAL, "envelope_type"},
	    {R(MP ",\"headers\":{\"a\":\"b\"}"), AV_EINVAL, "envelope_type"},
	    {R(MP ",\"headers\":[[\"a\",\"b\"]]"), AV_EFORMAT, "json"},
	    {R(MP ",\"headers\":[{\"name\":\"a\"}]"), AV_EINVAL, "envelope_missing"},
	    {R(MP ",\"headers\":[{\"name\":\"a b\",\"value\":\"\"}]"), AV_EFORMAT,
	        "envelope_header"},
	    {R(MP ",\"headers\":[{\"name\":\"\",\"value\":\"\"}]"), AV_EFORMAT, "envelope_header"},
	    {R(MP ",\"headers\":[{\"name\":\"a\",\"value\":\"b\\r\\nc: d\"}]"), AV_EFORMAT,
	        "envelope_header"},
	    {R(MP ",\"headers\":[{\"name\":\"a\",\"value\":\"b\\u0000\"}]"), AV_EFORMAT,
	        "envelope_header"},
	    {"{\"capability\":\"a/b\",\"timeoutMs\":\"5\",\"request\":{" MP "}}", AV_EINVAL,
	        "envelope_type"},
	    {R(MP) "x", AV_EFORMAT, "json"},
	    {R(MP) "{}", AV_EFORMAT, "json"},
	    {R(MP ",\"body\":\"\\ud800\""), AV_EFORMAT, "json"},
	    {R(MP ",\"body\":\"\\udc00\\ud800\""), AV_EFORMAT, "json"},
	    {R(MP ",\"body\":\"\\ud800\\u0041\""), AV_EFORMAT, "json"},
	    {R(MP ",\"body\":\"\xff\""), AV_EFORMAT, "json"},
	    {R(MP ",\"body\":\"\xed\xa0\x80\""), AV_EFORMAT, "json"},
	    {R(MP ",\"body\":\"a\nb\""), AV_EFORMAT, "json"},
	    {R(MP ",\"body\":\"\\x41\""), AV_EFORMAT, "json"},
	    {R(MP ",\"body\":'a'"), AV_EFORMAT, "json"},
	    {R(MP ","), AV_EFORMAT, "json"},
	    {R("," MP), AV_EFORMAT, "json"},
	    {R(MP ",\"body\":\"a"), AV_EFORMAT, "json"},
	    {"\xef\xbb\xbf" R(MP), AV_EFORMAT, "json"},
	    {R(MP ",\"x\":nul"), AV_EFORMAT, "json"},
	    {"{\"timeoutMs\":01,\"capability\":\"a/b\",\"request\":{" MP "}}", AV_EFORMAT, "json"},
	    {R(MP ",\"x\":NaN"), AV_EFORMAT, "json"},
	    {R(MP ",\"x\":[1,]"), AV_EFORMAT, "json"},
	    {R(MP "/**/"), AV_EFORMAT, "json"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		expect(str_of(rows[i].json), rows[i].err, rows[i].reason);
}

/* R(MP ,"x": ) around `levels` arrays. */
static void
expect_depth(unsigned levels, enum av_err err, const char *reason)
{
	char text[1024], nest[512];
	int n;

	memset(nest, '[', levels);
	memset(nest + levels, ']', levels);
	n = snprintf(text, sizeof(text),
	    "{\"capability\":\"a/b\",\"request\":{\"body\":%.*s,\"method\":\"GET\",\"path\":\"/"
	    "\"}}",
	    (int)(2 * levels), nest);
	assert_true(n > 0 && (size_t)n < sizeof(text));
	expect(str_of(text), err, reason);
}

static void
test_each_limit_is_named(void **state)
{
	struct buf text;
	size_t i;

	(void)state;
	/* The envelope and its request are two levels. */
	expect_depth(JSON_DEPTH_MAX - 2, AV_EINVAL, "envelope_type");
	expect_depth(JSON_DEPTH_MAX - 1, AV_ELIMIT, "json_depth");
	buf_init(&text, 2 * ENVELOPE_MAX);
	(void)buf_append_str(&text, "{\"capability\":\"a/b\",\"request\":{" MP ",\"headers\":[");
	for (i = 0; i <= HEADER_MAX_COUNT; i++)
		(void)buf_appendf(
		    &text, "%s{\"name\":\"x-%zu\",\"value\":\"\"}", i == 0 ? "" : ",", i);
	(void)buf_append_str(&text, "]}}");
	expect(span(&text), AV_ELIMIT, "envelope_too_many_headers");
	buf_reset(&text);
	(void)buf_append_str(
	    &text, "{\"capability\":\"a/b\",\"request\":{\"method\":\"GET\",\"path\":\"/");
	for (i = 0; i < 17 * 1024; i++)
		(void)buf_append_byte(&text, 'a');
	(void)buf_append_str(&text, "\"}}");
	expect(span(&text), AV_ELIMIT, "path_too_long");
	buf_reset(&text);
	(void)buf_append_str(&text, R(MP));
	while (text.len <= ENVELOPE_MAX)
		(void)buf_append_byte(&text, ' ');
	expect(span(&text), AV_ETOOBIG, "envelope_too_big");
	text.len--;
	expect(span(&text), AV_OK, "");
	buf_clear(&text);
}

/* Every text that is cut short is refused, and nothing is read past its end. */
static void
test_cut_envelope_is_refused(void **state)
{
	static const char text[] =
	    R(MP ",\"headers\":[{\"name\":\"a\",\"value\":\"b\"}],\"body\":\"\\u00e9\"");

	(void)state;
	for (size_t n = 0; n < sizeof(text) - 1; n++) {
		struct envelope v;
		struct fault f;
		char *copy = malloc(n + 1);

		assert_non_null(copy);
		memcpy(copy, text, n);
		envelope_init(&v);
		assert_int_not_equal(envelope_parse(&v, (struct str){copy, n}, &f), AV_OK);
		envelope_clear(&v);
		free(copy);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_every_field_is_taken),
	    cmocka_unit_test(test_body_keeps_every_byte),
	    cmocka_unit_test(test_each_refusal_has_its_reason),
	    cmocka_unit_test(test_each_limit_is_named),
	    cmocka_unit_test(test_cut_envelope_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
