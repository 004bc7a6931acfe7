/* SPDX-License-Identifier: Apache-2.0 */
/*
 * judge.h - all scripts together, and the conversation with the broker: frames in, verdicts out.
 *
 * Knows no descriptor: bytes come from a buffer and go to a buffer.
 */
#ifndef AV_POLICY_JUDGE_H
#define AV_POLICY_JUDGE_H

#include "policy/script.h"

#define JUDGE_IN_MAX (FRAME_MAX + FRAME_HEADER_LEN + 64u * 1024u)
#define JUDGE_OUT_MAX (16u * 1024u * 1024u)
/* While more than this waits to be written, nothing new is judged. */
#define JUDGE_OUT_HIGH (1024u * 1024u)

struct judge {
	struct script_source source; /* borrows */
	struct sandbox_limits limits;
	struct script cli; /* the empty provider */
	struct script *scripts; /* in order of the providers' names */
	size_t script_count;
	struct counter_table *counters;
	struct verdict_draft *draft;
	uint64_t body_ask; /* whose body `body` holds */
	struct buf body;
};

/* Loads every script. A faulty one disables itself: asks for its provider are denied with the
 * message that is logged here (I10). */
enum av_err judge_init(struct judge *j, const struct embedded_file *files, size_t count,
    const struct sandbox_limits *limits) AV_MUST_USE;
void judge_clear(struct judge *j);
/* Answers the whole frames at the front of `in`, in order, until it has none or `out` is high; the
 * used bytes are taken off. An error means a broken peer: hang up. */
enum av_err judge_serve(struct judge *j, struct buf *in, struct buf *out) AV_MUST_USE;
/* The keeper's side: takes the whole frames at the front of `in` off it. Errors as above. */
enum av_err judge_take_counts(struct judge *j, struct buf *in) AV_MUST_USE;
/* A new broker: what the old one had begun is forgotten. */
void judge_restart(struct judge *j);

/* Appends one BUILTIN_FRAME a capabilities/ file to `out`. On AV_EINVAL *message says which file,
 * line, and what. */
enum av_err judge_emit_manifests(
    const struct embedded_file *files, size_t count, struct buf *out, char *message) AV_MUST_USE;

#endif
