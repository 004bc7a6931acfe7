/* SPDX-License-Identifier: Apache-2.0 */
/* Input: the body of a check. Whatever it says, it ends, in a verdict, within its limits. */
#include "policy/embedded.h"
#include "policy/script.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define MUST(x)                  \
	do {                     \
		if (!(x))        \
			abort(); \
	} while (0)

#define BODY_MAX 4096u

static const char head[] =
    "return provider 'trial' { secrets = { K = 'secret' }, hosts = { 'api.example.com' },\n"
    "auth = auth.header('authorization', '{{secret}}'), capability 'x' { methods = { 'GET' },\n"
    "paths = { '/' }, inspect = 'json', check = function(req)\n";
static const char tail[] = "\nend } }";

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size > BODY_MAX) {
		return 0;
	}
	char text[sizeof(head) + BODY_MAX + sizeof(tail)];
	size_t n = sizeof(head) - 1;
	memcpy(text, head, n);
	memcpy(text + n, data, size);
	n += size;
	memcpy(text + n, tail, sizeof(tail) - 1);
	n += sizeof(tail) - 1;

	static struct embedded_file files[64];
	size_t count = 0;
	for (size_t i = 0; i < embedded_lua_count && count < 63; i++) {
		if (strncmp(embedded_lua[i].path, "capabilities/", 13) != 0) {
			files[count++] = embedded_lua[i];
		}
	}
	files[count] = (struct embedded_file){"capabilities/trial.lua", text, n};
	struct script_source source = {files, count + 1};
	struct sandbox_limits limits = {1, SANDBOX_MEMORY_BYTES};
	struct script script;
	char message[SANDBOX_MESSAGE_MAX + 1];
	(void)!script_init(&script, &source, &files[count], &limits, message);

	static struct verdict_draft draft;
	struct counter_table *counters = counter_table_new();
	struct judge_ask ask = {
	    .ask_id = 1,
	    .provider = STR_LIT("trial"),
	    .capability = STR_LIT("trial/x"),
	    .method = STR_LIT("GET"),
	    .path = STR_LIT("/a/b"),
	    .query = STR_LIT("a=1&b=2"),
	    .has_body = 1,
	    .body_size = 7,
	};
	script_ask(&script, &ask, STR_LIT("{\"a\":1}"), counters, &draft);
	MUST(draft.kind == VERDICT_ALLOW || draft.reason[0] != '\0');
	MUST(draft.op_count <= JUDGE_MAX_HEADER_OPS && draft.charge_count <= JUDGE_MAX_CHARGES);
	MUST(str_is_utf8(str_of(draft.message)));
	MUST(script.box.used <= SANDBOX_MEMORY_BYTES);
	struct judge_verdict v;
	struct buf out;
	buf_init(&out, 1024 * 1024);
	draft_to_verdict(&draft, 1, &v);
	MUST(judge_verdict_encode(&v, &out) == AV_OK);
	buf_clear(&out);
	script_clear(&script);
	counter_table_free(counters);
	return 0;
}
