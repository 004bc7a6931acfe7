/* SPDX-License-Identifier: Apache-2.0 */
#include "keeper/verification.h"

#include <stdlib.h>

#define ROWS_A_TIME 512
#define CHECKPOINTS_A_TIME 8u

struct verification {
	struct store *store; /* borrows */
	struct chain_walk chain;
	struct checkpoint_walk *points;
	bool points_over;
	enum av_err err;
};

enum av_err
verification_new(
    const struct keeper *k, const uint8_t pk[VAULT_PUBLIC_KEY_LEN], struct verification **out)
{
	struct verification *v = calloc(1, sizeof(*v));
	if (v == NULL)
		return AV_ENOMEM;
	v->store = k->vault->store;
	enum av_err e =
	    chain_walk_begin(&v->chain, v->store, k->log.in_memory ? k->log.first_id : 1);
	if (e == AV_OK)
		e = checkpoint_walk_new(&k->log, pk, &v->points);
	if (e != AV_OK) {
		verification_free(v);
		return e;
	}
	while (k->log.in_memory && !verification_is_over(v))
		verification_go_on(v);
	*out = v;
	return AV_OK;
}

void
verification_free(struct verification *v)
{
	if (v == NULL)
		return;
	checkpoint_walk_free(v->points);
	free(v);
}

void
verification_go_on(struct verification *v)
{
	if (!v->chain.over)
		v->err = chain_walk_on(&v->chain, v->store, ROWS_A_TIME);
	else
		v->err = checkpoint_walk_on(v->points, CHECKPOINTS_A_TIME, &v->points_over);
}

bool
verification_is_over(const struct verification *v)
{
	return v->err != AV_OK || v->points_over;
}

enum av_err
verification_result(
    const struct verification *v, struct chain_report *chain, struct checkpoint_report *points)
{
	*chain = v->chain.report;
	*points = *checkpoint_walk_report(v->points);
	return v->err;
}
