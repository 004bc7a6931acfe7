/* SPDX-License-Identifier: Apache-2.0 */
#include "reach/builtin.h"
#include "reach/manifest.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define OK(e) assert_int_equal((e), AV_OK)

static void
list(struct string_list *l, const char *a, const char *b)
{
	OK(string_list_add(l, str_of(a)));
	if (b != NULL)
		OK(string_list_add(l, str_of(b)));
}

static void
pair(struct pair_list *l, const char *name, const char *value)
{
	OK(pair_list_add(l, str_of(name), str_of(value)));
}

static char *
text(const char *s)
{
	char *copy = str_dup(str_of(s));

	assert_non_null(copy);
	return copy;
}

static void
replace(char **where, const char *s)
{
	free(*where);
	*where = text(s);
}

static void
fill_capability(struct capability *c, const char *id)
{
	c->id = text(id);
	c->about = text("About it");
	list(&c->hosts, "api.example.com", "*.files.example.com");
	list(&c->methods, "GET", "POST");
	list(&c->paths, "/v1/items", "/v1/files/");
	c->inspect = INSPECT_JSON;
	c->has_check = true;
	c->http = 1;
}

/* A provider with everything: two capabilities, one alternative. */
static struct manifest *
sample(const char *provider)
{
	struct manifest *m = manifest_new();
	struct alternative *a;
	char id[64];

	assert_non_null(m);
	m->provider = text(provider);
	snprintf(id, sizeof(id), "%s_KEY", provider);
	pair(&m->secrets, id, "secret");
	m->auth.kind = AUTH_HEADER;
	pair(&m->auth.pairs, "authorization", "Bearer {{secret}}");
	list(&m->hosts, "api.example.com", "*.files.example.com");
	m->capabilities = calloc(2, sizeof(*m->capabilities));
	assert_non_null(m->capabilities);
	m->capability_count = 2;
	snprintf(id, sizeof(id), "%s/items", provider);
	fill_capability(&m->capabilities[0], id);
	snprintf(id, sizeof(id), "%s/files", provider);
	fill_capability(&m->capabilities[1], id);
	m->capabilities[1].opaque_slash = true;
	m->capabilities[1].inspect = INSPECT_NONE;
	m->alternatives = calloc(1, sizeof(*m->alternatives));
	assert_non_null(m->alternatives);
	m->alternative_count = 1;
	a = &m->alternatives[0];
	a->id = text("login");
	a->auth.kind = AUTH_MULTI_HEADER;
	pair(&a->auth.pairs, "authorization", "Bearer {{access_token}}");
	pair(&a->auth.pairs, "x-account", "{{account.id}}");
	list(&a->hosts, "login.example.com", NULL);
	snprintf(id, sizeof(id), "%s_LOGIN", provider);
	pair(&a->secrets, id, "login");
	list(&a->capabilities, m->capabilities[0].id, NULL);
	a->priority = 100;
	a->path_prefix = text("/backend");
	return m;
}

static void
encode(const struct manifest *m, struct buf *b)
{
	struct frame_writer w;

	fw_begin(&w, b, BUILTIN_FRAME);
	manifest_encode(m, &w);
	OK(fw_end(&w));
}

static void
test_manifest_survives_the_wire(void **state)
{
	struct manifest *m = sample("example"), *copy = NULL;
	const struct capability *c;
	struct frame_reader r;
	struct frame frame;
	struct buf one, two;
	size_t used;

	(void)state;
	buf_init(&one, FRAME_MAX);
	buf_init(&two, FRAME_MAX);
	encode(m, &one);
	OK(frame_parse(one.data, one.len, &frame, &used));
	fr_begin(&r, &frame);
	OK(manifest_decode(&r, &copy));
	OK(fr_finish(&r));
	OK(manifest_validate(copy, NULL));
	encode(copy, &two);
	assert_int_equal(one.len, two.len);
	assert_memory_equal(one.data, two.data, one.len);
	c = manifest_capability(copy, STR_LIT("example/files"));
	assert_non_null(c);
	assert_string_equal(c->about, "About it");
	assert_true(c->opaque_slash);
	assert_true(c->has_check);
	assert_int_equal(c->http, 1);
	assert_int_equal(
	    manifest_capability(copy, STR_LIT("example/items"))->inspect, INSPECT_JSON);
	assert_null(manifest_capability(copy, STR_LIT("example/file")));
	assert_true(string_list_has(&c->methods, STR_LIT("POST")));
	assert_false(string_list_has(&c->methods, STR_LIT("post")));
	assert_int_equal(copy->alternatives[0].priority, 100);
	assert_string_equal(copy->alternatives[0].path_prefix, "/backend");
	assert_string_equal(copy->alternatives[0].auth.pairs.items[1].value, "{{account.id}}");
	manifest_free(copy);
	manifest_free(m);
	buf_clear(&one);
	buf_clear(&two);
}

