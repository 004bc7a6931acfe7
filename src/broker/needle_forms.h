/* SPDX-License-Identifier: Apache-2.0 */
/*
 * needle_forms.h - the shapes in which a secret may come back.
 *
 * - as it is
 * - base64 and base64url (RFC 4648 sections 4 and 5), wherever the secret stands in the encoded
 *   data: at each of the three offsets, the characters that the secret alone decides; by itself,
 *   also the last one
 * - percent-encoded (RFC 3986): by the usual sets of bytes that stay as they are, hex digits of
 *   either case, and as a form's field
 * - in a JSON string (RFC 8259): as the usual encoders write it, with and without "\/", with markup
 *   or all but ASCII as \uXXXX, hex digits of either case
 *
 * Not known: hex, other codings, one coding inside another, a mixture of two of these forms.
 */
#ifndef AV_BROKER_NEEDLE_FORMS_H
#define AV_BROKER_NEEDLE_FORMS_H

#include "broker/scrub.h"

/* Adds every form of `secret`; of one under SCRUB_MIN_NEEDLE bytes none. */
enum av_err needle_forms_add(struct scrub *s, struct str secret) AV_MUST_USE;

#endif
