/* places.h - where a job's PDF may be, what came of looking there, and what is
 * taken for one. What came of it stands in "pdf_tried" (stream(7)), so that it is known to the
 * stages that come, and to the job's next attempt. Functions never print or exit
 * (but see mem.h).
 */
#ifndef PLACES_H
#define PLACES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mem.h"
#include "rec.h"

enum {
	PLACES_MAX = 130,       /* the request's own and 64 of "work", and one that each names */
	PLACES_HEAD = 1024,     /* readers allow for so many bytes, the header among them */
	PLACES_PAGE = 256 << 10 /* of a landing page; its links stand in its head */
};

struct place {
	struct buf url, source;
	struct buf page;        /* the landing page that names it, or empty */
	bool path;              /* url is the request's path */
	/* What came of it. */
	bool tried;
	struct buf code, why;
	bool retry;             /* it may have the PDF later */
	uint64_t after_ms;
};

struct places {
	struct place place[PLACES_MAX]; /* all owned, used again */
	size_t n;
	uint64_t attempt;       /* the record's, or 0 */
	struct buf unasked;     /* for people: "openalex (fetch_failed), unpaywall (no_email)"; empty: all were asked */
	bool ask_again;         /* one of them may be asked later */
};

/* The request's path or url and those of work.pdfs, in their order, each once, and
 * behind a landing page what it named; what is no URL at all is left out. One that
 * was tried counts as that, unless it may have the PDF later and this is another
 * attempt. unasked: the services in work.asked that could not be asked. */
void places_of(struct places *p, const struct rec *r);

/* The first that is not tried, or p->n. */
size_t places_next(const struct places *p);
/* What came of trying it. */
void places_tried(struct place *x, const char *code, const char *why, bool retry, unsigned long after_ms);
/* Where the bytes that came from place[i] are a page that names its PDF, that comes
 * next, unless it is there already. base: the page's URL after redirects. A page
 * that was found so is not searched. */
void places_follow(struct places *p, size_t i, const struct buf *page, const char *base);
void places_link(struct places *p, size_t i, const char *url);

/* Appends what was tried as an array. all: also those that may have it later. False: it is empty. */
bool places_print(struct buf *out, const struct places *p, bool all);
/* Appends the member "pdf" for one that has it. */
void places_found(struct buf *out, const struct places *p, const struct place *from, const char *sha256, size_t len,
    const char *stage);

/* What to say where none of them has it, all being tried. */
struct places_fault {
	const char *code;       /* borrowed from p */
	bool retry;
	bool later;             /* one of them may have it later */
	unsigned long after_ms;
};
void places_fault(struct places_fault *f, struct buf *why, struct places *p);

/* The first bytes are a PDF's. Junk may stand before the header, but no page that
 * speaks of PDFs. */
bool places_pdf(const struct buf *head);
/* The first bytes may be those of a page. */
bool places_page(const struct buf *head);

#endif
