/* doc.h - a document on its way from a request to text: what metadata does,
 * in two steps. doc_source gets its bytes and what is said of their type,
 * doc_extract makes text of them. One struct doc serves one record after the other.
 * Functions return 0, or -1 with the fault filled; they never print.
 */
#ifndef DOC_H
#define DOC_H

#include <stdbool.h>
#include <stddef.h>

#include "http.h"
#include "mem.h"
#include "rec.h"

struct doc_fault {
	const char *code;
	char message[700];
	bool retry;
	unsigned long after_ms;
};

struct doc {
	/* settings */
	const char *roots;      /* for "path"; may be NULL */
	struct http *http;      /* for "url" */
	size_t max;             /* bytes of a source and of a text */
	unsigned long limit_s;  /* seconds for a fetch, CPU seconds for a conversion */
	/* the source; all buffers are owned */
	struct buf bytes;
	struct buf type;        /* a Content-Type as it was given, or empty */
	bool is_text;           /* bytes are the request's text: UTF-8 */
	/* the result */
	struct buf text;        /* not filled when same */
	bool same;              /* the text is the request's own */
	struct buf title;       /* what the document calls itself, or empty */
	const char *content_type, *charset;
	size_t replaced;        /* characters that could not be decoded */
	unsigned long pages;    /* of a PDF; 0: unknown */
	struct doc_fault fault;
};

int doc_source(struct doc *d, const struct rec *r);
int doc_extract(struct doc *d);

/* Appends the first line of the text, cut to a title's length. */
void doc_first_line(struct buf *out, const char *text, size_t len);

/* Sets the fault and returns -1. */
int doc_fail(struct doc *d, const char *code, bool retry, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

/* doc_extract's part for PDF: text, title and pages of d->bytes. */
int pdf_extract(struct doc *d);
/* Appends text as pdftotext prints it, repaired: see docs/metadata.1. */
void pdf_clean(struct buf *out, const char *p, size_t len);

#endif
