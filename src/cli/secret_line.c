/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/secret_line.h"

#include <string.h>

#define KEY_INTERRUPT 0x03u
#define KEY_END 0x04u
#define KEY_BACKSPACE 0x08u
#define KEY_ERASE_ALL 0x15u
#define KEY_ESCAPE 0x1bu
#define KEY_DELETE 0x7fu

void
secret_line_init(struct secret_line *l, struct buf *out, size_t max)
{
	memset(l, 0, sizeof(*l));
	l->out = out;
	l->max = max;
}

/* Whole characters of UTF-8, so that none is left by half. */
static void
erase_one(struct buf *b)
{
	while (b->len > 0) {
		uint8_t c = b->data[--b->len];
		b->data[b->len] = 0;
		if ((c & 0xc0u) != 0x80u)
			break;
	}
}

static void
erase_all(struct buf *b)
{
	av_wipe(b->data, b->len);
	b->len = 0;
}

static void
on_line_end(struct secret_line *l)
{
	/* Inside a paste more may follow: only its end, or text, decides. */
	if (l->pasting)
		l->broken = true;
	else if (l->state == LINE_OPEN)
		l->state = LINE_ENDED;
}

static void
on_mark_byte(struct secret_line *l, uint8_t c)
{
	static const uint8_t mark[SECRET_LINE_MARK] = {KEY_ESCAPE, '[', '2', '0', 0, '~'};

	if (l->mark == 4 && (c == '0' || c == '1')) {
		l->mark_kind = c;
	} else if (l->mark == 4 || c != mark[l->mark]) {
		l->state = LINE_CONTROL;
		return;
	}
	if (++l->mark < SECRET_LINE_MARK)
		return;
	l->mark = 0;
	l->pasting = l->mark_kind == '0';
	if (!l->pasting && l->broken && l->state == LINE_OPEN)
		l->state = LINE_ENDED;
}

static void
on_text(struct secret_line *l, uint8_t c)
{
	if (l->state == LINE_ENDED || l->broken)
		l->state = LINE_MORE;
	else if (l->out->len >= l->max || buf_append_byte(l->out, c) != AV_OK)
		l->state = LINE_TOO_LONG;
}

static void
on_control(struct secret_line *l, uint8_t c)
{
	bool typed = !l->pasting && l->state == LINE_OPEN;

	if (c == KEY_INTERRUPT && !l->pasting)
		l->state = LINE_INTERRUPTED;
	else if (typed && (c == KEY_BACKSPACE || c == KEY_DELETE))
		erase_one(l->out);
	else if (typed && c == KEY_ERASE_ALL)
		erase_all(l->out);
	else if (typed && c == KEY_END && l->out->len == 0)
		l->state = LINE_ENDED;
	else
		l->state = LINE_CONTROL;
}

void
secret_line_take(struct secret_line *l, uint8_t c)
{
	if (l->state != LINE_OPEN && l->state != LINE_ENDED)
		return;
	if (l->mark > 0 || c == KEY_ESCAPE)
		on_mark_byte(l, c);
	else if (c == '\r' || c == '\n')
		on_line_end(l);
	else if (c < 0x20 || c == KEY_DELETE)
		on_control(l, c);
	else
		on_text(l, c);
}
