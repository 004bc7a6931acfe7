/* SPDX-License-Identifier: Apache-2.0 */
/* aivault-policy - the judge. Holds no key, file or network; see wire/judge.h and wire/control.h. */
#include "base/io.h"
#include "base/log.h"
#include "policy/channel.h"
#include "policy/embedded.h"
#include "policy/judge.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char usage[] =
    "usage: aivault-policy [--check-ms N] [--check-memory-bytes N]\n"
    "       aivault-policy --emit-manifest | --version | --help\n"
    "\n"
    "The judge of aivault. It is started by aivaultd, with its control socket as descriptor 3.\n"
    "  --check-ms N             run time of one check, 1 to 1000 (5)\n"
    "  --check-memory-bytes N   memory of one script, 1048576 to 1073741824 (8388608)\n"
    "  --emit-manifest          write the built-in providers' manifests to standard output\n";

static int
wrong_usage(const char *what)
{
	fprintf(stderr, "aivault-policy: invalid_request: %s. See aivault-policy --help\n", what);
	return 2;
}

static int
emit_manifests(void)
{
	struct buf out;
	char message[SANDBOX_MESSAGE_MAX + 1] = "";
	buf_init(&out, 64u * 1024u * 1024u);
	enum av_err e = judge_emit_manifests(embedded_lua, embedded_lua_count, &out, message);
	if (e == AV_OK) {
		e = io_write_all(1, out.data, out.len);
	}
	buf_clear(&out);
	if (e != AV_OK) {
		fprintf(stderr, "%s\n", message[0] != '\0' ? message : av_err_text(e));
	}
	return e == AV_OK ? 0 : 1;
}

static int
serve(const struct sandbox_limits *limits)
{
	struct judge judge;
	if (judge_init(&judge, embedded_lua, embedded_lua_count, limits) != AV_OK) {
		log_error("out of memory while loading the scripts");
		return 1;
	}
	enum av_err e = channel_run(&judge);
	judge_clear(&judge);
	if (e != AV_OK) {
		log_error("stopped: %s", av_err_text(e));
	}
	return e == AV_OK ? 0 : 1;
}

int
main(int argc, char **argv)
{
	struct sandbox_limits limits = {SANDBOX_CHECK_MS, SANDBOX_MEMORY_BYTES};
	log_open("aivault-policy", LOG_LEVEL_INFO);
	for (int i = 1; i < argc; i++) {
		uint64_t n = 0;
		struct str value = str_of(i + 1 < argc ? argv[i + 1] : NULL);
		if (strcmp(argv[i], "--version") == 0) {
			puts("aivault-policy " AV_VERSION);
			return 0;
		}
		if (strcmp(argv[i], "--help") == 0) {
			fputs(usage, stdout);
			return 0;
		}
		if (strcmp(argv[i], "--emit-manifest") == 0) {
			return emit_manifests();
		}
		if (strcmp(argv[i], "--check-ms") == 0) {
			if (str_to_u64(value, 1, 1000, &n) != AV_OK) {
				return wrong_usage("--check-ms takes 1 to 1000");
			}
			limits.check_ms = (uint32_t)n;
		} else if (strcmp(argv[i], "--check-memory-bytes") == 0) {
			if (str_to_u64(value, 1048576, 1073741824, &n) != AV_OK) {
				return wrong_usage(
				    "--check-memory-bytes takes 1048576 to 1073741824");
			}
			limits.memory_bytes = (size_t)n;
		} else {
			return wrong_usage("unknown option");
		}
		i++;
	}
	return serve(&limits);
}
