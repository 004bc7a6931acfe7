/* SPDX-License-Identifier: Apache-2.0 */
/*
 * manifest.h - what a provider is: hosts, auth, secret names, capabilities. Data only, no secret.
 *
 * Made by the judge from a script (or by the keeper from CLI flags), validated by
 * manifest_validate(), and carried as the field row that manifest_encode() writes. Strings are
 * NUL-terminated and owned; free with manifest_free().
 */
#ifndef AV_REACH_MANIFEST_H
#define AV_REACH_MANIFEST_H

#include "base/err.h"
#include "base/frame.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MANIFEST_MAX_HOSTS 32u
#define MANIFEST_MAX_METHODS 9u
#define MANIFEST_MAX_PATHS 64u
#define MANIFEST_MAX_CAPABILITIES 256u
#define MANIFEST_MAX_SECRETS 16u
#define MANIFEST_MAX_PAIRS 16u
#define MANIFEST_MAX_ALTERNATIVES 16u
#define MANIFEST_MAX_TEXT 1024u
#define MANIFEST_MAX_NAME 256u /* of a header or query parameter */

struct string_list {
	char **items;
	size_t count;
};
struct pair {
	char *name;
	char *value;
};
struct pair_list {
	struct pair *items;
	size_t count;
};

enum auth_kind {
	AUTH_NONE = 0,
	AUTH_HEADER, /* pairs[0] = {header name, template with {{secret}}} */
	AUTH_QUERY, /* pairs[0] = {parameter, ""} */
	AUTH_PATH, /* pairs[0] = {"", template, starts with '/', one {{secret}}} */
	AUTH_BASIC, /* pairs[0] = {"username", fixed user} or no pair */
	AUTH_MULTI_HEADER, /* pairs = {header name, template} */
	AUTH_MULTI_QUERY, /* pairs = {parameter, template} */
	AUTH_OAUTH2, /* pairs: grant, token_endpoint, scopes (space-joined) */
	AUTH_AWS_SIGV4, /* pairs: service, region */
	AUTH_HMAC, /* pairs: algorithm, header, template */
	AUTH_MTLS,
	AUTH_KIND_COUNT
};
/* "header", "query", "path", "basic", "multi-header", ... as on the command line. */
const char *auth_kind_name(enum auth_kind k);
bool auth_kind_of(struct str name, enum auth_kind *out);

struct auth_desc {
	enum auth_kind kind;
	struct pair_list pairs;
};

enum inspect { INSPECT_NONE = 0, INSPECT_JSON, INSPECT_TEXT };

struct capability {
	char *id; /* "openai/chat-completions" */
	char *about;
	struct string_list hosts; /* exact names, or "*.suffix" (built-in data only) */
	struct string_list methods;
	struct string_list paths; /* prefixes */
	enum inspect inspect;
	bool opaque_slash;
	bool has_check; /* the script has a check function for it */
	uint8_t http; /* 1 or 2: upstream protocol */
};

struct alternative {
	char *id; /* "codex-oauth"; the credential is "<provider>:<id>" */
	struct auth_desc auth;
	struct string_list hosts;
	struct pair_list secrets;
	struct string_list capabilities; /* empty = all */
	uint32_t priority;
	char *path_prefix; /* "" or "/backend-api" */
};

struct manifest {
	char *provider;
	struct pair_list secrets; /* vault name -> placeholder */
	struct auth_desc auth;
	struct string_list hosts;
	struct capability *capabilities;
	size_t capability_count;
	struct alternative *alternatives;
	size_t alternative_count;
};

struct manifest *manifest_new(void); /* NULL when out of memory */
void manifest_free(struct manifest *m);
/* Appends copies. */
enum av_err string_list_add(struct string_list *l, struct str s) AV_MUST_USE;
enum av_err pair_list_add(struct pair_list *l, struct str name, struct str value) AV_MUST_USE;
bool string_list_has(const struct string_list *l, struct str s);
void string_list_clear(struct string_list *l);
void pair_list_clear(struct pair_list *l);
void auth_desc_clear(struct auth_desc *a);
void capability_clear(struct capability *c);

/* Every rule on names, hosts, methods, paths, templates and counts; *f names the first broken. */
enum av_err manifest_validate(const struct manifest *m, struct fault *f) AV_MUST_USE;
enum av_err auth_desc_validate(const struct auth_desc *a, struct fault *f) AV_MUST_USE;
/* The rules on one capability, whoever made it (its id need not begin with a provider's name). */
enum av_err capability_validate(const struct capability *c, struct fault *f) AV_MUST_USE;
const struct capability *manifest_capability(const struct manifest *m, struct str id);
/* Does a name of `b` match a pattern of `a`, or the other way round? */
bool hosts_meet(const struct string_list *a, const struct string_list *b);
/* The secrets that `c` of `m` needs: the provider's own where its hosts serve the capability, else
 * those of the first alternative that does; NULL where nothing serves it. Borrows. */
const struct pair_list *manifest_secrets_for(const struct manifest *m, const struct capability *c);

/* Appends the fields to a frame / reads them (allocates *out). */
void manifest_encode(const struct manifest *m, struct frame_writer *w);
enum av_err manifest_decode(struct frame_reader *r, struct manifest **out) AV_MUST_USE;
void auth_desc_encode(const struct auth_desc *a, struct frame_writer *w);
enum av_err auth_desc_decode(struct frame_reader *r, struct auth_desc *out) AV_MUST_USE;
void capability_encode(const struct capability *c, struct frame_writer *w);
enum av_err capability_decode(struct frame_reader *r, struct capability *out) AV_MUST_USE;
void string_list_encode(const struct string_list *l, struct frame_writer *w);
enum av_err string_list_decode(
    struct frame_reader *r, uint32_t max, struct string_list *out) AV_MUST_USE;

#endif
