/* places.h - where a job's PDF may be, and what is taken for one. Functions never
 * print or exit (but see mem.h).
 */
#ifndef PLACES_H
#define PLACES_H

#include <stdbool.h>
#include <stddef.h>

#include "mem.h"
#include "rec.h"

enum {
	PLACES_MAX = 65,        /* the request's own and 64 of "work" */
	PLACES_HEAD = 1024      /* readers allow for so many bytes, the header among them */
};

struct places {
	struct place {
		struct buf url, source;
	} place[PLACES_MAX];    /* all owned, used again */
	size_t n;
	struct buf unasked;     /* for people: "openalex (fetch_failed), unpaywall (no_email)"; empty: all were asked */
};

/* The request's url and those of work.pdfs, in their order; what is no URL at all is left out.
 * unasked: the services in work.asked that could not be asked. */
void places_of(struct places *p, const struct rec *r);

/* The first bytes are a PDF's. Junk may stand before the header, but no page that
 * speaks of PDFs. */
bool places_pdf(const struct buf *head);

#endif
