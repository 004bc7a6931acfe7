/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/options.h"

#include "base/io.h"
#include "base/str.h"

#include <stddef.h>

#define OPTIONS_TEXT_MAX 1024u
#define JUDGE_DEADLINE_MS 250u
#ifdef AV_SANITIZED
#define JUDGE_DEADLINE_FACTOR 10u
#else
#define JUDGE_DEADLINE_FACTOR 1u
#endif

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

void
broker_options_init(struct broker_options *o)
{
	*o = (struct broker_options){
	    .max_connections = 1024,
	    .max_per_caller = 64,
	    .first_byte_ms = 600000,
	    .idle_ms = 300000,
	    .judge_deadline_ms = JUDGE_DEADLINE_MS * JUDGE_DEADLINE_FACTOR,
	};
}

static enum av_err
broker_options_set(struct broker_options *o, struct str name, struct str value)
{
	uint64_t n = 0;
	size_t i;

	for (i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
		const struct flag *f = &flags[i];

		if (!str_eq_cstr(name, f->name))
			continue;
		if (str_to_u64(value, 1, f->max, &n) != AV_OK)
			return AV_EUSAGE;
		*(uint32_t *)(void *)((char *)o + f->offset) = (uint32_t)n * f->scale;
		return AV_OK;
	}
	return AV_EUSAGE;
}

enum av_err
broker_options_parse(struct broker_options *o, int argc, char *const *argv)
{
	int at;

	for (at = 1; at < argc; at += 2) {
		if (at + 1 >= argc ||
		    broker_options_set(o, str_of(argv[at]), str_of(argv[at + 1])) != AV_OK)
			return AV_EUSAGE;
	}
	return AV_OK;
}

enum av_err
broker_options_read(struct broker_options *o, int fd)
{
	struct broker_options fresh = *o;
	struct str rest, line, name, value;
	struct buf text;
	enum av_err e = AV_OK;
	bool again = false;
	size_t n = 1;

	buf_init(&text, OPTIONS_TEXT_MAX);
	while (e == AV_OK && n > 0)
		e = io_read_some(fd, &text, OPTIONS_TEXT_MAX / 2, &n, &again);
	rest = (struct str){(const char *)text.data, text.len};
	while (e == AV_OK && str_cut(rest, '\n', &line, &rest))
		e = str_cut(line, ' ', &name, &value) ? broker_options_set(&fresh, name, value)
		                                      : AV_EUSAGE;
	if (e == AV_OK && rest.len > 0)
		e = AV_ETRUNC;
	buf_clear(&text);
	if (e == AV_OK)
		*o = fresh;
	return e;
}
