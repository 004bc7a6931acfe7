/* SPDX-License-Identifier: Apache-2.0 */
#include "audit/checkpoint_walk.h"

#include "audit/checkpoint_rows.h"

#include <stdlib.h>
#include <string.h>

/* Rows and lines are walked side by side, both in the order of ids. */
struct checkpoint_walk {
	struct store *store; /* borrows */
	uint8_t pk[VAULT_PUBLIC_KEY_LEN];
	struct checkpoint_report report;
	/* As of the beginning: what is written meanwhile is the next walk's. */
	int64_t kept_id; /* the chain's end */
	int64_t last_id; /* the last checkpoint */
	int64_t unlogged_id;
	int64_t logged_from;
	int64_t row_id; /* of the row read last */
	struct checkpoint row; /* the one whose line comes next */
	bool has_row;
	struct checkpoint_reader lines;
	struct checkpoint line; /* the one whose row comes next */
	bool has_line;
	uint64_t torn; /* as of the last line that could be read */
	const char *missing; /* NULL, or the problem of the first row without its line */
	int64_t missing_id;
};

static void
complain(struct checkpoint_walk *w, int64_t id, const char *problem)
{
	if (w->report.problem == NULL) {
		w->report.problem = problem;
		w->report.first_bad_id = id;
	}
}

static enum av_err
check_one(struct checkpoint_walk *w, const struct checkpoint *c, const char *problem)
{
	sqlite3_stmt *st = NULL;
	bool row = false, same = false;
	if (!checkpoint_signature_fits(c, w->pk)) {
		complain(w, c->event_id, problem);
		return AV_OK;
	}
	if (c->event_id > w->kept_id) {
		complain(w, w->kept_id + 1, "missing_tail");
		return AV_OK;
	}
	enum av_err e = store_stmt(w->store, "SELECT hash FROM audit_events WHERE id = ?", &st);
	if (e != AV_OK)
		return e;
	store_bind_int(st, 1, c->event_id);
	e = store_step(st, &row);
	if (e == AV_OK && row)
		same = str_eq(
		    store_column(st, 0), (struct str){(const char *)c->hash, sizeof(c->hash)});
	store_done(st);
	if (e == AV_OK && !same)
		complain(w, c->event_id, problem);
	else if (e == AV_OK && c->event_id > w->report.signed_id)
		w->report.signed_id = c->event_id;
	return e;
}

/* No statement stays open between two of them: it would hold SQLite's log. */
static enum av_err
next_row(struct checkpoint_walk *w)
{
	sqlite3_stmt *rows = NULL;
	enum av_err e = checkpoint_rows_begin(w->store, w->row_id + 1, &rows);
	if (e == AV_OK)
		e = checkpoint_rows_next(rows, &w->row, &w->has_row);
	store_done(rows);
	w->has_row = w->has_row && w->row.id <= w->last_id;
	if (e != AV_OK || !w->has_row)
		return e;
	w->row_id = w->row.id;
	w->report.count++;
	return check_one(w, &w->row, "checkpoint");
}

static enum av_err
next_line(struct checkpoint_walk *w)
{
	enum checkpoint_line what = CHECKPOINT_TORN;
	enum av_err e = AV_OK;
	while (what == CHECKPOINT_TORN &&
	    (e = checkpoint_reader_next(&w->lines, &w->line, &what)) == AV_OK)
		w->report.torn += what == CHECKPOINT_TORN;
	w->has_line = e == AV_OK && what == CHECKPOINT_LINE;
	return e;
}

/* The row has no line. Some will still get theirs, and what a crash left between two lines may have been
 * those of more than one. */
static enum av_err
miss_row(struct checkpoint_walk *w)
{
	bool expected = w->logged_from > 0 && w->row.id >= w->logged_from &&
	    (w->unlogged_id == 0 || w->row.id < w->unlogged_id);
	bool first = w->report.logged == 0;
	if (w->missing == NULL && expected && (first || w->torn == w->report.torn)) {
		w->missing = first ? "checkpoints_log_missing" : "checkpoints_log_gap";
		w->missing_id = w->row.event_id;
	}
	return next_row(w);
}

static bool
same(const struct checkpoint *a, const struct checkpoint *b)
{
	return a->id == b->id && a->event_id == b->event_id && a->ts_ms == b->ts_ms &&
	    memcmp(a->hash, b->hash, sizeof(a->hash)) == 0 &&
	    memcmp(a->signature, b->signature, sizeof(a->signature)) == 0;
}

static enum av_err
take_line(struct checkpoint_walk *w)
{
	bool is_row = w->has_row && w->row.id == w->line.id;
	enum av_err e = AV_OK;
	w->report.logged++;
	w->torn = w->report.torn;
	/* A signature takes longer to check than all the rest, and that of the row has been. */
	if (!w->has_row || !same(&w->line, &w->row))
		e = check_one(w, &w->line, "checkpoints_log");
	if (e == AV_OK && is_row)
		e = next_row(w);
	return e == AV_OK ? next_line(w) : e;
}

enum av_err
checkpoint_walk_new(
    const struct audit_log *l, const uint8_t pk[VAULT_PUBLIC_KEY_LEN], struct checkpoint_walk **out)
{
	struct checkpoint_walk *w = calloc(1, sizeof(*w));
	if (w == NULL)
		return AV_ENOMEM;
	w->store = l->store;
	memcpy(w->pk, pk, sizeof(w->pk));
	w->kept_id = l->kept_id;
	w->unlogged_id = l->unlogged_id;
	w->row_id = -1;
	enum av_err e = checkpoint_logged_from(l, &w->logged_from);
	if (e == AV_OK)
		e = checkpoint_last_id(w->store, &w->last_id);
	if (e == AV_OK && !l->in_memory)
		e = checkpoint_reader_open(&w->lines, l->checkpoints_path);
	if (e == AV_OK || e == AV_ENOTFOUND)
		e = next_row(w);
	if (e == AV_OK)
		e = next_line(w);
	if (e != AV_OK) {
		checkpoint_walk_free(w);
		return e;
	}
	*out = w;
	return AV_OK;
}

enum av_err
checkpoint_walk_on(struct checkpoint_walk *w, size_t count, bool *over)
{
	enum av_err e = AV_OK;
	for (; e == AV_OK && count > 0 && (w->has_row || w->has_line); count--)
		e = w->has_row && (!w->has_line || w->row.id < w->line.id) ? miss_row(w)
		                                                           : take_line(w);
	*over = e == AV_OK && !w->has_row && !w->has_line;
	/* Last: another problem says more. */
	if (*over && w->missing != NULL)
		complain(w, w->missing_id, w->missing);
	return e;
}

const struct checkpoint_report *
checkpoint_walk_report(const struct checkpoint_walk *w)
{
	return &w->report;
}

void
checkpoint_walk_free(struct checkpoint_walk *w)
{
	if (w == NULL)
		return;
	checkpoint_reader_close(&w->lines);
	free(w);
}