static void
test_cut_or_damaged_manifest_is_refused(void **state)
{
	struct manifest *m = sample("example"), *copy;
	struct buf b;

	(void)state;
	buf_init(&b, FRAME_MAX);
	encode(m, &b);
	for (size_t len = 0; len < b.len - FRAME_HEADER_LEN; len++) {
		struct frame frame = {BUILTIN_FRAME, b.data + FRAME_HEADER_LEN, len};
		struct frame_reader r;
		fr_begin(&r, &frame);
		assert_int_not_equal(manifest_decode(&r, &copy), AV_OK);
		assert_null(copy);
	}
	/* Any one byte changed: an error or another manifest, never a crash or a leak. */
	for (size_t i = FRAME_HEADER_LEN; i < b.len; i++) {
		struct frame frame = {
		    BUILTIN_FRAME, b.data + FRAME_HEADER_LEN, b.len - FRAME_HEADER_LEN};
		struct frame_reader r;
		b.data[i] ^= 0xff;
		fr_begin(&r, &frame);
		if (manifest_decode(&r, &copy) == AV_OK)
			(void)!manifest_validate(copy, NULL);
		manifest_free(copy);
		b.data[i] ^= 0xff;
	}
	manifest_free(m);
	buf_clear(&b);
}

/* ---- rules ---- */

static void
expect(struct manifest *m, const char *reason)
{
	struct fault f = {0};
	enum av_err e = manifest_validate(m, &f);

	if (reason == NULL && e != AV_OK)
		fail_msg("refused: %s: %s", f.reason, f.message);
	if (reason != NULL && (e == AV_OK || strcmp(f.reason, reason) != 0))
		fail_msg("got %s, not %s", e == AV_OK ? "AV_OK" : f.reason, reason);
	manifest_free(m);
}

static struct manifest *
with_provider(const char *name)
{
	struct manifest *m = sample("example");

	replace(&m->provider, name);
	return m;
}

static void
test_provider_and_ids_have_their_form(void **state)
{
	struct manifest *m;

	(void)state;
	expect(sample("example"), NULL);
	expect(sample("remove-bg2"), NULL);
	expect(with_provider(""), "manifest_bad_provider");
	expect(with_provider("Example"), "manifest_bad_provider");
	expect(with_provider("-example"), "manifest_bad_provider");
	expect(with_provider("exa.mple"), "manifest_bad_provider");
	expect(with_provider("exa/mple"), "manifest_bad_provider");
	/* The capabilities are another provider's then. */
	expect(with_provider("exampl"), "manifest_bad_id");
	expect(with_provider("other"), "manifest_bad_id");
	m = sample("example");
	replace(&m->capabilities[1].id, "example/items");
	expect(m, "manifest_twice");
	m = sample("example");
	replace(&m->capabilities[1].id, "example");
	expect(m, "manifest_bad_id");
	m = sample("example");
	replace(&m->capabilities[1].id, "example/");
	expect(m, "manifest_bad_id");
	m = sample("example");
	replace(&m->capabilities[1].id, "example/-");
	expect(m, "manifest_bad_id");
	m = sample("example");
	replace(&m->capabilities[1].id, "example/Items");
	expect(m, "manifest_bad_id");
	m = manifest_new();
	expect(m, "manifest_bad_provider");
}

/* One string in a list of the first capability is replaced. */
static void
expect_host(const char *host, const char *reason)
{
	struct manifest *m = sample("example");

	replace(&m->capabilities[0].hosts.items[0], host);
	expect(m, reason);
	m = sample("example");
	replace(&m->hosts.items[1], host);
	expect(m, reason);
	m = sample("example");
	replace(&m->alternatives[0].hosts.items[0], host);
	expect(m, reason);
}

