/* SPDX-License-Identifier: Apache-2.0 */
/*
 * scope.h - whose a secret or a credential is: everybody's, a workspace's, or a group's inside one.
 *
 * Workspace and group ids: 1 to 128 bytes of letters, digits, '.', '_', '@' and '-'. No ':' can
 * stand in one, so the texts below never collide.
 */
#ifndef AV_VAULT_SCOPE_H
#define AV_VAULT_SCOPE_H

#include "base/frame.h"

#include <stdbool.h>

#define SCOPE_ID_MAX 128u
#define SCOPE_TEXT_MAX (2u * SCOPE_ID_MAX + 16u)

/* The order is the precedence: a higher value is more specific. */
enum scope_kind { SCOPE_GLOBAL = 0, SCOPE_WORKSPACE = 1, SCOPE_GROUP = 2 };

struct scope {
	enum scope_kind kind;
	char workspace[SCOPE_ID_MAX + 1]; /* "" where the kind has none */
	char group[SCOPE_ID_MAX + 1];
};

bool scope_id_is_valid(struct str s);
/* `kind` is "global", "workspace" or "group" ("" reads as global). AV_EUSAGE names the flag that is
 * missing or not allowed; ids are trimmed, blank ones count as missing. */
enum av_err scope_make(struct str kind, struct str workspace, struct str group, struct scope *out,
    struct fault *f) AV_MUST_USE;
/* The scope that a caller's context names: the group's, the workspace's or global. */
enum av_err scope_of_context(
    struct str workspace, struct str group, struct scope *out, struct fault *f) AV_MUST_USE;
bool scope_eq(const struct scope *a, const struct scope *b);
/* May a call made in `context` use what belongs to `owner`? */
bool scope_reaches(const struct scope *owner, const struct scope *context);
/* "global", "workspace:W", "group:W:G" */
void scope_text(const struct scope *s, char out[SCOPE_TEXT_MAX]);
void scope_encode(const struct scope *s, struct frame_writer *w);
/* Sets the reader's error on a scope that scope_make would refuse. */
void scope_decode(struct frame_reader *r, struct scope *out);

#endif
