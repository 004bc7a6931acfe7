/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every file of tests/sandbox/ in the real sandbox, asked three times. Its first line names the
 * reason that each ask must end in: `-- expect: reason [| other reason] [: words]`; "allow" stands
 * for an allow. After each file a harmless script must still be judged as ever.
 */
#include "harness.h"

#include "base/buf.h"
#include "base/io.h"

#include <dirent.h>
#include <fcntl.h>

#define LEAST_FILES 40

static void
expectation(struct str text, char *reasons, char *words, size_t size)
{
	struct str line, rest, reason, said = {"", 0};
	struct str mark = STR_LIT("-- expect: ");
	if (!str_cut(text, '\n', &line, &rest) || !str_starts(line, mark)) {
		fail_msg("the first line is not `-- expect: reason`");
	}
	line = (struct str){line.p + mark.len, line.len - mark.len};
	if (!str_cut(line, ':', &reason, &said)) {
		reason = line;
	}
	said = str_trim(said);
	snprintf(reasons, size, " %.*s ", STR_FMT(str_trim(reason)));
	snprintf(words, size, "%.*s", STR_FMT(said));
}

static void
ask_file(const char *name, struct str text)
{
	char reasons[256], words[256];
	expectation(text, reasons, words, sizeof(words));
	struct harness *h = harness_new_at("capabilities/hostile.lua", text.p, text.len);
	h->ask.provider = STR_LIT("hostile");
	h->ask.capability = STR_LIT("hostile/x");
	for (int i = 0; i < 3; i++) {
		harness_ask(h);
		char reason[80];
		snprintf(reason, sizeof(reason), " %s ",
		    h->draft.kind == VERDICT_ALLOW ? "allow" : h->draft.reason);
		if (strstr(reasons, reason) == NULL || strstr(h->draft.message, words) == NULL) {
			fail_msg("%s, ask %d: wanted%s\"%s\", got%s\"%s\"", name, i + 1, reasons,
			    words, reason, h->draft.message);
		}
		int limit = strcmp(h->draft.reason, "policy_timeout") == 0 ||
		    strcmp(h->draft.reason, "policy_memory") == 0;
		assert_int_equal(h->draft.limit_hit, limit);
	}
	assert_true(h->script.box.used <= h->script.limits.memory_bytes);
	harness_free(h);
}

static void
test_every_hostile_script_ends_in_its_reason(void **state)
{
	(void)state;
	const char *root = getenv("AV_SOURCE_DIR");
	char dir[4096], path[8192];
	snprintf(dir, sizeof(dir), "%s/tests/sandbox", root != NULL ? root : ".");
	DIR *d = opendir(dir);
	if (d == NULL) {
		fail_msg("%s cannot be read: run from the source tree or set AV_SOURCE_DIR", dir);
		return;
	}
	struct dirent *entry;
	int files = 0;
	while ((entry = readdir(d)) != NULL) {
		if (!str_ends(str_of(entry->d_name), STR_LIT(".lua"))) {
			continue;
		}
		struct buf text;
		buf_init(&text, 65536);
		snprintf(path, sizeof(path), "%s/%s", dir, entry->d_name);
		assert_int_equal(io_read_file(AT_FDCWD, path, 65536, &text), AV_OK);
		ask_file(entry->d_name, (struct str){(const char *)text.data, text.len});
		buf_clear(&text);
		files++;
	}
	closedir(d);
	print_message("%d hostile scripts\n", files);
	assert_true(files >= LEAST_FILES);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_every_hostile_script_ends_in_its_reason),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
