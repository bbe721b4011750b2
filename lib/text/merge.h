/* merge.h - what is known of a document before its pages were read (the member
 * "work" of the adapters, the "document" of an earlier stage, the request), merged
 * into one description. Functions never print.
 */
#ifndef MERGE_H
#define MERGE_H

#include <stdbool.h>

#include "mem.h"
#include "rec.h"

struct merge {
	struct rec work, doc;   /* borrow from the job's line; empty where it has none */
};
#define MERGE_INIT { REC_INIT, REC_INIT }

void merge_read(struct merge *m, const struct rec *job);

/* Appends the title that the request gives, else the adapters, whose markup goes. False: neither
 * does. */
bool merge_title(struct buf *out, const struct merge *m, const struct rec *job);
/* Appends the title that an earlier stage found. False: none did. */
bool merge_found(struct buf *out, const struct merge *m);
/* Appends ,"NAME":VALUE for each of doi, authors, year, venue, license, is_oa, oa_status
 * that the adapters have, else the earlier stage, byte for byte; the doi may be
 * the request's. */
void merge_members(struct buf *out, const struct merge *m, const struct rec *job);

#endif
