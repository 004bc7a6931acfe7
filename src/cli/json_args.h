/* SPDX-License-Identifier: Apache-2.0 */
/* json_args.h - options into the JSON arguments of an operator call; never a secret's. */
#ifndef AV_CLI_JSON_ARGS_H
#define AV_CLI_JSON_ARGS_H

#include "base/str.h"
#include "cli/args.h"

#include <cjson/cJSON.h>

/* `key`: value of option `name`, where it stands. False: out of memory. */
bool json_add_option(cJSON *o, const char *key, const struct args *a, const char *name);
/* Always adds an array, maybe empty. */
bool json_add_options(cJSON *o, const char *key, const struct args *a, const char *name);
/* The time that option `name` tells (when.h), in ms since 1970, where it stands. */
enum av_err json_add_time(
    cJSON *o, const char *key, const struct args *a, const char *name, struct fault *f) AV_MUST_USE;
/* --scope, --workspace-id, --group-id as scope, workspaceId, groupId; checks that they fit. */
enum av_err json_add_scope(cJSON *o, const struct args *a, struct fault *f) AV_MUST_USE;
/* --workspace-id and --group-id alone: a group needs its workspace. */
enum av_err json_add_context(cJSON *o, const struct args *a, struct fault *f) AV_MUST_USE;
/* Parses a whole text: only blanks may follow the value. NULL: it is not JSON. */
cJSON *json_parse(struct str text);
/* The string at `key`, or `dflt`. */
const char *json_string(const cJSON *o, const char *key, const char *dflt);

#endif
