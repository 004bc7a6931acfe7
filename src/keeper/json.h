/* SPDX-License-Identifier: Apache-2.0 */
/*
 * json.h - the little that is needed of cJSON: building results, reading arguments strictly.
 *
 * Never sees secret bytes: they travel beside the JSON. Arguments: an object with known keys, each at
 * most once, of the stated type; no \u0000.
 */
#ifndef AV_KEEPER_JSON_H
#define AV_KEEPER_JSON_H

#include "base/buf.h"
#include "reach/manifest.h"
#include "vault/scope.h"

#include <cjson/cJSON.h>

void json_text(cJSON *o, const char *key, const char *value); /* NULL: the key with null */
void json_number(cJSON *o, const char *key, int64_t value);
void json_bool(cJSON *o, const char *key, bool value);
void json_list(cJSON *o, const char *key, const struct string_list *l);
/* As the reference has it: "global", {"workspace":{"workspace_id":...}}, ... */
void json_scope(cJSON *o, const char *key, const struct scope *s);
/* Compact. AV_ELIMIT: over out->max; AV_ENOMEM also for a NULL tree. */
enum av_err json_print(const cJSON *tree, struct buf *out) AV_MUST_USE;

/* `spec`: NULL-terminated list of "<type>:<key>", types: s text, b boolean, n whole number >= 0,
 * l list of texts, p list of {name, template} objects. null counts as absent. AV_EUSAGE. */
enum av_err json_args(
    struct str text, const char *const *spec, cJSON **out, struct fault *f) AV_MUST_USE;
struct str arg_text(const cJSON *args, const char *key); /* trimmed; "" where absent */
bool arg_has(const cJSON *args, const char *key);
bool arg_bool(const cJSON *args, const char *key);
int64_t arg_number(const cJSON *args, const char *key, int64_t absent);
/* Appends trimmed texts. */
enum av_err arg_list(const cJSON *args, const char *key, struct string_list *out) AV_MUST_USE;
enum av_err arg_pairs(const cJSON *args, const char *key, struct pair_list *out) AV_MUST_USE;

#endif