static void
test_hosts_are_public_names_or_patterns(void **state)
{
	struct manifest *m;

	(void)state;
	expect_host("b.example.com", NULL);
	expect_host("*.example.com", NULL);
	expect_host("b.example.com:8443", NULL);
	expect_host("*.com", "host_no_dot");
	expect_host("localhost", "host_no_dot");
	expect_host("127.0.0.1", "host_is_address");
	expect_host("user@example.com", "host_bad_byte");
	expect_host("example.com/x", "host_bad_byte");
	expect_host("", "host_empty");
	m = sample("example");
	replace(&m->hosts.items[1], "api.example.com");
	expect(m, "manifest_twice");
	m = sample("example");
	string_list_clear(&m->capabilities[0].hosts);
	expect(m, "manifest_no_host");
	m = sample("example");
	string_list_clear(&m->hosts);
	expect(m, "manifest_no_host");
}

static void
expect_method(const char *method, const char *reason)
{
	struct manifest *m = sample("example");

	replace(&m->capabilities[0].methods.items[1], method);
	expect(m, reason);
}

static void
expect_path(const char *path, const char *reason)
{
	struct manifest *m = sample("example");

	replace(&m->capabilities[0].paths.items[1], path);
	expect(m, reason);
}

static void
test_methods_are_known_and_unique(void **state)
{
	struct manifest *m;

	(void)state;
	expect_method("DELETE", NULL);
	expect_method("delete", "manifest_bad_method");
	expect_method("*", "manifest_bad_method");
	expect_method("CONNECT", "manifest_bad_method");
	expect_method("", "manifest_bad_method");
	expect_method("GET", "manifest_twice");
	m = sample("example");
	string_list_clear(&m->capabilities[0].methods);
	expect(m, "manifest_no_method");
}

static void
test_i5_path_prefixes_are_canonical(void **state)
{
	struct manifest *m;

	(void)state;
	expect_path("/", NULL);
	expect_path("/users.", NULL);
	expect_path("/v1/models:", NULL);
	expect_path("/caf%C3%A9", NULL);
	expect_path("", "path_not_absolute");
	expect_path("v1", "path_not_absolute");
	expect_path("/v1?x", "manifest_bad_path");
	expect_path("/v1?", "manifest_bad_path");
	expect_path("/caf%c3%a9", "manifest_bad_path");
	expect_path("/%41", "manifest_bad_path");
	expect_path("/a/../b", "path_dot_segment");
	expect_path("/..", "path_dot_segment");
	expect_path("//", "path_empty_segment");
	expect_path("/a%2Fb", "path_encoded_slash");
	expect_path("/a#", "path_fragment");
	expect_path("/a*[", "path_raw_byte");
	expect_path("/v1/items", "manifest_twice");
	m = sample("example");
	replace(&m->capabilities[1].paths.items[0], "/a%2Fb//c");
	expect(m, NULL);
	m = sample("example");
	string_list_clear(&m->capabilities[0].paths);
	expect(m, "manifest_no_path");
}

static void
test_alternatives_name_what_the_provider_has(void **state)
{
	struct manifest *m = sample("example");

	(void)state;
	replace(&m->alternatives[0].capabilities.items[0], "example/nothing");
	expect(m, "manifest_unknown_capability");
	m = sample("example");
	list(&m->alternatives[0].capabilities, "example/items", NULL);
	expect(m, "manifest_twice");
	m = sample("example");
	replace(&m->alternatives[0].id, "Login");
	expect(m, "manifest_bad_id");
	m = sample("example");
	replace(&m->alternatives[0].path_prefix, "");
	expect(m, NULL);
	m = sample("example");
	replace(&m->alternatives[0].path_prefix, "/backend/");
	expect(m, "manifest_bad_path");
	m = sample("example");
	replace(&m->alternatives[0].path_prefix, "/a/..");
	expect(m, "path_dot_segment");
	m = sample("example");
	replace(&m->alternatives[0].path_prefix, "backend");
	expect(m, "path_not_absolute");
}

