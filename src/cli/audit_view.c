/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/audit_view.h"

#include "cli/json_args.h"
#include "cli/print.h"

#include <inttypes.h>
#include <string.h>
#include <time.h>

#define CSV_MAX (256u * 1024u * 1024u)
#define LINE_MAX_BYTES (1024u * 1024u)
#define CELL_ROOM 320u
#define REQUEST_SHOWN 8 /* hex digits of a request id in a line */
#define NOTE_SHOWN 40 /* bytes of a note in the table */

static void
format_time(const cJSON *ts, char *out, size_t out_len)
{
	int64_t ms = cJSON_IsNumber(ts) ? (int64_t)ts->valuedouble : 0;
	time_t s = (time_t)(ms / 1000);
	struct tm tm;

	if (gmtime_r(&s, &tm) == NULL || strftime(out, out_len, "%Y-%m-%dT%H:%M:%S", &tm) == 0) {
		(void)snprintf(out, out_len, "%" PRId64, ms);
		return;
	}
	size_t n = strlen(out);
	(void)snprintf(out + n, out_len - n, ".%03dZ", (int)(ms % 1000));
}

static void
format_caller(const cJSON *event, char *out, size_t out_len)
{
	const cJSON *c = cJSON_GetObjectItemCaseSensitive(event, "caller");
	const char *token = json_string(c, "token", "");
	const char *user = json_string(c, "user", json_string(event, "actor", ""));
	const char *program = json_string(c, "program", "");

	(void)snprintf(out, out_len, "%s%s%s%s%s", token[0] != '\0' ? token : user,
	    program[0] == '\0' ? "" : " (", program, program[0] == '\0' ? "" : ")", "");
}

static void
format_number(const cJSON *event, const char *key, char *out, size_t out_len)
{
	const cJSON *v = cJSON_GetObjectItemCaseSensitive(event, key);

	out[0] = '\0';
	if (cJSON_IsNumber(v) && v->valuedouble >= 0)
		(void)snprintf(out, out_len, "%.0f", v->valuedouble);
}

static enum av_err
add_row(struct table *t, const cJSON *event)
{
	const char *reason = json_string(event, "reason", "");
	bool is_note = reason[0] == '\0';
	char cells[8][CELL_ROOM];
	enum av_err e = AV_OK;

	if (is_note)
		reason = json_string(event, "note", "");
	format_time(cJSON_GetObjectItemCaseSensitive(event, "tsMs"), cells[0], CELL_ROOM);
	(void)snprintf(cells[1], CELL_ROOM, "%s", json_string(event, "kind", "?"));
	format_caller(event, cells[2], CELL_ROOM);
	(void)snprintf(cells[3], CELL_ROOM, "%s", json_string(event, "capability", ""));
	(void)snprintf(cells[4], CELL_ROOM, "%s%s%s%s", json_string(event, "method", ""),
	    json_string(event, "method", "")[0] == '\0' ? "" : " ", json_string(event, "host", ""),
	    json_string(event, "path", ""));
	format_number(event, "status", cells[5], CELL_ROOM);
	if (strcmp(cells[5], "0") == 0)
		cells[5][0] = '\0';
	format_number(event, "durationMs", cells[6], CELL_ROOM);
	/* A note may hold digests; a table is for reading, the JSON forms have it whole. */
	(void)snprintf(cells[7], CELL_ROOM,
	    is_note && strlen(reason) > NOTE_SHOWN ? "%.*s..." : "%.*s",
	    is_note ? NOTE_SHOWN : CELL_ROOM, reason);
	for (size_t i = 0; e == AV_OK && i < 8; i++)
		e = table_add(t, str_of(cells[i]));
	return e;
}

double
audit_last_id(struct str text, uint64_t *count)
{
	cJSON *events = cJSON_ParseWithLength(text.p, text.len);
	const cJSON *event, *last = NULL, *id;
	double n = 0;

	*count = 0;
	cJSON_ArrayForEach(event, events)
	{
		last = event;
		(*count)++;
	}
	id = cJSON_GetObjectItemCaseSensitive(last, "id");
	if (cJSON_IsNumber(id))
		n = id->valuedouble;
	cJSON_Delete(events);
	return n;
}

