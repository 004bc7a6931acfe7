/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/judge.h"

#include "base/log.h"
#include "reach/builtin.h"

#include <stdlib.h>
#include <string.h>

#define CAPABILITY_DIR "capabilities/"

static bool
is_capability_file(const struct embedded_file *f)
{
	return str_starts(str_of(f->path), STR_LIT(CAPABILITY_DIR));
}

enum av_err
judge_init(struct judge *j, const struct embedded_file *files, size_t count,
    const struct sandbox_limits *limits)
{
	char message[SANDBOX_MESSAGE_MAX + 1];
	memset(j, 0, sizeof(*j));
	j->source = (struct script_source){files, count};
	j->limits = *limits;
	buf_init(&j->body, JUDGE_BODY_MAX);
	j->counters = counter_table_new();
	j->draft = calloc(1, sizeof(*j->draft));
	j->scripts = calloc(count + 1, sizeof(*j->scripts));
	if (j->counters == NULL || j->draft == NULL || j->scripts == NULL) {
		judge_clear(j);
		return AV_ENOMEM;
	}
	if (script_init(&j->cli, &j->source, NULL, limits, message) != AV_OK) {
		log_error("%s", message);
	}
	for (size_t i = 0; i < count; i++) {
		if (!is_capability_file(&files[i])) {
			continue;
		}
		struct script *s = &j->scripts[j->script_count++];
		if (script_init(s, &j->source, &files[i], limits, message) != AV_OK) {
			log_error("%s", message);
		}
	}
	return AV_OK;
}

void
judge_clear(struct judge *j)
{
	script_clear(&j->cli);
	for (size_t i = 0; i < j->script_count; i++) {
		script_clear(&j->scripts[i]);
	}
	free(j->scripts);
	free(j->draft);
	counter_table_free(j->counters);
	buf_clear(&j->body);
	memset(j, 0, sizeof(*j));
}

void
judge_restart(struct judge *j)
{
	buf_reset(&j->body);
	j->body_ask = 0;
}

/* Files come in path order, and a provider's name is its file's: the list is sorted. */
static struct script *
find_script(struct judge *j, struct str provider)
{
	if (provider.len == 0) {
		return &j->cli;
	}
	for (size_t i = 0; i < j->script_count; i++) {
		if (str_eq(script_provider(j->scripts[i].file), provider)) {
			return &j->scripts[i];
		}
	}
	return NULL;
}

static void
decide(struct judge *j, const struct judge_ask *ask)
{
	struct str body = {"", 0};
	if (ask->has_body) {
		if (ask->ask_id != j->body_ask) {
			draft_reset(j->draft);
			draft_blame_script(
			    j->draft, "policy_error", STR_LIT("the request's body did not arrive"));
			return;
		}
		body = (struct str){(const char *)j->body.data, j->body.len};
	}
	struct script *s = find_script(j, ask->provider);
	if (s == NULL) {
		draft_reset(j->draft);
		draft_blame_script(
		    j->draft, "policy_error", STR_LIT("there is no script for this provider"));
		return;
	}
	script_ask(s, ask, body, j->counters, j->draft);
}

static enum av_err
serve_ask(struct judge *j, const struct frame *f, struct buf *out)
{
	struct judge_ask ask;
	enum av_err e = judge_ask_decode(f, &ask);
	if (e != AV_OK) {
		return e;
	}
	decide(j, &ask);
	struct judge_verdict v;
	draft_to_verdict(j->draft, ask.ask_id, &v);
	size_t before = out->len;
	e = judge_verdict_encode(&v, out);
	if (e != AV_OK && out->len == before && buf_err(out) == AV_OK) {
		/* Something in the answer does not fit its message: then it is no answer. */
		draft_reset(j->draft);
		draft_blame_script(
		    j->draft, "policy_error", STR_LIT("the verdict does not fit its message"));
		draft_to_verdict(j->draft, ask.ask_id, &v);
		e = judge_verdict_encode(&v, out);
	}
	judge_ask_clear(&ask);
	judge_restart(j);
	return e;
}

static enum av_err
serve_body(struct judge *j, const struct frame *f)
{
	uint64_t id;
	struct str bytes;
	enum av_err e = judge_body_decode(f, &id, &bytes);
	if (e != AV_OK) {
		return e;
	}
	if (id != j->body_ask) {
		judge_restart(j);
		j->body_ask = id;
	}
	return buf_append(&j->body, bytes.p, bytes.len);
}

static enum av_err
serve_refund(struct judge *j, const struct frame *f)
{
	struct counts_refund m;
	enum av_err e = counts_refund_decode(f, &m);
	if (e == AV_OK) {
		counter_table_refund(j->counters, m.charges, m.charge_count);
	}
	counts_refund_clear(&m);
	return e;
}

static enum av_err
serve_fill(struct judge *j, const struct frame *f)
{
	struct counts_fill m;
	enum av_err e = counts_fill_decode(f, &m);
	if (e == AV_OK) {
		counter_table_fill(j->counters, &m);
	}
	return e;
}

enum av_err
judge_take_counts(struct judge *j, struct buf *in)
{
	size_t used = 0;
	enum av_err e = AV_OK;
	while (e == AV_OK) {
		struct frame f;
		size_t n;
		e = frame_parse(in->data + used, in->len - used, &f, &n);
		if (e != AV_OK) {
			break;
		}
		used += n;
		switch (f.type) {
		case COUNTS_CLEAR:
			e = counts_clear_decode(&f);
			counter_table_clear(j->counters);
			break;
		case COUNTS_FILL:
			e = serve_fill(j, &f);
			break;
		case COUNTS_REFUND:
			e = serve_refund(j, &f);
			break;
		default:
			e = AV_EFORMAT;
		}
	}
	buf_consume(in, used);
	return e == AV_ETRUNC ? AV_OK : e;
}

enum av_err
judge_serve(struct judge *j, struct buf *in, struct buf *out)
{
	size_t used = 0;
	enum av_err e = AV_OK;
	while (out->len < JUDGE_OUT_HIGH) {
		struct frame f;
		size_t n;
		e = frame_parse(in->data + used, in->len - used, &f, &n);
		if (e != AV_OK) {
			break;
		}
		used += n;
		switch (f.type) {
		case JUDGE_ASK:
			e = serve_ask(j, &f, out);
			break;
		case JUDGE_BODY:
			e = serve_body(j, &f);
			break;
		case COUNTS_REFUND:
			e = serve_refund(j, &f);
			break;
		default:
			e = AV_EFORMAT;
		}
		if (e != AV_OK) {
			break;
		}
	}
	buf_consume(in, used);
	return e == AV_ETRUNC ? AV_OK : e;
}

enum av_err
judge_emit_manifests(
    const struct embedded_file *files, size_t count, struct buf *out, char *message)
{
	const struct script_source source = {files, count};
	const struct sandbox_limits limits = {SANDBOX_CHECK_MS, SANDBOX_MEMORY_BYTES};
	for (size_t i = 0; i < count; i++) {
		if (!is_capability_file(&files[i])) {
			continue;
		}
		struct script s;
		enum av_err e = script_init(&s, &source, &files[i], &limits, message);
		if (e == AV_OK) {
			struct frame_writer w;
			fw_begin(&w, out, BUILTIN_FRAME);
			manifest_encode(s.manifest, &w);
			e = fw_end(&w);
			message[0] = '\0';
		}
		script_clear(&s);
		if (e != AV_OK) {
			return e;
		}
	}
	return AV_OK;
}
