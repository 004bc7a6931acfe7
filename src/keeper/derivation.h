/* SPDX-License-Identifier: Apache-2.0 */
/*
 * derivation.h - a passphrase becoming a key, beside the loop.
 *
 * One at a time, in a thread of its own that touches nothing but its own locked buffer; the loop
 * polls derivation_fd(). An operator call that needs a key asks for it, is put aside where it is not
 * there yet (op_call.later), and its frame is handled again when it is. Who asks with the same
 * passphrase for the same purpose gets the result; a result that nobody takes is wiped.
 */
#ifndef AV_KEEPER_DERIVATION_H
#define AV_KEEPER_DERIVATION_H

#include "keeper/keeper.h"

struct derivation;

/* Key and parameters; lives until derivation_drop() or derivation_settle(). */
struct derived {
	const struct passphrase_kdf *kdf;
	const uint8_t *key; /* KEK_LEN bytes */
};

/* `kdf` NULL: with a fresh salt, at the cost named. AV_OK with *later set: not there yet, nothing in
 * *out. The passphrase is copied. */
enum av_err derivation_get(struct keeper *k, const struct passphrase_kdf *kdf, struct str cost,
    struct str passphrase, struct derived *out, bool *later, struct fault *f) AV_MUST_USE;
int derivation_fd(const struct keeper *k); /* readable when it has finished; -1: none runs */
/* Waits for the end of the one that runs, if there is one. */
void derivation_join(struct keeper *k);
/* Wipes a finished one. */
void derivation_settle(struct keeper *k);
/* Waits and wipes. */
void derivation_drop(struct keeper *k);

#endif