static void
test_secrets_and_placeholders_fit_together(void **state)
{
	struct manifest *m = sample("example");

	(void)state;
	replace(&m->secrets.items[0].value, "token");
	expect(m, "manifest_unknown_placeholder");
	m = sample("example");
	replace(&m->secrets.items[0].name, "A B");
	expect(m, "manifest_bad_secret");
	m = sample("example");
	replace(&m->secrets.items[0].name, "");
	expect(m, "manifest_bad_secret");
	m = sample("example");
	replace(&m->secrets.items[0].value, "{{secret}}");
	expect(m, "manifest_bad_placeholder");
	m = sample("example");
	pair(&m->secrets, "example_KEY", "other");
	expect(m, "manifest_twice");
	m = sample("example");
	pair(&m->secrets, "OTHER", "secret");
	expect(m, "manifest_twice");
	/* Two secrets make up a composite: then the fields are known. */
	m = sample("example");
	pair(&m->alternatives[0].secrets, "OTHER", "other");
	expect(m, "manifest_unknown_placeholder");
	m = sample("example");
	replace(&m->alternatives[0].secrets.items[0].value, "access_token");
	pair(&m->alternatives[0].secrets, "OTHER", "account.id");
	expect(m, NULL);
	m = sample("example");
	pair_list_clear(&m->secrets);
	expect(m, NULL);
}

static void
test_counts_and_lengths_have_limits(void **state)
{
	struct manifest *m = sample("example");
	static char long_path[MANIFEST_MAX_TEXT + 2];
	char name[64];

	(void)state;
	for (unsigned i = 0; i < MANIFEST_MAX_HOSTS; i++) {
		snprintf(name, sizeof(name), "h%u.example.com", i);
		list(&m->hosts, name, NULL);
	}
	expect(m, "manifest_too_many");
	m = sample("example");
	for (unsigned i = 0; i < MANIFEST_MAX_PATHS; i++) {
		snprintf(name, sizeof(name), "/p%u", i);
		list(&m->capabilities[0].paths, name, NULL);
	}
	expect(m, "manifest_too_many");
	m = sample("example");
	for (unsigned i = 0; i < MANIFEST_MAX_SECRETS; i++) {
		snprintf(name, sizeof(name), "s%u", i);
		pair(&m->secrets, name, name);
	}
	expect(m, "manifest_too_many");
	memset(long_path, 'a', sizeof(long_path) - 1);
	long_path[0] = '/';
	expect_path(long_path, "manifest_too_long");
	m = sample("example");
	m->capabilities[0].http = 0;
	expect(m, "manifest_bad_http");
	m = sample("example");
	m->capabilities[0].http = 3;
	expect(m, "manifest_bad_http");
	m = sample("example");
	m->capabilities[0].http = 2;
	expect(m, "manifest_http2");
}

static void
test_capability_made_alone_needs_no_provider(void **state)
{
	struct capability c = {0};
	struct fault f = {0};

	(void)state;
	fill_capability(&c, "weather");
	OK(capability_validate(&c, &f));
	replace(&c.id, "a//b");
	assert_int_not_equal(capability_validate(&c, &f), AV_OK);
	assert_string_equal(f.reason, "manifest_bad_id");
	capability_clear(&c);
	assert_int_not_equal(capability_validate(&c, NULL), AV_OK);
}

/* ---- auth ---- */

struct auth_case {
	enum auth_kind kind;
	const char *pairs[8]; /* name, value, ... */
	const char *reason; /* NULL: fine */
};