int
audit_print_table(struct str text)
{
	static const char *const titles[] = {
	    "TIME", "EVENT", "CALLER", "CAPABILITY", "REQUEST", "STATUS", "MS", "REASON"};
	cJSON *events = cJSON_ParseWithLength(text.p, text.len);
	const cJSON *event;
	enum av_err e = AV_OK;
	struct table t;

	table_init(&t, titles, 8);
	cJSON_ArrayForEach(event, events)
	{
		e = add_row(&t, event);
		if (e != AV_OK)
			break;
	}
	if (e == AV_OK && t.count == 0)
		(void)puts("No events found.");
	else if (e == AV_OK)
		table_print(&t, stdout);
	table_clear(&t);
	cJSON_Delete(events);
	return e == AV_OK ? 0 : print_failure("vault_unavailable", "out of memory", "");
}

static void
put_word(const char *text, int width)
{
	struct buf b;

	buf_init(&b, 4u * CELL_ROOM);
	(void)escape_text(&b, str_of(text), CELL_ROOM);
	const char *s = buf_cstr(&b);
	(void)printf("%-*s ", width, s == NULL || s[0] == '\0' ? "-" : s);
	buf_clear(&b);
}

/* Its end: request ids begin with the time, which calls made together share. */
static const char *
short_request(const cJSON *event)
{
	const char *id = json_string(event, "requestId", "");
	size_t n = strlen(id);

	return n > REQUEST_SHOWN ? id + n - REQUEST_SHOWN : id;
}

int
audit_print_stream(struct str text)
{
	cJSON *events = cJSON_ParseWithLength(text.p, text.len);
	const cJSON *event;
	char cell[CELL_ROOM];

	cJSON_ArrayForEach(event, events)
	{
		format_time(cJSON_GetObjectItemCaseSensitive(event, "tsMs"), cell, sizeof(cell));
		put_word(cell, 24);
		put_word(json_string(event, "kind", ""), 16);
		put_word(short_request(event), REQUEST_SHOWN);
		/* An outcome's caller and request are those of its decision. */
		if (strcmp(json_string(event, "kind", ""), "invoke.outcome") == 0)
			cell[0] = '\0';
		else
			format_caller(event, cell, sizeof(cell));
		put_word(cell, 20);
		put_word(json_string(event, "capability", ""), 24);
		(void)snprintf(cell, sizeof(cell), "%s %s%s", json_string(event, "method", ""),
		    json_string(event, "host", ""), json_string(event, "path", ""));
		put_word(cell[0] == ' ' && cell[1] == '\0' ? "" : cell, 32);
		format_number(event, "status", cell, sizeof(cell));
		put_word(cell, 3);
		put_word(json_string(event, "reason", json_string(event, "note", "")), 1);
		(void)putchar('\n');
	}
	cJSON_Delete(events);
	return fflush(stdout) == 0 && !ferror(stdout) ? 0 : print_lost("");
}

static int
print_line(struct str json)
{
	struct buf out;
	int rc;

	buf_init(&out, LINE_MAX_BYTES);
	if (json_escape(&out, json) == AV_OK && buf_append_byte(&out, '\n') == AV_OK)
		rc = print_bytes((struct str){(const char *)out.data, out.len});
	else
		rc = print_failure("vault_unavailable", "out of memory", "");
	buf_clear(&out);
	return rc;
}

/* Splits at the commas of the outermost array, so that each event's text stays as it came. */
int
audit_print_lines(struct str s)
{
	unsigned depth = 0;
	bool in_string = false;
	size_t start = 0;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < s.len; i++) {
		char c = s.p[i];
		if (in_string) {
			if (c == '\\')
				i++;
			else if (c == '"')
				in_string = false;
		} else if (c == '"') {
			in_string = true;
		} else if (c == '{' || c == '[') {
			if (c == '{' && depth == 1)
				start = i;
			depth++;
		} else if (c == '}' || c == ']') {
			depth--;
			if (c == '}' && depth == 1) {
				rc = print_line((struct str){s.p + start, i + 1 - start});
			}
		}
	}
	return rc;
}

