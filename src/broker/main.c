/* SPDX-License-Identifier: Apache-2.0 */
/* aivault-broker: flags, the bundle of roots, confinement; then broker.c runs it. */
#include "base/confine.h"
#include "base/log.h"
#include "base/str.h"
#include "broker/broker.h"
#include "broker/ca_bundle.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define JUDGE_DEADLINE_MS 250u
#ifdef AV_SANITIZED
#define JUDGE_DEADLINE_FACTOR 10u
#else
#define JUDGE_DEADLINE_FACTOR 1u
#endif

static const char usage[] =
    "usage: aivault-broker [--max-connections N] [--max-per-caller N]\n"
    "                      [--first-byte-timeout SECONDS] [--idle-timeout SECONDS]\n"
    "                      [--judge-deadline-ms MS] [--version] [--help]\n"
    "\n"
    "Carries agents' requests to upstreams. Started by aivaultd, which hands it its\n"
    "sockets on descriptor 3; of no use by hand.\n";

struct flag {
	const char *name;
	uint32_t max;
	uint32_t scale;
	size_t offset;
};

static const struct flag flags[] = {
	{"--max-connections", 100000, 1, offsetof(struct broker_options, max_connections)},
	{"--max-per-caller", 100000, 1, offsetof(struct broker_options, max_per_caller)},
	{"--first-byte-timeout", 86400, 1000, offsetof(struct broker_options, first_byte_ms)},
	{"--idle-timeout", 86400, 1000, offsetof(struct broker_options, idle_ms)},
	{"--judge-deadline-ms", 60000, JUDGE_DEADLINE_FACTOR,
	    offsetof(struct broker_options, judge_deadline_ms)},
};

static enum av_err
options_parse(int argc, char **argv, struct broker_options *opt)
{
	size_t i;
	int at;

	for (at = 1; at < argc; at += 2) {
		const struct flag *flag = NULL;
		uint64_t n = 0;

		for (i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
			if (strcmp(argv[at], flags[i].name) == 0)
				flag = &flags[i];
		}
		if (flag == NULL || at + 1 >= argc ||
		    str_to_u64(str_of(argv[at + 1]), 1, flag->max, &n) != AV_OK)
			return AV_EUSAGE;
		*(uint32_t *)(void *)((char *)opt + flag->offset) = (uint32_t)n * flag->scale;
	}
	return AV_OK;
}

int
main(int argc, char **argv)
{
	struct broker_options opt = {
		.max_connections = 1024,
		.max_per_caller = 64,
		.first_byte_ms = 600000,
		.idle_ms = 300000,
		.judge_deadline_ms = JUDGE_DEADLINE_MS * JUDGE_DEADLINE_FACTOR,
	};
	struct confine_state confined = {0};
	struct ca_bundle ca;
	struct broker *b = NULL;
	struct fault f;
	int code = 1;

	if (argc == 2 && strcmp(argv[1], "--version") == 0)
		return printf("aivault-broker %s\n", AV_VERSION) < 0;
	if (argc == 2 && strcmp(argv[1], "--help") == 0)
		return fputs(usage, stdout) == EOF;
	log_open("aivault-broker", LOG_LEVEL_WARN);
	if (options_parse(argc, argv, &opt) != AV_OK) {
		(void)fputs(usage, stderr);
		return 2;
	}
	(void)signal(SIGPIPE, SIG_IGN);
	if (ca_bundle_open(&ca, &f) != AV_OK) {
		log_error("%s %s", f.message, f.remedy);
		return 1;
	}
	b = calloc(1, sizeof(*b));
	if (b == NULL)
		goto out;
	if (broker_init(b, &opt, ca.path) != AV_OK) {
		log_error("the broker could not be set up");
		goto out;
	}
	if (confine_basic(&confined) != AV_OK || confine_broker(ca.path, &confined) != AV_OK) {
		log_error("the broker could not be confined");
		goto out;
	}
	broker_run(b);
	broker_clear(b);
	code = 0;
out:
	free(b);
	ca_bundle_close(&ca);
	return code;
}
