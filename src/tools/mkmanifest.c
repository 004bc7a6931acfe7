/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mkmanifest - reads BUILTIN_FRAME frames on standard input, validates them and prints the C table
 * of the built-in providers on standard output. Runs while building. Exit 1 and one line on
 * standard error when the input is not valid.
 */
#include "reach/builtin.h"

#include "base/buf.h"
#include "base/io.h"

#include <stdio.h>
#include <unistd.h>

#define INPUT_MAX (32u * 1024u * 1024u)

/* builtin_load() says that something is wrong; this finds the words. */
static void
explain(const uint8_t *bytes, size_t len, struct fault *f)
{
	for (unsigned number = 1; len > 0; number++) {
		struct manifest *m = NULL;
		struct frame frame;
		struct frame_reader r;
		size_t used;
		enum av_err e = frame_parse(bytes, len, &frame, &used);
		if (e != AV_OK || frame.type != BUILTIN_FRAME) {
			(void)fault_set(f, AV_EFORMAT, "bad_frame", "",
			    "frame %u is no manifest frame", number);
			return;
		}
		fr_begin(&r, &frame);
		e = manifest_decode(&r, &m);
		if (e == AV_OK)
			e = fr_finish(&r);
		if (e != AV_OK)
			(void)fault_set(f, e, "bad_manifest", "",
			    "manifest %u cannot be decoded: %s", number, av_err_text(e));
		else
			e = manifest_validate(m, f);
		manifest_free(m);
		if (e != AV_OK)
			return;
		bytes += used;
		len -= used;
	}
}

static enum av_err
secrets_check(
    const struct builtin *b, const struct manifest *m, const struct pair_list *l, struct fault *f)
{
	for (size_t i = 0; i < l->count; i++) {
		const struct manifest *owner = builtin_claims(b, str_of(l->items[i].name));
		if (owner != m)
			return fault_set(f, AV_EINVAL, "secret_twice", "",
			    "the secret %s is claimed by %s and by %s", l->items[i].name,
			    owner->provider, m->provider);
	}
	return AV_OK;
}

/* Names are looked up from the first provider on, so whoever is not found as owner comes second. */
static enum av_err
uniqueness_check(const struct builtin *b, struct fault *f)
{
	enum av_err e = AV_OK;

	for (size_t i = 0; i < b->count && e == AV_OK; i++) {
		const struct manifest *m = b->items[i], *owner = NULL;
		for (size_t k = 0; k < m->capability_count; k++) {
			const char *id = m->capabilities[k].id;
			(void)builtin_capability(b, str_of(id), &owner);
			if (owner != m)
				return fault_set(f, AV_EINVAL, "capability_twice", "",
				    "the capability %s is made by %s and by %s", id,
				    owner->provider, m->provider);
		}
		e = secrets_check(b, m, &m->secrets, f);
		for (size_t k = 0; k < m->alternative_count && e == AV_OK; k++)
			e = secrets_check(b, m, &m->alternatives[k].secrets, f);
	}
	return e;
}

static int
print_table(const struct builtin *b, const struct buf *in)
{
	printf("/* Made by mkmanifest from capabilities/. Do not edit.\n *\n");
	for (size_t i = 0; i < b->count; i++) {
		const struct manifest *m = b->items[i];
		printf(" * %s (%zu)\n", m->provider, m->capability_count);
		for (size_t k = 0; k < m->capability_count; k++)
			printf(" *     %s\n", m->capabilities[k].id);
	}
	printf(" */\n#include \"reach/builtin.h\"\n\nconst uint8_t builtin_manifests[] = {");
	for (size_t i = 0; i < in->len; i++)
		printf("%s0x%02x,", i % 16 == 0 ? "\n\t" : " ", in->data[i]);
	/* C has no empty arrays. */
	printf("%s\n};\nconst size_t builtin_manifests_len = %zu;\n", in->len == 0 ? "\n\t0," : "",
	    in->len);
	return fflush(stdout) == 0 && !ferror(stdout) ? 0 : 1;
}

static enum av_err
read_input(struct buf *in)
{
	size_t n;
	bool again;

	do {
		enum av_err e = io_read_some(STDIN_FILENO, in, 65536, &n, &again);
		if (e != AV_OK)
			return e;
	} while (n > 0 || again);
	return AV_OK;
}

int
main(void)
{
	struct fault f = {0};
	struct builtin b = {0};
	struct buf in;
	int status = 1;
	enum av_err e;

	buf_init(&in, INPUT_MAX);
	e = read_input(&in);
	if (e == AV_OK) {
		e = builtin_load(&b, in.data, in.len);
		if (e != AV_OK)
			explain(in.data, in.len, &f);
	}
	if (e == AV_OK)
		e = uniqueness_check(&b, &f);
	if (e == AV_OK)
		status = print_table(&b, &in);
	if (e != AV_OK)
		fprintf(
		    stderr, "mkmanifest: %s\n", f.message[0] != '\0' ? f.message : av_err_text(e));
	else if (status != 0)
		fprintf(stderr, "mkmanifest: cannot write the table\n");
	builtin_clear(&b);
	buf_clear(&in);
	return status;
}
