/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/print.h"

#include <stdlib.h>
#include <string.h>

#define CELL_MAX 160u

void
table_init(struct table *t, const char *const *titles, size_t columns)
{
	memset(t, 0, sizeof(*t));
	t->columns = columns > TABLE_MAX_COLUMNS ? TABLE_MAX_COLUMNS : columns;
	for (size_t i = 0; i < t->columns; i++)
		t->titles[i] = titles[i];
}

enum av_err
table_add(struct table *t, struct str cell)
{
	struct buf safe;
	char *copy;

	if (t->count == t->cap) {
		size_t cap = t->cap == 0 ? 64 : t->cap * 2;
		char **grown = realloc(t->cells, cap * sizeof(*grown));
		if (grown == NULL)
			return AV_ENOMEM;
		t->cells = grown;
		t->cap = cap;
	}
	buf_init(&safe, 8 * CELL_MAX);
	(void)escape_text(&safe, cell, CELL_MAX);
	copy = str_dup((struct str){(const char *)safe.data, safe.len});
	buf_clear(&safe);
	if (copy == NULL)
		return AV_ENOMEM;
	t->cells[t->count++] = copy;
	return AV_OK;
}

/* Columns on the screen: characters, not bytes. */
static size_t
display_width(const char *s)
{
	size_t n = 0;

	for (; *s != '\0'; s++)
		n += ((unsigned char)*s & 0xc0) != 0x80;
	return n;
}

static void
print_row(const struct table *t, const size_t *widths, char *const *cells, FILE *to)
{
	for (size_t c = 0; c < t->columns; c++) {
		(void)fputs(cells[c], to);
		if (c + 1 < t->columns)
			(void)fprintf(
			    to, "%*s", (int)(widths[c] - display_width(cells[c]) + 2), "");
	}
	(void)fputc('\n', to);
}

void
table_print(const struct table *t, FILE *to)
{
	size_t widths[TABLE_MAX_COLUMNS] = {0};
	bool colour = print_has_colour(to);

	for (size_t c = 0; c < t->columns; c++)
		widths[c] = display_width(t->titles[c]);
	for (size_t i = 0; i < t->count; i++) {
		size_t w = display_width(t->cells[i]);
		if (w > widths[i % t->columns])
			widths[i % t->columns] = w;
	}
	(void)fputs(colour ? "\033[1m" : "", to);
	for (size_t c = 0; c < t->columns; c++) {
		(void)fputs(t->titles[c], to);
		if (c + 1 < t->columns)
			(void)fprintf(
			    to, "%*s", (int)(widths[c] - display_width(t->titles[c]) + 2), "");
	}
	(void)fputs(colour ? "\033[0m\n" : "\n", to);
	for (size_t i = 0; i + t->columns <= t->count; i += t->columns)
		print_row(t, widths, &t->cells[i], to);
}

void
table_clear(struct table *t)
{
	for (size_t i = 0; i < t->count; i++)
		free(t->cells[i]);
	free(t->cells);
	memset(t, 0, sizeof(*t));
}
