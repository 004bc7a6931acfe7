/* SPDX-License-Identifier: Apache-2.0 */
/* Input: arguments of `aivault invoke`, one a line (headers, forms, a request as JSON). What is built
 * is within its limits; what is not says why. */
#include "cli/invocation.h"

#include <stdlib.h>
#include <string.h>

#define MUST(x)                  \
	do {                     \
		if (!(x))        \
			abort(); \
	} while (0)

#define WORDS_MAX 64
#define TEXT_MAX 8192u

/* Those that open no file. */
static const struct option options[] = {
    {"method", "NAME", false, ""},
    {"path", "PATH", false, ""},
    {"header", "K=V", true, ""},
    {"body", "TEXT", false, ""},
    {"request", "JSON", false, ""},
    {"multipart-field", "K=V", true, ""},
    {"timeout-ms", "N", false, ""},
    {"credential", "ID", false, ""},
    {"workspace-id", "ID", false, ""},
    {"group-id", "ID", false, ""},
    {"stream", NULL, false, ""},
    {NULL, NULL, false, NULL},
};

static void
check_args(const struct args *a, int words)
{
	uint64_t n = 0;
	struct fault f = {0};

	MUST(a->count <= (size_t)words && a->positional_count <= ARGS_MAX_POSITIONAL);
	for (size_t i = 0; i < a->count; i++) {
		const struct arg *it = &a->items[i];
		MUST((it->value != NULL) == (it->option->value_name != NULL));
		for (size_t k = 0; k < i; k++)
			MUST(it->option->repeats || a->items[k].option != it->option);
	}
	if (args_number(a, "timeout-ms", 5, 9, 7, &n, &f) == AV_OK)
		MUST(n >= 5 && n <= 9);
	else
		MUST(f.err == AV_EUSAGE);
}

static void
check_invocation(const struct invocation *v)
{
	uint64_t total = 0;

	MUST(v->headers.count <= HEADER_MAX_COUNT && v->headers.bytes <= HEADER_MAX_BYTES);
	MUST(v->has_body || (v->body.len == 0 && v->multipart.parts == NULL && v->body_fd < 0));
	MUST(v->body.len == 0 || v->multipart.parts == NULL);
	for (size_t i = 0; i < v->multipart.count; i++) {
		MUST(v->multipart.parts[i].fd == -1);
		total += v->multipart.parts[i].size;
	}
	MUST(total == v->multipart.text.len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *argv[WORDS_MAX + 1], *text, *next;
	struct invocation v;
	struct args a;
	struct fault f = {0};
	int argc = 0;

	if (size > TEXT_MAX || (text = malloc(size + 1)) == NULL)
		return 0;
	memcpy(text, data, size);
	text[size] = '\0';
	for (next = text; next != NULL && argc < WORDS_MAX;)
		argv[argc++] = strsep(&next, "\n");
	argv[argc] = NULL;
	if (args_parse(&a, options, argc, argv, &f) != AV_OK) {
		MUST(f.err == AV_EUSAGE && f.message[0] != '\0');
		goto out;
	}
	check_args(&a, argc);
	if (a.positional_count != 1)
		goto out;
	invocation_init(&v);
	if (invocation_build(&v, &a, &f) == AV_OK)
		check_invocation(&v);
	else
		MUST(f.err != AV_OK && f.reason[0] != '\0' && f.message[0] != '\0');
	invocation_clear(&v);
out:
	free(text);
	return 0;
}
