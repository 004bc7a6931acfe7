/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/args.h"

#include "base/str.h"

#include <string.h>

static const struct option common[] = {
    {"help", NULL, false, "show this help"},
    {"verbose", NULL, false, "print JSON"},
    {"output", "FORMAT", false, "table or json"},
    {NULL, NULL, false, NULL},
};

static const struct option *
find_in(const struct option *list, const char *name, size_t len)
{
	for (; list->name != NULL; list++) {
		if (strlen(list->name) == len && memcmp(list->name, name, len) == 0)
			return list;
	}
	return NULL;
}

static enum av_err
set_output(struct args *a, const char *value, struct fault *f)
{
	static const struct {
		const char *name;
		enum output output;
	} formats[] = {{"table", OUTPUT_TABLE}, {"json", OUTPUT_JSON}, {"jsonl", OUTPUT_JSONL},
	    {"csv", OUTPUT_CSV}};

	for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
		if (strcmp(value, formats[i].name) == 0) {
			a->output = formats[i].output;
			return AV_OK;
		}
	}
	return fault_set(f, AV_EUSAGE, "usage", "", "--output takes table, json, jsonl or csv");
}

static enum av_err
store(struct args *a, const struct option *o, bool is_common, char *value, struct fault *f)
{
	if (is_common && o == &common[0]) {
		a->help = true;
		return AV_OK;
	}
	if (is_common && o == &common[1]) {
		a->verbose = true;
		return AV_OK;
	}
	if (is_common)
		return set_output(a, value, f);
	if (!o->repeats && args_has(a, o->name))
		return fault_set(f, AV_EUSAGE, "usage", "", "--%s stands twice", o->name);
	if (a->count >= ARGS_MAX_ITEMS)
		return fault_set(f, AV_EUSAGE, "usage", "", "more than %d options", ARGS_MAX_ITEMS);
	a->items[a->count++] = (struct arg){o, value};
	return AV_OK;
}

static enum av_err
parse_long(
    struct args *a, const struct option *options, int argc, char **argv, int *i, struct fault *f)
{
	char *name = argv[*i] + 2;
	size_t len = strcspn(name, "=");
	bool is_common = false;
	const struct option *o = find_in(options, name, len);
	char *value = name[len] == '=' ? name + len + 1 : NULL;

	if (o == NULL) {
		o = find_in(common, name, len);
		is_common = o != NULL;
	}
	if (o == NULL)
		return fault_set(f, AV_EUSAGE, "usage", "", "unknown option --%.*s",
		    len > 60 ? 60 : (int)len, name);
	if (o->value_name == NULL && value != NULL)
		return fault_set(f, AV_EUSAGE, "usage", "", "--%s takes no value", o->name);
	if (o->value_name != NULL && value == NULL) {
		if (*i + 1 >= argc)
			return fault_set(f, AV_EUSAGE, "usage", "", "--%s needs a value", o->name);
		value = argv[*i + 1];
		if (value[0] == '-' && value[1] != '\0')
			return fault_set(f, AV_EUSAGE, "usage", "",
			    "--%s needs a value; one that begins with - is written --%s=VALUE",
			    o->name, o->name);
		*i += 1;
	}
	return store(a, o, is_common, value, f);
}

enum av_err
args_parse(struct args *a, const struct option *options, int argc, char **argv, struct fault *f)
{
	bool only_positional = false;

	memset(a, 0, sizeof(*a));
	for (int i = 0; i < argc; i++) {
		enum av_err e = AV_OK;
		const char *arg = argv[i];

		if (!only_positional && strcmp(arg, "--") == 0) {
			only_positional = true;
		} else if (!only_positional && strncmp(arg, "--", 2) == 0) {
			e = parse_long(a, options, argc, argv, &i, f);
		} else if (!only_positional && strcmp(arg, "-v") == 0) {
			a->verbose = true;
		} else if (!only_positional && strcmp(arg, "-h") == 0) {
			a->help = true;
		} else if (!only_positional && arg[0] == '-' && arg[1] != '\0') {
			e = fault_set(f, AV_EUSAGE, "usage", "", "unknown option %.60s", arg);
		} else if (a->positional_count >= ARGS_MAX_POSITIONAL) {
			e = fault_set(f, AV_EUSAGE, "usage", "", "too many arguments");
		} else {
			a->positional[a->positional_count++] = arg;
		}
		if (e != AV_OK)
			return e;
	}
	return AV_OK;
}

const char *
args_next(const struct args *a, const char *name, size_t *pos)
{
	while (*pos < a->count) {
		const struct arg *it = &a->items[(*pos)++];
		if (strcmp(it->option->name, name) == 0)
			return it->value == NULL ? "" : it->value;
	}
	return NULL;
}

const char *
args_value(const struct args *a, const char *name)
{
	size_t pos = 0;

	return args_next(a, name, &pos);
}

bool
args_has(const struct args *a, const char *name)
{
	return args_value(a, name) != NULL;
}

bool
args_wants_json(const struct args *a)
{
	return a->verbose ? a->output != OUTPUT_TABLE : a->output == OUTPUT_JSON;
}

enum av_err
args_number(const struct args *a, const char *name, uint64_t min, uint64_t max, uint64_t dflt,
    uint64_t *out, struct fault *f)
{
	const char *v = args_value(a, name);

	*out = dflt;
	if (v == NULL)
		return AV_OK;
	if (str_to_u64(str_of(v), min, max, out) != AV_OK)
		return fault_set(f, AV_EUSAGE, "usage", "", "--%s takes a number from %llu to %llu",
		    name, (unsigned long long)min, (unsigned long long)max);
	return AV_OK;
}