static const struct auth_case auth_cases[] = {
    {AUTH_NONE, {NULL}, NULL},
    {AUTH_NONE, {"a", "b"}, "auth_bad_shape"},
    {AUTH_MTLS, {NULL}, NULL},
    {AUTH_HEADER, {"authorization", "Bearer {{secret}}"}, NULL},
    {AUTH_HEADER, {"X-Api-Key", "{{secret}}"}, NULL},
    {AUTH_HEADER, {NULL}, "auth_bad_shape"},
    {AUTH_HEADER, {"a", "{{secret}}", "b", "{{secret}}"}, "auth_bad_shape"},
    {AUTH_HEADER, {"", "{{secret}}"}, "auth_bad_header_name"},
    {AUTH_HEADER, {"a b", "{{secret}}"}, "auth_bad_header_name"},
    {AUTH_HEADER, {"a:", "{{secret}}"}, "auth_bad_header_name"},
    {AUTH_HEADER, {"a\r\nb", "{{secret}}"}, "auth_bad_header_name"},
    {AUTH_HEADER, {"Host", "{{secret}}"}, "auth_reserved_header"},
    {AUTH_HEADER, {"Connection", "{{secret}}"}, "auth_reserved_header"},
    {AUTH_HEADER, {"Content-Length", "{{secret}}"}, "auth_reserved_header"},
    {AUTH_HEADER, {"Transfer-Encoding", "{{secret}}"}, "auth_reserved_header"},
    {AUTH_HEADER, {"X-Original-URL", "{{secret}}"}, "auth_reserved_header"},
    {AUTH_HEADER, {"a", "Bearer"}, "auth_no_placeholder"},
    {AUTH_HEADER, {"a", ""}, "auth_no_placeholder"},
    {AUTH_HEADER, {"a", "{{token}}"}, "auth_bad_placeholder"},
    {AUTH_HEADER, {"a", "{{secret}} {{token}}"}, "auth_bad_placeholder"},
    {AUTH_HEADER, {"a", "{secret}"}, "auth_bad_template"},
    {AUTH_HEADER, {"a", "{{secret}"}, "auth_bad_template"},
    {AUTH_HEADER, {"a", "{{secret"}, "auth_bad_template"},
    {AUTH_HEADER, {"a", "{{ secret }}"}, "auth_bad_template"},
    {AUTH_HEADER, {"a", "{{{secret}}}"}, "auth_bad_template"},
    {AUTH_HEADER, {"a", "{{}}"}, "auth_bad_template"},
    {AUTH_HEADER, {"a", "{{secret}} }}"}, "auth_bad_template"},
    {AUTH_HEADER, {"a", "x\r\ny: {{secret}}"}, "auth_bad_template"},
    {AUTH_QUERY, {"api_key", ""}, NULL},
    {AUTH_QUERY, {"", ""}, "auth_bad_parameter"},
    {AUTH_QUERY, {"a&b", ""}, "auth_bad_parameter"},
    {AUTH_QUERY, {"a=b", ""}, "auth_bad_parameter"},
    {AUTH_QUERY, {"a", "{{secret}}"}, "auth_bad_shape"},
    {AUTH_PATH, {"", "/bot{{secret}}"}, NULL},
    {AUTH_PATH, {"", "/{{secret}}"}, NULL},
    {AUTH_PATH, {"", "/a/{{secret}}/b"}, NULL},
    {AUTH_PATH, {"x", "/bot{{secret}}"}, "auth_bad_shape"},
    {AUTH_PATH, {"", "bot{{secret}}"}, "auth_bad_template"},
    {AUTH_PATH, {"", "/bot"}, "auth_no_placeholder"},
    {AUTH_PATH, {"", "/{{secret}}/{{secret}}"}, "auth_bad_placeholder"},
    {AUTH_PATH, {"", "/{{token}}"}, "auth_bad_placeholder"},
    {AUTH_PATH, {"", "/a?k={{secret}}"}, "auth_bad_template"},
    {AUTH_PATH, {"", "/a#{{secret}}"}, "auth_bad_template"},
    {AUTH_PATH, {"", "/../{{secret}}"}, "auth_bad_template"},
    {AUTH_PATH, {"", "//{{secret}}"}, "auth_bad_template"},
    {AUTH_BASIC, {NULL}, NULL},
    {AUTH_BASIC, {"username", "api"}, NULL},
    {AUTH_BASIC, {"username", ""}, "auth_missing_setting"},
    {AUTH_BASIC, {"username", "a:b"}, "auth_bad_setting"},
    {AUTH_BASIC, {"username", "a\nb"}, "auth_bad_setting"},
    {AUTH_BASIC, {"password", "x"}, "auth_unknown_setting"},
    {AUTH_MULTI_HEADER, {"dd-api-key", "{{api}}", "dd-app-key", "{{app}}"}, NULL},
    {AUTH_MULTI_HEADER, {NULL}, "auth_bad_shape"},
    {AUTH_MULTI_HEADER, {"a", "{{x}}", "A", "{{y}}"}, "auth_name_twice"},
    {AUTH_MULTI_HEADER, {"host", "{{x}}"}, "auth_reserved_header"},
    {AUTH_MULTI_HEADER, {"a", "constant"}, "auth_no_placeholder"},
    {AUTH_MULTI_QUERY, {"key", "{{key}}", "token", "{{token}}"}, NULL},
    {AUTH_MULTI_QUERY, {"k", "{{a}}", "k", "{{b}}"}, "auth_name_twice"},
    {AUTH_MULTI_QUERY, {"k?", "{{a}}"}, "auth_bad_parameter"},
    {AUTH_OAUTH2,
        {"grant", "refresh_token", "token_endpoint", "https://a.example.com/token", "scopes",
            "a b"},
        NULL},
    {AUTH_OAUTH2, {"grant", "refresh_token"}, "auth_missing_setting"},
    {AUTH_OAUTH2, {"grant", "password", "token_endpoint", "https://a.example.com/t"},
        "auth_bad_setting"},
    {AUTH_OAUTH2, {"grant", "refresh_token", "token_endpoint", "http://a.example.com/t"},
        "auth_bad_endpoint"},
    {AUTH_OAUTH2, {"grant", "refresh_token", "token_endpoint", "https://a.example.com"},
        "auth_bad_endpoint"},
    {AUTH_OAUTH2, {"grant", "refresh_token", "token_endpoint", "https://127.0.0.1/t"},
        "host_is_address"},
    {AUTH_OAUTH2, {"grant", "refresh_token", "token_endpoint", "https://u@a.example.com/t"},
        "host_bad_byte"},
    {AUTH_OAUTH2, {"grant", "refresh_token", "token_endpoint", "https://*.example.com/t"},
        "host_wildcard"},
    {AUTH_OAUTH2, {"grant", "refresh_token", "token_endpoint", "https://a.example.com/a/../t"},
        "path_dot_segment"},
    {AUTH_AWS_SIGV4, {"service", "s3", "region", "us-east-1"}, NULL},
    {AUTH_AWS_SIGV4, {"service", "s3"}, "auth_missing_setting"},
    {AUTH_AWS_SIGV4, {"service", "s3/x", "region", "us-east-1"}, "auth_bad_setting"},
    {AUTH_HMAC,
        {"algorithm", "sha256", "header", "x-signature", "template", "sha256={{signature}}"}, NULL},
    {AUTH_HMAC, {"algorithm", "md5", "header", "x-signature", "template", "{{signature}}"},
        "auth_bad_setting"},
    {AUTH_HMAC, {"algorithm", "sha256", "header", "host", "template", "{{signature}}"},
        "auth_reserved_header"},
    {AUTH_HMAC, {"algorithm", "sha256", "header", "x-s", "template", "{{secret}}"},
        "auth_bad_placeholder"},
    {AUTH_KIND_COUNT, {NULL}, "auth_unknown_kind"},
};

