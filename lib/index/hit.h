/* hit.h - what is shown of the passages that rank found: their rows in the ledger, and one
 * of them as JSON. Returns pg.h's status; never prints, never exits (but see mem.h). */
#ifndef HIT_H
#define HIT_H

#include "index/rank.h"

/* Columns of the rows. */
enum { HIT_DOCUMENT, HIT_I, HIT_DOC_KEY, HIT_JOB_ID, HIT_TITLE, HIT_LANGUAGE, HIT_TYPE, HIT_CHUNKS, HIT_START, HIT_END,
	HIT_BODY, HIT_MARKED, HIT_PAGE, HIT_PAGE_TO, HIT_PATH, HIT_KIND };

/* Reads the rows of all of r into db. */
enum pg_status hit_rows(struct pg *db, const struct rank *r, const struct rank_query *q);

/* The row of h, or -1: its document has gone meanwhile. */
int hit_row(const struct pg *db, const struct rank_hit *h);

/* Appends {"rank","score",...,"chunk":{...}}; rank counts from 1. */
void hit_json(struct buf *b, const struct pg *db, int row, const struct rank_hit *h, size_t rank);

#endif
