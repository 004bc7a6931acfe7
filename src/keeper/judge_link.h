/* SPDX-License-Identifier: Apache-2.0 */
/*
 * judge_link.h - the keeper's end of its channel to the judge (wire/counts.h). It only tells: nothing
 * is read from a judge. What the judge does not take it does without: the keeper counts for itself.
 */
#ifndef AV_KEEPER_JUDGE_LINK_H
#define AV_KEEPER_JUDGE_LINK_H

#include "base/buf.h"
#include "wire/counts.h"

#define JUDGE_LINK_OUT_MAX (8u * 1024u * 1024u)

struct keeper;
struct judge_link {
	int fd; /* -1: none */
	struct buf out;
};

void judge_link_init(struct judge_link *l);
void judge_link_close(struct judge_link *l);
/* A new judge: takes fd and tells what is counted. */
void judge_link_use(struct keeper *k, int fd);
/* Tells it again: a broker that ended may have left charges behind that came to nothing. */
void judge_link_fill(struct keeper *k);
/* A call with these charges was not let through. */
void judge_link_refund(struct judge_link *l, struct charge *charges, size_t count);
void judge_link_write(struct judge_link *l);

#endif