static void
add_csv_cell(struct buf *out, const cJSON *v, bool last)
{
	char number[40];
	const char *s = "";

	if (cJSON_IsString(v)) {
		s = v->valuestring;
	} else if (cJSON_IsNumber(v)) {
		(void)snprintf(number, sizeof(number), "%.0f", v->valuedouble);
		s = number;
	}
	/* A spreadsheet would run a cell that begins like a formula. */
	bool formula = cJSON_IsString(v) && s[0] != '\0' && strchr("=+-@\t\r", s[0]) != NULL;
	bool quote = formula || strpbrk(s, ",\"\r\n") != NULL;
	if (quote)
		(void)buf_append_byte(out, '"');
	if (formula)
		(void)buf_append_byte(out, '\'');
	for (const char *mark; (mark = strchr(s, '"')) != NULL; s = mark + 1) {
		(void)escape_text(out, (struct str){s, (size_t)(mark - s)}, CSV_MAX);
		(void)buf_append_str(out, "\"\"");
	}
	(void)escape_text(out, str_of(s), CSV_MAX);
	if (quote)
		(void)buf_append_byte(out, '"');
	(void)buf_append_str(out, last ? "\r\n" : ",");
}

int
audit_print_csv(struct str text)
{
	static const char *const keys[] = {"tsMs", "kind", "requestId", "user", "token", "program",
	    "uid", "pid", "capability", "credential", "host", "method", "path", "decision",
	    "reason", "policy", "status", "requestBytes", "responseBytes", "durationMs", "secretId",
	    "scope", "actor", "consumer", "note"};
	const size_t count = sizeof(keys) / sizeof(keys[0]);
	cJSON *events = cJSON_ParseWithLength(text.p, text.len);
	const cJSON *event;
	struct buf out;
	int rc;

	buf_init(&out, CSV_MAX);
	for (size_t i = 0; i < count; i++)
		(void)buf_appendf(&out, "%s%s", keys[i], i + 1 < count ? "," : "\r\n");
	cJSON_ArrayForEach(event, events)
	{
		const cJSON *caller = cJSON_GetObjectItemCaseSensitive(event, "caller");
		for (size_t i = 0; i < count; i++) {
			const cJSON *v = cJSON_GetObjectItemCaseSensitive(event, keys[i]);
			if (v == NULL)
				v = cJSON_GetObjectItemCaseSensitive(caller, keys[i]);
			add_csv_cell(&out, v, i + 1 == count);
		}
	}
	rc = buf_err(&out) == AV_OK ? print_bytes((struct str){(const char *)out.data, out.len})
	                            : print_failure("vault_unavailable", "out of memory", "");
	buf_clear(&out);
	cJSON_Delete(events);
	return rc;
}

void
audit_describe_problem(const cJSON *root, char *out, size_t out_len)
{
	static const struct {
		const char *problem;
		const char *text;
	} texts[] = {
	    {"hash", "row %" PRId64 " was changed"},
	    {"link", "row %" PRId64 " does not follow the one before it"},
	    {"gap", "rows are missing before row %" PRId64},
	    {"missing_tail", "the last rows are missing, from row %" PRId64 " on"},
	    {"checkpoint", "the checkpoint at row %" PRId64 " does not fit"},
	    {"checkpoints_log", "checkpoints.log does not fit the log at row %" PRId64},
	    {"checkpoints_log_missing", "checkpoints.log is gone, or was made anew"},
	    {"checkpoints_log_gap", "checkpoints.log lacks the checkpoint at row %" PRId64},
	    {"public_key", "the vault's public key is another one than the one given"},
	};
	const char *problem = json_string(root, "problem", "?");
	const cJSON *id = cJSON_GetObjectItemCaseSensitive(root, "firstBadId");
	int64_t bad = cJSON_IsNumber(id) ? (int64_t)id->valuedouble : 0;

	(void)snprintf(out, out_len, "the audit log is not whole (%.60s)", problem);
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		const char *mark = strstr(texts[i].text, "%" PRId64);
		int n = mark == NULL ? (int)strlen(texts[i].text) : (int)(mark - texts[i].text);
		if (strcmp(problem, texts[i].problem) != 0)
			continue;
		if (mark == NULL)
			(void)snprintf(out, out_len, "%s", texts[i].text);
		else
			(void)snprintf(out, out_len, "%.*s%" PRId64 "%s", n, texts[i].text, bad,
			    mark + strlen("%" PRId64));
	}
}
