/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/secret_input.h"

#include "base/io.h"
#include "base/str.h"
#include "cli/print.h"
#include "cli/secret_prompt.h"

#include <errno.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

static enum av_err
too_long(struct fault *f)
{
	return fault_set(
	    f, AV_ELIMIT, "secret_size", "", "a secret may have %u bytes", SECRET_INPUT_MAX);
}

static enum av_err
read_all(int fd, struct buf *out, struct fault *f)
{
	for (;;) {
		bool again;
		size_t n;
		enum av_err e;

		if (out->len > SECRET_INPUT_MAX)
			return too_long(f);
		e = io_read_some(fd, out, 4096, &n, &again);
		if (e == AV_ELIMIT)
			return too_long(f);
		if (e != AV_OK)
			return fault_set(f, AV_EINVAL, "read", "",
			    "standard input cannot be read: %s", strerror(errno));
		if (n == 0)
			return AV_OK;
	}
}

static void
strip_newline(struct buf *b)
{
	if (b->len > 0 && b->data[b->len - 1] == '\n') {
		b->len--;
		if (b->len > 0 && b->data[b->len - 1] == '\r')
			b->len--;
	}
}

static enum av_err
from_file(const char *path, struct buf *out, struct fault *f)
{
	int fd = io_open_input(path);
	enum av_err e = AV_OK;

	if (fd < 0)
		return fault_set(f, AV_ENOTFOUND, "value_file", "", "%.300s cannot be read: %s",
		    path, strerror(errno));
	/* Not io_read_file: a pipe such as <(pass show x) is welcome here. */
	for (size_t n = 1; n > 0 && e == AV_OK;) {
		bool again;
		e = io_read_some(fd, out, 4096, &n, &again);
	}
	io_close(&fd);
	if (e == AV_ELIMIT)
		return too_long(f);
	if (e != AV_OK)
		return fault_set(f, AV_EINVAL, "value_file", "", "%.300s cannot be read: %s", path,
		    strerror(errno));
	return AV_OK;
}

static enum av_err
from_argument(struct args *a, const char *option, struct buf *out, struct fault *f)
{
	for (size_t i = 0; i < a->count; i++) {
		char *v = a->items[i].value;
		if (strcmp(a->items[i].option->name, option) != 0)
			continue;
		size_t n = strlen(v);
		enum av_err e = buf_append(out, v, n);
		av_wipe(v, n); /* `ps` shows the vector as it is now */
		if (e != AV_OK)
			return too_long(f);
	}
	print_note(
	    STR_LIT("warning: a value on the command line stays in the shell's history and can be "
	            "seen in process lists; better use the prompt, a pipe or a file"));
	return AV_OK;
}

struct source {
	const char *option;
	const char *file_option;
	const char *prompt;
	bool twice;
};

static enum av_err
prompt_source(const struct source *from, struct buf *out, struct fault *f)
{
	struct buf again;
	enum av_err e =
	    secret_prompt(STDIN_FILENO, from->prompt, from->file_option, SECRET_INPUT_MAX, out, f);

	if (e != AV_OK || !from->twice)
		return e;
	buf_init(&again, SECRET_INPUT_MAX + 4096);
	e = secret_prompt(
	    STDIN_FILENO, "The same once more", from->file_option, SECRET_INPUT_MAX, &again, f);
	if (e == AV_OK &&
	    (again.len != out->len ||
	        (out->len > 0 && memcmp(again.data, out->data, out->len) != 0)))
		e = fault_set(f, AV_EINVAL, "not_the_same", "Try again", "these were not the same");
	buf_clear(&again);
	return e;
}

static enum av_err
input(struct args *a, const struct source *from, struct buf *out, struct fault *f)
{
	static const struct rlimit no_core = {0, 0};
	const char *file = args_value(a, from->file_option);
	enum av_err e;

	(void)setrlimit(RLIMIT_CORE, &no_core);
	/* Room for all at once: growing would leave copies to wipe. */
	uint8_t *room;
	if (buf_reserve(out, SECRET_INPUT_MAX + 1, &room) != AV_OK)
		return fault_set(f, AV_ENOMEM, "no_memory", "", "out of memory");
	if (file != NULL && args_has(a, from->option))
		return fault_set(f, AV_EINVAL, "two_values", "", "give --%s or --%s, not both",
		    from->option, from->file_option);
	if (file != NULL) {
		e = from_file(file, out, f);
	} else if (args_has(a, from->option)) {
		e = from_argument(a, from->option, out, f);
	} else if (isatty(STDIN_FILENO) == 1) {
		e = prompt_source(from, out, f);
	} else {
		e = read_all(STDIN_FILENO, out, f);
		strip_newline(out);
	}
	if (e == AV_OK && out->len > SECRET_INPUT_MAX)
		e = too_long(f);
	return e;
}

/* Keys rarely end in a newline, files nearly always do. */
static void
tell_last_newline(const struct args *a, const struct buf *value)
{
	if (value->len == 0 || value->data[value->len - 1] != '\n' || args_has(a, "value"))
		return;
	if (args_has(a, "value-file"))
		print_note(
		    STR_LIT("note: the value ends in a newline, which is part of the secret; "
		            "give the file as standard input (< FILE) to leave it away"));
	else
		print_note(STR_LIT("note: the value still ends in a newline, which is part of the "
		                   "secret; only one is left away"));
}

enum av_err
secret_input(struct args *a, const char *prompt, struct buf *out, struct fault *f)
{
	const struct source from = {"value", "value-file", prompt, false};
	enum av_err e = input(a, &from, out, f);

	if (e == AV_OK && out->len == 0)
		e = fault_set(f, AV_EINVAL, "empty_secret",
		    "Provide --value or --value-file, type it, or pipe it in",
		    "the secret is empty");
	if (e == AV_OK)
		tell_last_newline(a, out);
	return e;
}

enum av_err
passphrase_input(struct args *a, const char *prompt, bool twice, struct buf *out, struct fault *f)
{
	const struct source from = {"passphrase", "passphrase-file", prompt, twice};
	enum av_err e = input(a, &from, out, f);

	if (e == AV_OK && args_has(a, "passphrase-file"))
		strip_newline(out);
	if (e == AV_OK && out->len == 0)
		e = fault_set(f, AV_EINVAL, "empty_passphrase",
		    "Type it, pipe it in, or give --passphrase-file", "the passphrase is empty");
	return e;
}
