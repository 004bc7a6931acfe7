/* SPDX-License-Identifier: Apache-2.0 */
/* Every Lua block of docs/POLICY-API.md is a whole file; here each one is loaded. */
#include "harness.h"

#include "base/buf.h"
#include "base/io.h"

#include <fcntl.h>

/* Finds `return <kind> "name"` in the block; the file is then <dir>/<name>.lua. */
static bool
path_of_block(struct str block, const char *kind, const char *dir, char *out, size_t size)
{
	char mark[32];
	snprintf(mark, sizeof(mark), "return %s \"", kind);
	const char *at = memmem(block.p, block.len, mark, strlen(mark));
	if (at == NULL) {
		return false;
	}
	struct str rest = {at + strlen(mark), block.len - (size_t)(at - block.p) - strlen(mark)};
	struct str name, tail;
	assert_true(str_cut(rest, '"', &name, &tail));
	snprintf(out, size, "%s/%.*s.lua", dir, STR_FMT(name));
	return true;
}

static void
load_block(struct str block)
{
	char path[256], message[SANDBOX_MESSAGE_MAX + 1];
	if (path_of_block(block, "provider", "capabilities", path, sizeof(path))) {
		struct harness *h = harness_new_at(path, block.p, block.len);
		if (h->loaded != AV_OK) {
			fail_msg("%s", h->message);
		}
		harness_free(h);
		return;
	}
	assert_true(path_of_block(block, "policy", "policies", path, sizeof(path)));
	struct embedded_file *files = calloc(embedded_lua_count + 1, sizeof(*files));
	memcpy(files, embedded_lua, embedded_lua_count * sizeof(*files));
	files[embedded_lua_count] = (struct embedded_file){path, block.p, block.len};
	struct script_source source = {files, embedded_lua_count + 1};
	struct sandbox_limits limits = {SANDBOX_CHECK_MS, SANDBOX_MEMORY_BYTES};
	struct script s;
	if (script_init(&s, &source, NULL, &limits, message) != AV_OK) {
		fail_msg("%s", message);
	}
	script_clear(&s);
	free(files);
}

static void
test_every_example_of_the_manual_loads(void **state)
{
	(void)state;
	const char *root = getenv("AV_SOURCE_DIR");
	char path[4096];
	struct buf text;
	buf_init(&text, 256 * 1024);
	snprintf(path, sizeof(path), "%s/docs/POLICY-API.md", root != NULL ? root : ".");
	assert_int_equal(io_read_file(AT_FDCWD, path, 256 * 1024, &text), AV_OK);
	const char *end = (const char *)text.data + text.len, *p = (const char *)text.data;
	int blocks = 0;
	while ((p = memmem(p, (size_t)(end - p), "```lua\n", 7)) != NULL) {
		p += 7;
		const char *close = memmem(p, (size_t)(end - p), "```", 3);
		assert_non_null(close);
		load_block((struct str){p, (size_t)(close - p)});
		p = close + 3;
		blocks++;
	}
	assert_true(blocks >= 2);
	buf_clear(&text);
}

static void
test_every_auth_constructor_gives_its_kind(void **state)
{
	(void)state;
	static const struct {
		const char *call;
		enum auth_kind kind;
	} cases[] = {
	    {"auth.header('x-key', '{{secret}}')", AUTH_HEADER},
	    {"auth.query('key')", AUTH_QUERY},
	    {"auth.path('/bot{{secret}}')", AUTH_PATH},
	    {"auth.basic()", AUTH_BASIC},
	    {"auth.basic { username = 'api' }", AUTH_BASIC},
	    {"auth.multi_header { a = '{{secret}}', b = 'x {{other}}' }", AUTH_MULTI_HEADER},
	    {"auth.multi_query { a = '{{secret}}', b = 'x {{other}}' }", AUTH_MULTI_QUERY},
	    {"auth.oauth2 { grant = 'refresh_token', token_endpoint = 'https://a.example.com/t', "
	     "scopes = { 'a', 'b' } }",
	        AUTH_OAUTH2},
	    {"auth.aws_sigv4 { service = 's3', region = 'eu-west-1' }", AUTH_AWS_SIGV4},
	    {"auth.hmac { algorithm = 'sha256', header = 'x-sig', template = '{{signature}}' }",
	        AUTH_HMAC},
	    {"auth.mtls()", AUTH_MTLS},
	    {"auth.none()", AUTH_NONE},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char text[1024];
		snprintf(text, sizeof(text),
		    "return provider 'trial' { secrets = { K = 'secret' }, auth = %s,\n"
		    "hosts = { 'api.example.com' },\n"
		    "capability 'x' { methods = { 'GET' }, paths = { '/' } } }",
		    cases[i].call);
		struct harness *h = harness_new(text);
		if (h->loaded != AV_OK) {
			fail_msg("%s: %s", cases[i].call, h->message);
		}
		assert_int_equal(h->script.manifest->auth.kind, cases[i].kind);
		harness_free(h);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_every_example_of_the_manual_loads),
	    cmocka_unit_test(test_every_auth_constructor_gives_its_kind),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
