/* SPDX-License-Identifier: Apache-2.0 */
/*
 * str.h - spans of bytes and the few questions asked of them.
 *
 * struct str borrows its bytes; it is not NUL-terminated and may hold any byte.
 */
#ifndef AV_BASE_STR_H
#define AV_BASE_STR_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct str {
	const char *p;
	size_t len;
};

#define STR_LIT(s) ((struct str){(s), sizeof(s) - 1})
#define STR_FMT(s) (int)(s).len, (s).p

struct str str_of(const char *cstr); /* NULL reads as empty */
bool str_eq(struct str a, struct str b);
bool str_eq_cstr(struct str a, const char *b);
bool str_ieq(struct str a, struct str b); /* ASCII case folded */
bool str_ieq_cstr(struct str a, const char *b);
bool str_starts(struct str s, struct str prefix);
bool str_ends(struct str s, struct str suffix);
struct str str_trim(struct str s); /* spaces and tabs at both ends */
/* Splits at the first `c`: *head gets what stands before, *tail what stands after. False: no c. */
bool str_cut(struct str s, char c, struct str *head, struct str *tail);
/* A fresh NUL-terminated copy (free() it); NULL when out of memory or the span holds a NUL. */
char *str_dup(struct str s);
/* Strict UTF-8: no overlong forms, no surrogates, at most U+10FFFF (RFC 3629). */
bool str_is_utf8(struct str s);

/*
 * The one integer parser. Decimal digits only, whole span, no sign, no blanks, no leading zero but
 * "0" itself. AV_EFORMAT: not such a number; AV_ELIMIT: below min or above max.
 */
enum av_err str_to_u64(struct str s, uint64_t min, uint64_t max, uint64_t *out) AV_MUST_USE;
/* "10", "90s", "10m", "1h", "90d": a count of seconds; no suffix means seconds. */
enum av_err str_to_seconds(struct str s, uint64_t max, uint64_t *out) AV_MUST_USE;
/* The contract's boolean: trimmed, case-folded `1 true yes on`; anything else (NULL too): false. */
bool str_to_bool(const char *s);

/* Lower-case hex, `out` has room for 2 * len + 1. */
void hex_encode(const void *in, size_t len, char *out);
enum av_err hex_decode(struct str s, uint8_t *out, size_t out_len) AV_MUST_USE; /* exact length */
int hex_digit(char c); /* 0 to 15 for either case; -1: not one */
/* Standard base64 with padding (RFC 4648 section 4); `out` has room for b64_encoded_len + 1. */
size_t b64_encoded_len(size_t len);
void b64_encode(const void *in, size_t len, char *out);
/* *out_len: room in, length out. Strict: padding needed, no blanks, no stray bits. */
enum av_err b64_decode(struct str s, uint8_t *out, size_t *out_len) AV_MUST_USE;

/* A capability's id: `[a-z0-9][a-z0-9._:-]*` segments joined by `/`, 1 to 128 bytes. */
bool id_is_valid(struct str s);
/* A credential's: letters, digits and "._-:/@", first a letter or a digit. */
#define CREDENTIAL_ID_MAX 400u
bool credential_id_is_valid(struct str s);

#endif