static void
test_auth_descriptions_have_their_shape(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(auth_cases) / sizeof(auth_cases[0]); i++) {
		const struct auth_case *c = &auth_cases[i];
		struct auth_desc a = {.kind = c->kind};
		struct fault f = {0};
		enum av_err e;
		for (size_t k = 0; k + 1 < 8 && c->pairs[k] != NULL; k += 2)
			pair(&a.pairs, c->pairs[k], c->pairs[k + 1]);
		e = auth_desc_validate(&a, &f);
		if ((c->reason == NULL) != (e == AV_OK) ||
		    (c->reason != NULL && strcmp(f.reason, c->reason) != 0))
			fail_msg("case %zu (%s): got \"%s\", not \"%s\"", i,
			    auth_kind_name(c->kind), f.reason, c->reason == NULL ? "" : c->reason);
		auth_desc_clear(&a);
	}
}

static void
test_auth_kinds_are_named_as_on_the_command_line(void **state)
{
	enum auth_kind k, back;

	(void)state;
	for (k = AUTH_NONE; k < AUTH_KIND_COUNT; k++) {
		assert_true(auth_kind_of(str_of(auth_kind_name(k)), &back));
		assert_int_equal(back, k);
	}
	assert_string_equal(auth_kind_name(AUTH_AWS_SIGV4), "aws-sigv4");
	assert_string_equal(auth_kind_name(AUTH_KIND_COUNT), "unknown");
	assert_false(auth_kind_of(STR_LIT("Header"), &back));
	assert_false(auth_kind_of(STR_LIT(""), &back));
}

