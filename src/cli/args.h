/* SPDX-License-Identifier: Apache-2.0 */
/*
 * args.h - one small option parser for every subcommand.
 *
 * `--name value`, `--name=value`, `-v`, `-h`, `--` before what only looks like an option. A value
 * that begins with '-' must be attached with '='. An option that does not repeat may stand once.
 * Every command also takes -h/--help, -v/--verbose and --output FORMAT. Borrows argv.
 */
#ifndef AV_CLI_ARGS_H
#define AV_CLI_ARGS_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ARGS_MAX_ITEMS 256
#define ARGS_MAX_POSITIONAL 4

struct option {
	const char *name; /* without "--" */
	const char *value_name; /* NULL: a switch */
	bool repeats;
	const char *help;
};

enum output { OUTPUT_AUTO, OUTPUT_TABLE, OUTPUT_JSON, OUTPUT_JSONL, OUTPUT_CSV };

struct arg {
	const struct option *option;
	char *value;
};

struct args {
	struct arg items[ARGS_MAX_ITEMS];
	size_t count;
	const char *positional[ARGS_MAX_POSITIONAL];
	size_t positional_count;
	bool help;
	bool verbose;
	enum output output;
};

/* argv[0..argc) is what stands after the subcommand; `options` ends with a NULL name. AV_EUSAGE:
 * *f says what is wrong, never echoing a value. */
enum av_err args_parse(struct args *a, const struct option *options, int argc, char **argv,
    struct fault *f) AV_MUST_USE;

/* The value of an option that may stand once; NULL where it does not stand. */
const char *args_value(const struct args *a, const char *name);
bool args_has(const struct args *a, const char *name);
/* The next value of `name` from *pos on (start with 0); NULL at the end. */
const char *args_next(const struct args *a, const char *name, size_t *pos);
/* -v, or --output json. */
bool args_wants_json(const struct args *a);
/* A decimal number in [min, max]; `dflt` where it does not stand. AV_EUSAGE. */
enum av_err args_number(const struct args *a, const char *name, uint64_t min, uint64_t max,
    uint64_t dflt, uint64_t *out, struct fault *f) AV_MUST_USE;

#endif
