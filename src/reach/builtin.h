/* SPDX-License-Identifier: Apache-2.0 */
/*
 * builtin.h - the providers compiled in (I11). The bytes are made at build time by the judge
 * (`aivault-policy --emit-manifest`: one frame of type BUILTIN_FRAME a provider, payload as
 * manifest_encode) and src/tools/mkmanifest.c, which validates them and prints the C table.
 */
#ifndef AV_REACH_BUILTIN_H
#define AV_REACH_BUILTIN_H

#include "reach/manifest.h"

#define BUILTIN_FRAME 0x4d46u
#define BUILTIN_MAX_PROVIDERS 256u

extern const uint8_t builtin_manifests[];
extern const size_t builtin_manifests_len;

struct builtin {
	struct manifest **items;
	size_t count;
};
/* Decodes and validates frames from bytes. */
enum av_err builtin_load(struct builtin *out, const uint8_t *bytes, size_t len) AV_MUST_USE;
void builtin_clear(struct builtin *b);
const struct manifest *builtin_provider(const struct builtin *b, struct str name);
/* The capability of that id and, if `m` is not NULL, its provider. */
const struct capability *builtin_capability(
    const struct builtin *b, struct str id, const struct manifest **m);
/* The provider that claims a vault secret name (main or alternative), or NULL. */
const struct manifest *builtin_claims(const struct builtin *b, struct str secret_name);

#endif
