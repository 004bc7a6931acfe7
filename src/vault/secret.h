/* SPDX-License-Identifier: Apache-2.0 */
/*
 * secret.h - secret bytes at rest in memory.
 *
 * A pool is one guarded, locked region (sodium_malloc: not swapped, not in core dumps); secrets are
 * pieces of it. A secret has no text form and no JSON form; it is wiped when freed. Only the files
 * in src/secret_users.txt may include this header (make lint).
 */
#ifndef AV_VAULT_SECRET_H
#define AV_VAULT_SECRET_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SECRET_POOL_BYTES (1024u * 1024u)
#define SECRET_VALUE_MAX (64u * 1024u)

struct secret_pool;
struct secret;

enum av_err secret_pool_new(size_t bytes, struct secret_pool **out) AV_MUST_USE;
/* Every secret of it must be gone. NULL is fine. */
void secret_pool_free(struct secret_pool *p);
/* Did the system really lock it? (RLIMIT_MEMLOCK may forbid it; `status` says so.) */
bool secret_pool_is_locked(const struct secret_pool *p);

/* Zero-filled. AV_ELIMIT: the pool is full, give something back and try again. */
enum av_err secret_new(struct secret_pool *p, size_t len, struct secret **out) AV_MUST_USE;
enum av_err secret_copy(
    struct secret_pool *p, const void *bytes, size_t len, struct secret **out) AV_MUST_USE;
void secret_free(struct secret *s); /* NULL is fine */
uint8_t *secret_bytes(struct secret *s);
const uint8_t *secret_view(const struct secret *s);
size_t secret_len(const struct secret *s);
bool secret_eq(const struct secret *a, const struct secret *b); /* constant time in the bytes */

#endif
