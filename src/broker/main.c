/* SPDX-License-Identifier: Apache-2.0 */
/* aivault-broker: flags, the bundle of roots, confinement; then broker.c runs it. */
#include "base/confine.h"
#include "base/log.h"
#include "broker/broker.h"
#include "broker/ca_bundle.h"
#include "broker/options.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif

#define HEAP_RESERVE (8 * 1024 * 1024)
#define HEAP_BLOCK_MAX (256 * 1024) /* larger blocks are mapped, and go back when freed */

static const char usage[] =
    "usage: aivault-broker [--max-connections N] [--max-per-caller N]\n"
    "                      [--first-byte-timeout SECONDS] [--idle-timeout SECONDS]\n"
    "                      [--judge-deadline-ms MS] [--version] [--help]\n"
    "\n"
    "Carries agents' requests to upstreams. Started by aivaultd, which hands it its\n"
    "sockets on descriptor 3; of no use by hand.\n";

/*
 * glibc gives the top of the heap back to the kernel whenever 128 KiB of it are free, which here is
 * after nearly every call, and takes it again, page by page, at the next. That was a fifth of the
 * broker's time at 64 connections. A bounded reserve stays instead.
 */
static void
keep_freed_memory(void)
{
#ifdef __GLIBC__
	(void)mallopt(M_TRIM_THRESHOLD, HEAP_RESERVE);
	(void)mallopt(M_MMAP_THRESHOLD, HEAP_BLOCK_MAX);
#endif
}

int
main(int argc, char **argv)
{
	struct broker_options opt;
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
	broker_options_init(&opt);
	if (broker_options_parse(&opt, argc, argv) != AV_OK) {
		(void)fputs(usage, stderr);
		return 2;
	}
	(void)signal(SIGPIPE, SIG_IGN);
	keep_freed_memory();
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
