/* claim_int.h - between claim.c and claim_take.c. */
#ifndef CLAIM_INT_H
#define CLAIM_INT_H

#include "claim.h"

/* One row of the answer: how many of the jobs that were asked for it is about. feed: NULL at the end, when they are only
 * to be handed back. */
size_t claim_take_in(struct claim *c, struct feed *feed, int row, int64_t now);
/* Jobs that no row is about: their part was dropped. They would else count as taken for ever. */
void claim_forget_unsaid(struct claim *c);

#endif
