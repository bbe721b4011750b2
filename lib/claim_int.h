/* claim_int.h - between claim.c and claim_take.c. */
#ifndef CLAIM_INT_H
#define CLAIM_INT_H

#include "claim.h"

/* Takes in one row of the answer. feed: NULL at the end, when jobs are only to be handed back. */
void claim_take_in(struct claim *c, struct feed *feed, int row, int64_t now);
/* Jobs before the end-th that no row was about are gone, with their part. They would else count as taken for ever. */
void claim_forget_to(struct claim *c, size_t end);

#endif
