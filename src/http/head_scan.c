/* SPDX-License-Identifier: Apache-2.0 */
#include "http/head_scan.h"

#include "http/header_list.h"
#include "http/message.h"

#define REMEDY "send a plain HTTP/1.1 message"

void
head_scan_init(struct head_scan *s, bool start_line)
{
	*s = (struct head_scan){.line = start_line ? 0 : 1, .in_name = !start_line};
}

static enum av_err
name_byte(struct head_scan *s, uint8_t c, struct fault *f)
{
	char ch = (char)c;

	if (c == ' ' || c == '\t')
		return s->column == 0 ? fault_set(f, AV_EFORMAT, "http_folded_line", REMEDY,
		                            "a header line begins with a blank (obsolete folding)")
		                      : fault_set(f, AV_EFORMAT, "http_blank_in_name", REMEDY,
		                            "a header name holds a blank");
	if (c == ':' && s->column == 0)
		return fault_set(f, AV_EFORMAT, "http_empty_name", REMEDY, "a header has no name");
	if (c == ':')
		s->in_name = false;
	else if (!header_name_is_valid((struct str){&ch, 1}))
		return fault_set(f, AV_EFORMAT, "http_bad_name", REMEDY,
		    "a header name holds the byte 0x%02x", c);
	return AV_OK;
}

static enum av_err
line_finish(struct head_scan *s, struct fault *f)
{
	if (s->line > 0 && s->column == 0)
		s->done = true;
	else if (s->line > 0 && s->in_name)
		return fault_set(
		    f, AV_EFORMAT, "http_no_colon", REMEDY, "a header line has no colon");
	s->line++;
	s->column = 0;
	s->cr = false;
	s->in_name = true;
	return AV_OK;
}

static enum av_err
scan_byte(struct head_scan *s, uint8_t c, struct fault *f)
{
	if (s->total == HEAD_MAX)
		return fault_set(f, AV_ELIMIT, "http_head_too_large",
		    "send fewer or shorter headers", "the head is over %u bytes", HEAD_MAX);
	s->total++;
	if (s->cr && c != '\n')
		return fault_set(
		    f, AV_EFORMAT, "http_bare_cr", REMEDY, "a CR without LF in the head");
	if (s->cr)
		return line_finish(s, f);
	if (c == '\r') {
		s->cr = true;
		return AV_OK;
	}
	if (c == '\n')
		return fault_set(
		    f, AV_EFORMAT, "http_bare_lf", REMEDY, "a LF without CR in the head");
	if ((c < 0x20 && c != '\t') || c == 0x7f)
		return fault_set(f, AV_EFORMAT, "http_control_byte", REMEDY,
		    "the control byte 0x%02x in the head", c);
	if (s->in_name && s->line > 0) {
		enum av_err e = name_byte(s, c, f);
		if (e != AV_OK)
			return e;
	}
	s->column++;
	return AV_OK;
}

/* How many bytes at the front need no look but one: text in a start line or a value. */
static size_t
plain_run(const struct head_scan *s, const uint8_t *in, size_t len)
{
	size_t n = 0;

	if (s->cr || (s->in_name && s->line > 0))
		return 0;
	if (len > HEAD_MAX - s->total)
		len = HEAD_MAX - s->total;
	while (n < len && in[n] >= 0x20 && in[n] != 0x7f)
		n++;
	return n;
}

enum av_err
head_scan_line(struct head_scan *s, const uint8_t *in, size_t len, size_t *used, bool *line_end,
    struct fault *f)
{
	*line_end = false;
	for (*used = 0; *used < len;) {
		size_t line = s->line, n = plain_run(s, in + *used, len - *used);
		enum av_err e;
		s->total += n;
		s->column += n;
		*used += n;
		if (*used == len)
			break;
		e = scan_byte(s, in[*used], f);
		if (e != AV_OK)
			return e;
		(*used)++;
		if (s->line != line) {
			*line_end = true;
			return AV_OK;
		}
	}
	return AV_OK;
}
