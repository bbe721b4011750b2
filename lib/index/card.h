/* card.h - what the adapters know of a work (the member "work"), as text that can be
 * searched: the entry of a catalog. Functions never print.
 */
#ifndef CARD_H
#define CARD_H

#include <stdbool.h>

#include "mem.h"
#include "rec.h"

enum { CARD_MOST = 64 << 10, CARD_TITLE = 4096 };       /* bytes of body and title; the rest is cut */

struct card {
	struct buf title, language, body;       /* owned; UTF-8 without controls but LF */
};

/* Reads a job's line. The title is as postpdf takes it; body: lines of title, authors,
 * venue and year, and the abstract, those that are known. False: there is no title
 * of a work in it. */
bool card_read(struct card *c, const struct rec *line);

#endif
