/* rows.h - the chunks of a document as parameters of sluice.index_document: store.c's
 * other half. Not for others. */
#ifndef ROWS_H
#define ROWS_H

#include <stdint.h>

#include "mem.h"
#include "pg.h"
#include "rec.h"

enum { ROWS_MOST = INT32_MAX };

/* What it takes as arrays, in its order. */
struct rows {
	int i, start, end, tokens, body, f32, page, page_to, path, kind, head;
};

void rows_begin(struct pg_args *a, struct rows *r);
/* One chunk's row; model gets the model's name the first time. 0; 1: it has no vector;
 * -1: it or its vector is not as it should be. *nuls counts what is replaced. */
int rows_add(struct pg_args *a, const struct rows *r, const struct rec *item, struct buf *model, uint64_t *nuls);

#endif
