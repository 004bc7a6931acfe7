/* SPDX-License-Identifier: Apache-2.0 */
/* harness.h - a script text in the real sandbox, with the embedded vocabulary and policies. */
#ifndef AV_TEST_POLICY_HARNESS_H
#define AV_TEST_POLICY_HARNESS_H

#include "policy/embedded.h"
#include "policy/script.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
/* cmocka wants the four above first */
#include <cmocka.h>

#define HARNESS_HEAD                                                        \
	"return provider \"trial\" {\n"                                     \
	"  secrets = { TRIAL_KEY = \"secret\" },\n"                         \
	"  auth = auth.header(\"authorization\", \"Bearer {{secret}}\"),\n" \
	"  hosts = { \"api.example.com\" },\n"
#define HARNESS_CAPABILITY(extra)                                                             \
	HARNESS_HEAD "  capability \"x\" { methods = { \"POST\" }, paths = { \"/\" }, " extra \
	             " },\n}\n"
#define HARNESS_CHECK(body) \
	HARNESS_CAPABILITY("inspect = \"json\", check = function(req) " body " end")

struct harness {
	struct embedded_file *files;
	struct script_source source;
	struct script script;
	struct counter_table *counters;
	struct verdict_draft draft;
	struct judge_ask ask;
	struct header headers[8];
	struct policy_instance policies[4];
	struct str body;
	char message[SANDBOX_MESSAGE_MAX + 1];
	enum av_err loaded;
};

/* text NULL: the empty provider. `path`: "capabilities/<provider>.lua". */
static inline struct harness *
harness_new_at(const char *path, const char *text, size_t len)
{
	struct harness *h = calloc(1, sizeof(*h));
	h->files = calloc(embedded_lua_count + 1, sizeof(h->files[0]));
	size_t n = 0;
	for (size_t i = 0; i < embedded_lua_count; i++) {
		if (strncmp(embedded_lua[i].path, "capabilities/", 13) != 0) {
			h->files[n++] = embedded_lua[i];
		}
	}
	struct embedded_file *file = NULL;
	if (text != NULL) {
		h->files[n] = (struct embedded_file){path, text, len};
		file = &h->files[n++];
	}
	h->source = (struct script_source){h->files, n};
	h->counters = counter_table_new();
	struct sandbox_limits limits = {SANDBOX_CHECK_MS, SANDBOX_MEMORY_BYTES};
	h->loaded = script_init(&h->script, &h->source, file, &limits, h->message);
	h->ask = (struct judge_ask){
	    .ask_id = 1,
	    .now_ms = 1700000000000,
	    .provider = STR_LIT("trial"),
	    .capability = STR_LIT("trial/x"),
	    .credential = STR_LIT("trial"),
	    .method = STR_LIT("POST"),
	    .host = STR_LIT("api.example.com"),
	    .path = STR_LIT("/v1/things/7"),
	    .query = STR_LIT("a=1&b=two%20words&b2="),
	    .has_body = 1,
	    .headers = h->headers,
	    .policies = h->policies,
	};
	h->body = STR_LIT("{\"model\":\"m\",\"n\":1}");
	h->ask.caller = (struct caller){.uid = 1000, .gid = 1000, .pid = 42};
	snprintf(h->ask.caller.name, sizeof(h->ask.caller.name), "user:ann");
	snprintf(h->ask.caller.workspace, sizeof(h->ask.caller.workspace), "lab");
	return h;
}

static inline struct harness *
harness_new(const char *text)
{
	return harness_new_at("capabilities/trial.lua", text, text != NULL ? strlen(text) : 0);
}

static inline void
harness_free(struct harness *h)
{
	script_clear(&h->script);
	counter_table_free(h->counters);
	free(h->files);
	free(h);
}

static inline enum verdict_kind
harness_ask(struct harness *h)
{
	h->ask.body_size = h->ask.has_body ? h->body.len : h->ask.body_size;
	script_ask(&h->script, &h->ask, h->body, h->counters, &h->draft);
	if (getenv("AV_TEST_VERBOSE") != NULL) {
		fprintf(stderr, "%d [%s] %s\n", h->draft.kind, h->draft.reason, h->draft.message);
	}
	return h->draft.kind;
}

static inline void
harness_add_header(struct harness *h, const char *name, const char *value)
{
	h->headers[h->ask.header_count++] = (struct header){str_of(name), str_of(value)};
}

static inline void
harness_set_policy(struct harness *h, const char *policy, const char *param, uint64_t value)
{
	struct policy_instance *p = &h->policies[h->ask.policy_count++];
	p->policy = str_of(policy);
	p->params[0] = (struct policy_param){str_of(param), value};
	p->param_count = 1;
}

static inline void
assert_verdict(struct harness *h, enum verdict_kind kind, const char *reason, const char *words)
{
	if (h->draft.kind != kind || strcmp(h->draft.reason, reason) != 0 ||
	    strstr(h->draft.message, words) == NULL) {
		fail_msg("wanted %d %s \"%s\", got %d %s \"%s\"", kind, reason, words,
		    h->draft.kind, h->draft.reason, h->draft.message);
	}
}

/* One ask of a fresh script whose check has that body. */
static inline void
assert_check(const char *text, enum verdict_kind kind, const char *reason, const char *words)
{
	struct harness *h = harness_new(text);
	if (h->loaded != AV_OK) {
		fail_msg("%s", h->message);
	}
	harness_ask(h);
	assert_verdict(h, kind, reason, words);
	harness_free(h);
}

#define assert_allows(body) assert_check(HARNESS_CHECK(body), VERDICT_ALLOW, "", "")
#define assert_fails(body, words) \
	assert_check(HARNESS_CHECK(body), VERDICT_DENY, "policy_error", words)

#endif
