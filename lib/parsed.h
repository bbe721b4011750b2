/* parsed.h - a record's PDF, and the member "parsed" that names its blocks: what
 * both sides of mineru share, the engine that is built in and the client of
 * servers. Functions return a status, with doc.fault; they never print.
 */
#ifndef PARSED_H
#define PARSED_H

#include <stdbool.h>

#include "blob.h"
#include "pdf/check.h"
#include "rec.h"
#include "text/doc.h"

struct parsed {
	const char *engine;     /* what the name of the one that is wanted begins with */
	unsigned long chars_min;
	struct doc doc;         /* doc.bytes is the PDF */
	char sum[SHA256_HEX];   /* of the PDF */
	struct check check;
	struct blob blobs;
	struct buf about;
};
#define PARSED_INIT { NULL, CHECK_CHARS, { .bytes = BUF_INIT }, "", CHECK_INIT, BLOB_INIT, BUF_INIT }

/* 1: doc.bytes is the PDF, or it was done before; 0: there is none to read; -1: doc.fault. */
int parsed_source(struct parsed *p, const struct rec *r);
/* An earlier attempt of ours has the blocks of this PDF. */
bool parsed_before(struct parsed *p, const struct rec *r);
/* Are these the blocks of a PDF with check.pages? */
int parsed_check(struct parsed *p, const struct buf *blocks);
/* Stores checked blocks; c becomes the member, borrowed until the next call.
 * title: what the file calls itself, or empty. */
int parsed_member(struct parsed *p, const char *engine, const struct buf *title, const struct buf *blocks,
    struct rec_change *c);

#endif
