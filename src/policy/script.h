/* SPDX-License-Identifier: Apache-2.0 */
/*
 * script.h - one provider's script in its own sandbox, loaded once, asked many times.
 *
 * The script of the empty provider has no source: it serves capabilities made by CLI, which have
 * policies only. After an error of time or memory the state is thrown away and loaded anew from the
 * same bytes.
 */
#ifndef AV_POLICY_SCRIPT_H
#define AV_POLICY_SCRIPT_H

#include "policy/counter_table.h"
#include "policy/embedded.h"
#include "policy/sandbox.h"
#include "policy/verdict.h"
#include "reach/manifest.h"
#include "wire/judge.h"

#define SCRIPT_MAX_STEPS 1024u

/* What scripts are loaded from: lua/, policies/ and capabilities/ files in path order. */
struct script_source {
	const struct embedded_file *files;
	size_t count;
};

/* One check function of a chain. Numbers are places in the state's table of objects. */
struct script_step {
	lua_Integer function;
	lua_Integer params; /* 0: none */
	lua_Integer watch;
	char policy[DRAFT_WORD_MAX + 1]; /* "check" for the capability's own */
	const char *origin; /* "script" or "set" */
};

struct script_plan {
	size_t first;
	size_t count;
};

struct script {
	struct sandbox box;
	struct sandbox_limits limits;
	const struct script_source *source; /* borrows */
	const struct embedded_file *file; /* NULL: the empty provider */
	struct manifest *manifest; /* NULL with file */
	struct script_plan *plans; /* one a capability of the manifest */
	struct script_step *steps;
	size_t step_count;
	const char *loading; /* the file that is being evaluated; NULL: none */
	int loading_line; /* the last line of it that the vocabulary was called from */
	bool loaded;
	char broken[SANDBOX_MESSAGE_MAX +
	    1]; /* why the script cannot be loaded at all; "" if it can */
};

/* The running ask, as the sandbox's functions see it. */
struct call {
	const struct judge_ask *ask;
	struct str body; /* empty where the ask has none */
	const struct capability *capability; /* NULL: made by CLI */
	struct script *script;
	const struct script_plan *plan;
	const struct script_step *step; /* the one that runs */
	struct verdict_draft *draft;
	struct counter_table *counters;
};

/* AV_EINVAL: *message (SANDBOX_MESSAGE_MAX + 1 bytes) says `<file>:<line>: <what>`. */
enum av_err script_init(struct script *s, const struct script_source *source,
    const struct embedded_file *file, const struct sandbox_limits *limits,
    char *message) AV_MUST_USE;
void script_clear(struct script *s);
/* The provider a file is for: its base name without ".lua". */
struct str script_provider(const struct embedded_file *file);

/* Fills the draft; never fails: whatever goes wrong is a deny. */
void script_ask(struct script *s, const struct judge_ask *ask, struct str body,
    struct counter_table *counters, struct verdict_draft *draft);

#endif