static void
test_lists_refuse_text_with_a_nul(void **state)
{
	struct string_list l = {0};
	struct pair_list p = {0};

	(void)state;
	assert_int_equal(string_list_add(&l, STR_LIT("a\0b")), AV_EFORMAT);
	assert_int_equal(pair_list_add(&p, STR_LIT("a"), STR_LIT("a\0b")), AV_EFORMAT);
	assert_int_equal(l.count + p.count, 0);
}

/* ---- the built-in table ---- */

static void
test_i11_table_of_providers_is_read_whole_or_not_at_all(void **state)
{
	struct manifest *one = sample("one"), *two = sample("two");
	const struct manifest *owner = NULL;
	struct builtin b;
	struct buf bytes;

	(void)state;
	buf_init(&bytes, FRAME_MAX);
	encode(one, &bytes);
	encode(two, &bytes);
	OK(builtin_load(&b, bytes.data, bytes.len));
	assert_int_equal(b.count, 2);
	assert_string_equal(builtin_provider(&b, STR_LIT("two"))->provider, "two");
	assert_null(builtin_provider(&b, STR_LIT("tw")));
	assert_non_null(builtin_capability(&b, STR_LIT("two/files"), &owner));
	assert_string_equal(owner->provider, "two");
	assert_non_null(builtin_capability(&b, STR_LIT("one/items"), NULL));
	assert_null(builtin_capability(&b, STR_LIT("three/items"), NULL));
	assert_string_equal(builtin_claims(&b, STR_LIT("one_KEY"))->provider, "one");
	assert_string_equal(builtin_claims(&b, STR_LIT("two_LOGIN"))->provider, "two");
	assert_null(builtin_claims(&b, STR_LIT("two_login")));
	assert_null(builtin_claims(&b, STR_LIT("MY_KEY")));
	builtin_clear(&b);

	assert_int_not_equal(builtin_load(&b, bytes.data, bytes.len - 1), AV_OK);
	assert_int_equal(b.count, 0);
	encode(one, &bytes);
	assert_int_equal(builtin_load(&b, bytes.data, bytes.len), AV_EEXISTS);
	buf_reset(&bytes);
	replace(&one->hosts.items[0], "10.0.0.1");
	encode(one, &bytes);
	assert_int_not_equal(builtin_load(&b, bytes.data, bytes.len), AV_OK);
	buf_reset(&bytes);
	encode(two, &bytes);
	bytes.data[4] ^= 1; /* the frame's type */
	assert_int_equal(builtin_load(&b, bytes.data, bytes.len), AV_EFORMAT);
	OK(builtin_load(&b, bytes.data, 0));
	assert_int_equal(b.count, 0);
	builtin_clear(&b);
	manifest_free(one);
	manifest_free(two);
	buf_clear(&bytes);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_manifest_survives_the_wire),
	    cmocka_unit_test(test_cut_or_damaged_manifest_is_refused),
	    cmocka_unit_test(test_provider_and_ids_have_their_form),
	    cmocka_unit_test(test_hosts_are_public_names_or_patterns),
	    cmocka_unit_test(test_methods_are_known_and_unique),
	    cmocka_unit_test(test_i5_path_prefixes_are_canonical),
	    cmocka_unit_test(test_alternatives_name_what_the_provider_has),
	    cmocka_unit_test(test_secrets_and_placeholders_fit_together),
	    cmocka_unit_test(test_counts_and_lengths_have_limits),
	    cmocka_unit_test(test_capability_made_alone_needs_no_provider),
	    cmocka_unit_test(test_auth_descriptions_have_their_shape),
	    cmocka_unit_test(test_auth_kinds_are_named_as_on_the_command_line),
	    cmocka_unit_test(test_lists_refuse_text_with_a_nul),
	    cmocka_unit_test(test_i11_table_of_providers_is_read_whole_or_not_at_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
