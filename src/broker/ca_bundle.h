/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ca_bundle.h - the root certificates: one file, found at start.
 *
 * libcurl reads a bundle by its path, parses it once and shares it between connections; given as
 * bytes it would parse it for each of them. The development switch AIVAULT_DEV_CA_CERT_PATH appends
 * one more root, in memory.
 */
#ifndef AV_BROKER_CA_BUNDLE_H
#define AV_BROKER_CA_BUNDLE_H

#include "base/err.h"

struct ca_bundle {
	char path[256];
	int fd; /* >= 0: the path names this descriptor */
};

/* AV_ENOTFOUND: none of the usual places has one. */
enum av_err ca_bundle_open(struct ca_bundle *out, struct fault *f) AV_MUST_USE;
void ca_bundle_close(struct ca_bundle *b);

#endif
