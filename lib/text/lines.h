/* lines.h - the records that chunk writes for one job: its chunk lines and the
 * job's own line with "chunks". docs/stream.7 has their members.
 */
#ifndef LINES_H
#define LINES_H

#include <stdbool.h>
#include <stddef.h>

#include "b64.h"
#include "mem.h"
#include "rec.h"
#include "text/layout.h"
#include "text/plan.h"

#define LINES_STAGE "chunk/1"

/* What made the chunks of a job. */
struct lines_how {
	unsigned tokens;        /* with [CLS] and [SEP] */
	double overlap;         /* a part of 1 */
	char vocab[SHA256_HEX]; /* of vocab.txt */
	char text[SHA256_HEX];  /* of the text */
	char layout[SHA256_HEX];        /* of its layout; empty: it has none */
};

/* A job's chunks from an earlier attempt, when they are what we would make. */
struct lines_kept {
	struct rec chunks, items;       /* borrow from the job's line */
};
#define LINES_KEPT_INIT { REC_INIT, REC_INIT }

/* Reads the member "chunks". True when it was made by this stage in the same way;
 * then k->items.n of them can be told again (0: it has no items). */
bool lines_kept(struct lines_kept *k, const struct rec_member *chunks, const struct lines_how *how);

/* Appends what every chunk line of the job begins with: the envelope, byte for byte. */
void lines_head(struct buf *out, const struct rec *job);
/* Appends one chunk line: a new chunk i of n, with its place in the layout l, or a kept one.
 * -1: that item is no chunk i of n. */
void lines_chunk(struct buf *out, const struct buf *head, const struct plan_chunk *c, size_t i,
    size_t n, const char *text, const struct layout *l);
int lines_again(struct buf *out, const struct buf *head, const struct lines_kept *k, size_t i);

/* Appends the value of "chunks": counts only. */
void lines_chunks(struct buf *out, size_t n, const struct lines_how *how);

#endif
